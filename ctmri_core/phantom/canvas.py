"""The tissue map while it is being painted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry, rigid_transform
from ctmri_core.phantom.parameters import HeadParameters
from ctmri_core.phantom.shapes import Array, Point, Shape
from ctmri_core.phantom.tissues import Tissue

LOW: Point = (-86.0, -120.0, -160.0)
HIGH: Point = (86.0, 121.0, 96.0)
"""The box of the average head, mm: x to the left, y to the back, z up; the origin lies at the anterior commissure."""

_SLACK_MM = 5.0


@dataclass(frozen=True)
class Patch:
    """A box cut out of a canvas: `labels` is a view (k, j, i); x, y, z are open grids of average-head mm."""

    labels: NDArray[np.uint8]
    x: Array
    y: Array
    z: Array
    where: tuple[slice, slice, slice]


class Canvas:
    """Labels on a lattice of `step` mm, with the coordinates an average head would have there.

    The head's own size and asymmetry live in the map between both (`average_to_head`), so anatomy is written once.
    """

    def __init__(self, parameters: HeadParameters, step: float) -> None:
        self.parameters, self.step = parameters, step
        self._low = [np.floor(lo * s / (2 * step)) * 2 * step for lo, s in zip(LOW, parameters.scale, strict=True)]
        counts = [
            2 * int(np.ceil((hi * s - lo) / (2 * step))) + 1 for hi, s, lo in zip(HIGH, parameters.scale, self._low, strict=True)
        ]
        self.labels = np.zeros(counts[::-1], np.uint8)
        self.x, self.y, self.z = self._coordinates([lo + np.arange(n) * step for lo, n in zip(self._low, counts, strict=True)])

    def _coordinates(self, mm: list[FloatArray]) -> tuple[Array, Array, Array]:
        p = self.parameters
        width, length, height = p.scale
        x = mm[0] / (width * np.where(mm[0] > 0, 1 + p.side, 1 - p.side))
        y = (mm[1][:, None] - p.torque * mm[0][None, :]) / length
        z = mm[2] / height
        return (x[None, None, :].astype(np.float32), y[None].astype(np.float32), z[:, None, None].astype(np.float32))

    def average_to_head(self, point: Point) -> Point:
        """Where a point of the average head (mm) lies in this head, before its pose."""
        p = self.parameters
        x = point[0] * p.scale[0] * (1 + p.side if point[0] > 0 else 1 - p.side)
        return x, point[1] * p.scale[1] + p.torque * x, point[2] * p.scale[2]

    @property
    def pose(self) -> FloatArray:
        """(4, 4): the head's own mm -> patient space (LPS mm)."""
        return rigid_transform(self.parameters.pose_degrees, self.parameters.pose_mm)

    @property
    def geometry(self) -> Geometry:
        """The lattice of the tissue map in patient space."""
        own = Geometry(self.labels.shape, (self.step,) * 3, (self._low[0], self._low[1], self._low[2]))
        return Geometry.from_affine(own.shape, self.pose @ own.affine)

    def patch(self, low: Point, high: Point) -> Patch:
        """The part of the canvas between two corners of the average head, with a little room around."""
        axes = (self.z[:, 0, 0], self.y[0, :, self.y.shape[2] // 2], self.x[0, 0])
        k, j, i = (
            slice(int(np.searchsorted(axis, lo - _SLACK_MM)), int(np.searchsorted(axis, hi + _SLACK_MM)))
            for axis, lo, hi in zip(axes, low[::-1], high[::-1], strict=True)
        )
        return Patch(self.labels[k, j, i], self.x[:, :, i], self.y[:, j, i], self.z[k], (k, j, i))

    def paint(
        self, tissue: Tissue, shapes: Iterable[Shape], *, grow: float = 0.0, over: Iterable[Tissue] | None = None
    ) -> None:
        """Gives `tissue` to what lies inside the shapes grown by `grow` mm, where the label so far is one of `over` (all)."""
        allowed = None if over is None else _membership(over)
        for shape in shapes:
            low, high = shape.bounds()
            (a, b, c), (d, e, f), reach = low, high, max(grow, 0.0)
            patch = self.patch((a - reach, b - reach, c - reach), (d + reach, e + reach, f + reach))
            inside = shape.distance(patch.x, patch.y, patch.z) < grow
            patch.labels[inside if allowed is None else inside & allowed[patch.labels]] = tissue

    def paint_hollow(self, wall: Tissue, inside: Tissue, shapes: Iterable[Shape], thickness: float) -> None:
        """A wall of `thickness` mm (at least what the lattice can show) around a filling; the shape is the filling."""
        shapes = tuple(shapes)
        self.paint(wall, shapes, grow=self.visible(thickness))
        self.paint(inside, shapes)

    def visible(self, thickness: float) -> float:
        """The thickness a sheet needs so that the lattice does not tear holes into it."""
        return max(thickness, 0.8 * self.step)


def _membership(tissues: Iterable[Tissue]) -> NDArray[np.bool_]:
    table = np.zeros(256, bool)
    table[[int(t) for t in tissues]] = True
    return table
