"""A brush for masks: sets the voxels near a line, a stroke at a time, and tells which ones it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry

Labels = NDArray[np.uint8]
Changed = NDArray[np.signedinteger[Any]]
"""Places in the flat array, each once."""
_ROUNDING = 1e-6
_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class Brush:
    """A ball of `radius_mm`, or with a `normal` (unit vector, LPS) a disc across it, one layer of voxels or `layer_mm` thick."""

    radius_mm: float
    normal: tuple[float, float, float] | None = None
    layer_mm: float = 0.0

    def stroke(
        self, labels: Labels, geometry: Geometry, start: FloatArray, end: FloatArray, value: int, only: int | None = None
    ) -> Changed:
        """Sets to `value` whatever the brush goes over from `start` to `end` (LPS mm; of a disc, in its plane).

        `labels`: (k, j, i) on `geometry`, C-contiguous; only the box about the stroke is looked at. The voxels under the line
        are set however fine the brush is; with `only`, those alone that have that value. Returns those that had another value:
        the stroke is taken back by giving it to them.
        """
        spacing = np.asarray(geometry.spacing)
        ends = geometry.mm_to_index(np.stack([start, end]))
        box = self._box(ends, geometry)
        if any(part.stop <= part.start for part in box):
            return np.zeros(0, np.int32)
        part, (slices, rows, columns) = labels[box], box
        inside = np.empty(part.shape, np.bool_)
        step = max(_AT_ONCE // (part.shape[1] * part.shape[2]), 1)
        for first in range(0, len(part), step):  # a few slices at a time stay in the processor's cache
            slab = slice(slices.start + first, min(slices.start + first + step, slices.stop))
            inside[first : first + step] = self._covers(ends * spacing, (slab, rows, columns), geometry)
        _mark_line(inside, ends, box)
        inside &= (part != value) if only is None else (part == only)
        where = np.nonzero(inside)
        part[where] = value
        flat = np.ravel_multi_index(tuple(found + side.start for found, side in zip(where, box, strict=True)), labels.shape)
        changed: Changed = flat.astype(np.int32 if labels.size < 2**31 else np.int64)
        return changed

    def _box(self, ends: FloatArray, geometry: Geometry) -> tuple[slice, slice, slice]:
        """The voxels that may be covered, as far as there are any; one more on each side for those under the line."""
        along = self._along(geometry)
        reach = self.radius_mm * np.sqrt(np.clip(1 - along**2, 0, 1)) + self._half_layer(geometry) * np.abs(along)
        steps = reach / np.asarray(geometry.spacing) + 0.5
        low = np.maximum(np.floor(ends.min(0) - steps), 0).astype(int)
        high = np.minimum(np.ceil(ends.max(0) + steps) + 1, geometry.shape).astype(int)
        k, j, i = (slice(int(first), int(stop)) for first, stop in zip(low, high, strict=True))
        return k, j, i

    def _covers(self, ends: FloatArray, box: tuple[slice, slice, slice], geometry: Geometry) -> NDArray[np.bool_]:
        """Of the voxels of `box`: whether their centres are near enough to the line between `ends` (mm along the grid's axes)."""
        start, way = ends[0], ends[1] - ends[0]
        places = np.ogrid[box]
        away = [place * edge - first for place, edge, first in zip(places, geometry.spacing, start, strict=True)]
        length = float(way @ way)
        gone = np.clip(sum(a * w for a, w in zip(away, way, strict=True)) / length, 0, 1) if length > 0 else 0.0
        apart = sum((a - gone * w) ** 2 for a, w in zip(away, way, strict=True))
        if self.normal is None:
            return np.asarray(apart <= self.radius_mm**2 * (1 + _ROUNDING))
        above = sum(a * n for a, n in zip(away, self._along(geometry), strict=True))
        half = self._half_layer(geometry)
        # Of two layers just as far from the plane it is one
        layer = (above > -half * (1 - _ROUNDING)) & (above <= half * (1 + _ROUNDING))
        return np.asarray(layer & (apart - above**2 <= self.radius_mm**2 * (1 + _ROUNDING)))

    def _along(self, geometry: Geometry) -> FloatArray:
        """How far each axis of the grid goes along the normal; nothing of a ball."""
        return np.zeros(3) if self.normal is None else geometry.axes @ np.asarray(self.normal)

    def _half_layer(self, geometry: Geometry) -> float:
        """As thick as a voxel is along the normal, so that a plane meets no gaps."""
        return max(self.layer_mm, float(np.abs(self._along(geometry)) @ np.asarray(geometry.spacing))) / 2


def _mark_line(inside: NDArray[np.bool_], ends: FloatArray, box: tuple[slice, slice, slice]) -> None:
    """The voxels in which points of the line lie, two for each voxel's length."""
    count = 2 * int(np.ceil(np.abs(ends[1] - ends[0]).max())) + 1
    points = np.rint(np.linspace(ends[0], ends[1], count)).astype(int) - [side.start for side in box]
    points = points[((points >= 0) & (points < inside.shape)).all(1)]
    inside[tuple(points.T)] = True
