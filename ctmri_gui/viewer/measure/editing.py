"""Taking hold of a shape: where it can be taken, and what becomes of it. Knows no widget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray
from ctmri_core.measuring.shapes import Kind, Shape, triples

WHOLE = -1
_HANDLE_PIXELS, _LINE_PIXELS = 9.0, 6.0
_SMALLEST_MM = 0.01

Pixels = NDArray[np.float64]


def handles(shape: Shape) -> FloatArray:
    """(n, 3) LPS mm: the points that can be dragged; a freehand outline is moved as a whole."""
    return shape.array[:0] if shape.kind is Kind.FREEHAND else shape.array


def part_at(at: tuple[float, float], outline: Pixels, grips: Pixels, *, closed: bool) -> int | None:
    """What of a shape lies under the mouse: the number of a handle, `WHOLE` for its line, or nothing. In pixels, (n, 2) each."""
    place = np.asarray(at, np.float64)
    if len(grips):
        away = np.linalg.norm(grips - place, axis=1)
        if away.min() <= _HANDLE_PIXELS:
            return int(np.argmin(away))
    ends = np.roll(outline, -1, axis=0) if closed else outline[1:]
    return WHOLE if _distance(place, outline[: len(ends)], ends) <= _LINE_PIXELS else None


def dragged(shape: Shape, part: int, start: FloatArray, mm: FloatArray) -> Shape:
    """`shape` after its handle `part`, or all of it, was dragged from `start` to `mm`; it stays on its plane."""
    normal = shape.normal
    flat = mm - (mm - start) @ normal * normal
    if part == WHOLE:
        return shape.moved(flat - start)
    points = shape.array.copy()
    points[part] = points[part] + (flat - start)
    if shape.kind not in (Kind.RECTANGLE, Kind.ELLIPSE):
        return replace(shape, points=triples(points))
    opposite = points[(part + 2) % 4]
    sides = np.abs((points[part] - opposite) @ shape.lattice.axes[1:].T)
    return shape if sides.min() < _SMALLEST_MM else Shape.box(shape.kind, opposite, points[part], shape.lattice)


def grown(shape: Shape, right: float, down: float, steps: Iterable[FloatArray]) -> Shape:
    """A shape whose last point (of a box the corner opposite to the first) goes by so many mm along `steps` (right, down)."""
    to_right, to_down = steps
    part = {Kind.LENGTH: 1, Kind.ANGLE: 2}.get(shape.kind, 2)
    start = shape.array[part]
    return shape if shape.kind is Kind.FREEHAND else dragged(shape, part, start, start + right * to_right + down * to_down)


def _distance(place: Pixels, starts: Pixels, ends: Pixels) -> float:
    """From a place to the nearest of some lines."""
    along = ends - starts
    share = ((place - starts) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-12)
    nearest = starts + np.clip(share, 0, 1)[:, None] * along
    return float(np.linalg.norm(nearest - place, axis=1).min())
