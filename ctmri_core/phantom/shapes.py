"""Signed distances (mm, negative inside) to the few solids from which the anatomy is put together.

Points are open grids: three float32 arrays x, y, z that broadcast against each other to (k, j, i).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Point = tuple[float, float, float]


class Shape(Protocol):
    """A solid with a known bounding box."""

    def bounds(self) -> tuple[Point, Point]:
        """Lowest and highest corner (x, y, z)."""

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Approximate signed distance in mm."""

    def mirrored(self) -> Shape:
        """The same solid on the other side (x negated)."""


@dataclass(frozen=True)
class Ellipsoid:
    """`radii` along x, y, z; `power` above 2 makes it boxier; turned by `turn` degrees about z, then `tilt` about x."""

    centre: Point
    radii: Point
    power: float = 2.0
    turn: float = 0.0
    tilt: float = 0.0

    def bounds(self) -> tuple[Point, Point]:
        reach = [max(self.radii)] * 3 if self.turn or self.tilt else list(self.radii)
        low, high = zip(*[(c - r, c + r) for c, r in zip(self.centre, reach, strict=True)], strict=True)
        return low, high

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        u, v, w = (p - np.float32(c) for p, c in zip((x, y, z), self.centre, strict=True))
        if self.turn:
            c, s = (np.float32(f(np.deg2rad(self.turn))) for f in (np.cos, np.sin))
            u, v = c * u + s * v, c * v - s * u
        if self.tilt:
            c, s = (np.float32(f(np.deg2rad(self.tilt))) for f in (np.cos, np.sin))
            v, w = c * v + s * w, c * w - s * v
        n = np.float32(self.power)
        a, b, c3 = (np.float32(r) for r in self.radii)
        if self.power == 2.0:
            level = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c3) ** 2)
        else:
            level = (np.abs(u / a) ** n + np.abs(v / b) ** n + np.abs(w / c3) ** n) ** (1 / n)
        length = np.sqrt(u * u + v * v + w * w)
        return np.asarray(length * (1 - 1 / np.maximum(level, np.float32(1e-3))), np.float32)  # along the ray from the centre

    def mirrored(self) -> Ellipsoid:
        return replace(self, centre=(-self.centre[0], *self.centre[1:]), turn=-self.turn)


@dataclass(frozen=True)
class Tube:
    """A round-ended tube along a polyline, with a radius at each point; `flat` stretches its section along x, y, z."""

    points: tuple[Point, ...]
    radii: tuple[float, ...]
    flat: Point = (1.0, 1.0, 1.0)

    def bounds(self) -> tuple[Point, Point]:
        p, r = np.asarray(self.points), np.asarray(self.radii)[:, None] * np.asarray(self.flat)
        low, high = (p - r).min(0), (p + r).max(0)
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        scaled = [p / np.float32(f) for p, f in zip((x, y, z), self.flat, strict=True)]
        points = np.asarray(self.points, np.float32) / np.asarray(self.flat, np.float32)
        result: Array | None = None
        for n in range(len(points) - 1):
            part = _segment(scaled, points[n], points[n + 1], self.radii[n], self.radii[n + 1])
            result = part if result is None else np.minimum(result, part)
        if result is None:
            raise ValueError("a tube needs two points")
        return result * np.float32(min(self.flat))

    def mirrored(self) -> Tube:
        return replace(self, points=tuple((-a, b, c) for a, b, c in self.points))


def _segment(p: Sequence[Array], start: Array, end: Array, radius: float, end_radius: float) -> Array:
    along = end - start
    length2 = max(float((along**2).sum()), 1e-6)
    offsets = [q - s for q, s in zip(p, start, strict=True)]
    t = np.clip(sum(o * a for o, a in zip(offsets, along, strict=True)) / np.float32(length2), 0, 1)
    square = sum((o - t * a) ** 2 for o, a in zip(offsets, along, strict=True))
    return np.asarray(np.sqrt(square) - (np.float32(radius) + t * np.float32(end_radius - radius)), np.float32)


def smooth_min(a: Array, b: Array, width: float) -> Array:
    """The lesser of two distances with the crease rounded over `width` mm (quadratic blend)."""
    overlap = np.maximum(np.float32(width) - np.abs(a - b), 0)
    return np.asarray(np.minimum(a, b) - overlap * overlap * np.float32(0.25 / width), np.float32)


def smooth_max(a: Array, b: Array, width: float) -> Array:
    """The greater of two distances with the crease rounded over `width` mm."""
    return -smooth_min(-a, -b, width)


def both(*shapes: Shape) -> tuple[Shape, ...]:
    """The shapes, which lie on the left, followed by their mirror images."""
    return (*shapes, *(shape.mirrored() for shape in shapes))
