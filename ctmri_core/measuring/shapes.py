"""Shapes that a person draws on a slice. They lie in the patient, so they stay where they are whatever shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctmri_core.geometry import FloatArray, Geometry, Triple
from ctmri_core.measuring.polygon import polygon_area, polygon_mask

_ELLIPSE_POINTS = 96
_ON_THE_LINE = 1e-9


class Kind(StrEnum):
    """What is measured."""

    LENGTH = "length"
    ANGLE = "angle"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    FREEHAND = "freehand"

    @property
    def is_region(self) -> bool:
        """Whether it has an inside."""
        return self in (Kind.RECTANGLE, Kind.ELLIPSE, Kind.FREEHAND)


_POINTS = {Kind.LENGTH: 2, Kind.ANGLE: 3, Kind.RECTANGLE: 4, Kind.ELLIPSE: 4}


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape on one plane of the patient. It never changes; two are the same only if they are one object.

    `points`: LPS mm. Length: both ends; angle: an arm's end, the vertex, the other arm's end; rectangle: its corners in turn;
    ellipse: the corners of the rectangle around it; freehand: its outline, closed from the last point to the first.
    `lattice`: the slice it was drawn on, of shape (1, rows, columns): axis 0 is the normal of the shape's plane, and volumes of
    which no slice lies on that plane are sampled at its points (continued beyond its edges).
    Raises `ValueError` for another number of points, points that are no numbers, or a lattice of several slices.
    """

    kind: Kind
    points: tuple[Triple, ...]
    lattice: Geometry

    def __post_init__(self) -> None:
        expected = _POINTS.get(self.kind)
        if len(self.points) != expected if expected else len(self.points) < 3:
            raise ValueError(f"A {self.kind} of {len(self.points)} points is none.")
        if self.lattice.shape[0] != 1:
            raise ValueError(f"A shape lies on one slice, not on {self.lattice.shape[0]}.")
        object.__setattr__(self, "points", triples(self.points))
        if not np.isfinite(self.points).all():
            raise ValueError("A point of the shape is not finite.")

    @classmethod
    def box(cls, kind: Kind, corner: ArrayLike, opposite: ArrayLike, lattice: Geometry) -> Shape:
        """A rectangle, or the ellipse in it, along rows and columns of `lattice`, from one corner to the opposite one."""
        first, last = np.asarray(corner, np.float64), np.asarray(opposite, np.float64)
        down = (last - first) @ lattice.axes[1] * lattice.axes[1]
        return cls(kind, triples((first, first + down, last, last - down)), lattice)

    @property
    def normal(self) -> FloatArray:
        """LPS unit vector at right angles to the plane."""
        normal: FloatArray = self.lattice.axes[0]
        return normal

    @cached_property
    def array(self) -> FloatArray:
        """(n, 3): `points`."""
        return np.asarray(self.points, np.float64)

    @property
    def centre(self) -> FloatArray:
        """LPS mm of the middle of the points' bounding box in the plane."""
        across = self.array @ self.lattice.axes.T
        middle: FloatArray = (across.min(axis=0) + across.max(axis=0)) / 2 @ self.lattice.axes
        return middle

    @cached_property
    def outline(self) -> FloatArray:
        """(n, 3) LPS mm, to be drawn and for bounds: the points in turn, of an ellipse points on it."""
        if self.kind is not Kind.ELLIPSE:
            return self.array
        middle, half_one, half_other = self._ellipse
        turn = np.linspace(0, 2 * np.pi, _ELLIPSE_POINTS, endpoint=False)[:, None]
        outline: FloatArray = middle + np.cos(turn) * half_one + np.sin(turn) * half_other
        return outline

    @property
    def length_mm(self) -> float | None:
        """From end to end, in space; None of other shapes."""
        return float(np.linalg.norm(self.array[1] - self.array[0])) if self.kind is Kind.LENGTH else None

    @property
    def angle_degrees(self) -> float | None:
        """Between the arms, 0 to 180; not a number where an arm has no length, None of other shapes."""
        if self.kind is not Kind.ANGLE:
            return None
        one, other = self.array[0] - self.array[1], self.array[2] - self.array[1]
        across, along = np.linalg.norm(np.cross(one, other)), one @ other
        return float(np.degrees(np.arctan2(across, along))) if across or along else float("nan")

    @cached_property
    def area_mm2(self) -> float | None:
        """Of the drawn shape itself, not of voxels; None without an inside. What a freehand outline encloses counts once,
        however often the outline goes around it."""
        if self.kind is Kind.ELLIPSE:
            _, half_one, half_other = self._ellipse
            return float(np.pi * np.linalg.norm(half_one) * np.linalg.norm(half_other))
        return polygon_area(self.array @ self.lattice.axes[1:].T) if self.kind.is_region else None

    def mask_on(self, plane: Geometry) -> NDArray[np.bool_]:
        """bool (rows, columns): which points of `plane`, a lattice of one slice, lie inside along the shape's normal."""
        if not self.kind.is_region:
            return np.zeros(plane.shape[1:], np.bool_)
        if self.kind is not Kind.ELLIPSE:
            return polygon_mask(plane.mm_to_index(self.array)[:, 1:], plane.shape[1:])
        middle, half_one, half_other = self._ellipse
        index = np.stack(np.meshgrid([0], *(np.arange(n) for n in plane.shape[1:]), indexing="ij"), -1)[0]
        away = plane.index_to_mm(index) - middle
        one, other = (away @ half / max(float(half @ half), 1e-12) for half in (half_one, half_other))
        inside: NDArray[np.bool_] = one**2 + other**2 <= 1.0 + _ON_THE_LINE
        return inside

    def moved(self, mm: ArrayLike) -> Shape:
        """By a vector (LPS mm); the lattice stays."""
        return replace(self, points=triples(self.array + np.asarray(mm, np.float64)))

    @property
    def _ellipse(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Centre and both half axes."""
        first, second, third, _ = self.array
        return (first + third) / 2, (second - first) / 2, (third - second) / 2


def triples(points: ArrayLike | Iterable[ArrayLike]) -> tuple[Triple, ...]:
    """Points as plain numbers."""
    return tuple((float(x), float(y), float(z)) for x, y, z in np.asarray(points, np.float64).reshape(-1, 3))
