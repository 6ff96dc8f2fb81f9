"""From presses and moves of the mouse to a shape: by dragging, or click by click. Knows no widget."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.measuring.shapes import Kind, Shape, triples

_CLICKS = {Kind.LENGTH: 2, Kind.ANGLE: 3, Kind.RECTANGLE: 2, Kind.ELLIPSE: 2}
_MOST_POINTS = 400


class Drawing:
    """One shape that is being drawn on `lattice`, the slice shown. Places are LPS mm on it; `finest`: mm below which two places
    are one."""

    def __init__(self, kind: Kind, lattice: Geometry, finest: float) -> None:
        self.kind, self._lattice, self._finest = kind, lattice, finest
        self._placed: list[FloatArray] = []
        self._here: FloatArray | None = None

    def press(self, mm: FloatArray) -> None:
        self._placed.append(mm)
        self._here = mm

    def move(self, mm: FloatArray) -> None:
        """With the button held or not."""
        far = self._here is None or np.linalg.norm(mm - self._placed[-1]) >= self._finest
        if self.kind is Kind.FREEHAND and far and len(self._placed) < _MOST_POINTS:
            self._placed.append(mm)
        self._here = mm

    def release(self, mm: FloatArray, *, travelled: bool) -> bool:
        """Whether the shape is finished: `shape` is it, or None where it was too small to be meant."""
        if self.kind is Kind.FREEHAND:
            return True
        if travelled and len(self._placed) < _CLICKS[self.kind]:
            self._placed.append(mm)
        elif travelled:
            self._placed[-1] = mm
        self._here = mm
        return len(self._placed) >= _CLICKS[self.kind]

    @property
    def shape(self) -> Shape | None:
        """As it would be if it ended here; None while it is none yet."""
        if self._here is None:
            return None
        points = list(self._placed)
        if self.kind is Kind.FREEHAND:
            big = len(points) > 2 and np.ptp(np.asarray(points), axis=0).max() >= 2 * self._finest
            return Shape(self.kind, triples(points), self._lattice) if big else None
        if len(points) < _CLICKS[self.kind]:
            points.append(self._here)
        if any(np.linalg.norm(one - other) < self._finest for one, other in pairwise(points)):
            return None
        if self.kind in (Kind.RECTANGLE, Kind.ELLIPSE):
            return self._box(points)
        if self.kind is Kind.ANGLE and len(points) < _CLICKS[self.kind]:
            return Shape(Kind.LENGTH, triples(points), self._lattice)  # its first arm
        return Shape(self.kind, triples(points), self._lattice)

    def _box(self, points: list[FloatArray]) -> Shape | None:
        sides = np.abs((points[1] - points[0]) @ self._lattice.axes[1:].T)
        return Shape.box(self.kind, points[0], points[1], self._lattice) if sides.min() >= self._finest else None
