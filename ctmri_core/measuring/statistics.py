"""The numbers of a volume under a region.

Which values count: where a slice of the volume itself lies on the region's plane, its own voxels, as they are in the file, whose
centres lie inside the region; else trilinear samples of the volume at those points of the lattice on which the region was drawn
that lie inside it. Values beyond the volume, and those that are no number, are left out and counted as missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.measuring.shapes import Shape
from ctmri_core.preprocess.resample import sample_plane
from ctmri_core.volume import Volume

_ON_THE_SLICE = 0.02  # of the distance of slices


class Sampling(StrEnum):
    """Where values come from."""

    VOXELS = "voxels"
    SAMPLES = "trilinear samples"


@dataclass(frozen=True)
class Values:
    """`values`: float64 (n,), finite. `missing`: how many more lie inside the region but not in the volume."""

    values: FloatArray
    sampling: Sampling
    missing: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """In the volume's unit. `sd` divides by n - 1 and is no number for one value; `count`: of the values."""

    mean: float
    sd: float
    minimum: float
    maximum: float
    count: int
    missing: int
    sampling: Sampling


def region_statistics(shape: Shape, volume: Volume) -> Statistics | None:
    """Of the volume's values under `shape`; None where it has none there (no voxel centre inside, or none of the volume)."""
    found = region_values(shape, volume)
    values = found.values
    if not values.size:
        return None
    spread = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    low, high = float(values.min()), float(values.max())
    return Statistics(float(values.mean()), spread, low, high, values.size, found.missing, found.sampling)


def region_values(shape: Shape, volume: Volume) -> Values:
    """The volume's values under a region; none under a shape without an inside."""
    own = own_slice(shape.outline, shape.lattice, volume)
    part, picture, sampling = (*own, Sampling.VOXELS) if own is not None else _sampled(shape, volume)
    values = picture[shape.mask_on(part)].astype(np.float64)
    finite = np.isfinite(values)
    return Values(values[finite], sampling, int(values.size - np.count_nonzero(finite)))


def own_slice(outline: FloatArray, plane: Geometry, volume: Volume) -> tuple[Geometry, NDArray[Any]] | None:
    """The part of the volume's own slice around `outline`, points (n, 3) in LPS mm of `plane`, with its lattice; None where no
    slice along any axis of the volume lies on that plane there. Beyond the volume: not a number."""
    axis = int(np.argmax(np.abs(volume.geometry.axes @ plane.axes[0])))
    places = volume.geometry.mm_to_index(outline)[:, axis]
    k = round(float(places.mean()))
    if not 0 <= k < volume.geometry.shape[axis] or np.abs(places - k).max() > _ON_THE_SLICE:
        return None
    order = (axis, *(n for n in range(3) if n != axis))
    grid, voxels = volume.geometry.permuted(order, (False,) * 3), volume.voxels.transpose(order)
    _, rows, columns = grid.shape
    part = around(grid.cropped((k, 0, 0), (1, rows, columns)), outline)
    return part, _cut(voxels[k], grid, part)


def around(plane: Geometry, outline: FloatArray) -> Geometry:
    """The points of the lattice of `plane`, continued beyond its edges, in the box around `outline` (n, 3), LPS mm."""
    index = plane.mm_to_index(outline)[:, 1:]
    first, last = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int)
    rows, columns = (last - first + 1).tolist()
    return plane.cropped((0, *first.tolist()), (1, rows, columns))


def _sampled(shape: Shape, volume: Volume) -> tuple[Geometry, NDArray[Any], Sampling]:
    part = around(shape.lattice, shape.outline)
    return part, sample_plane(volume, part, outside=np.nan), Sampling.SAMPLES


def _cut(slice_: NDArray[Any], grid: Geometry, part: Geometry) -> NDArray[Any]:
    """`slice_` of `grid` where `part`, of the same lattice, lies; not a number beyond it."""
    start = np.rint(grid.mm_to_index(part.origin))[1:].astype(int)
    picture = np.full(part.shape[1:], np.nan, np.float64)
    low = np.maximum(start, 0)
    high = np.minimum(start + picture.shape, slice_.shape)
    if (low < high).all():
        inside = slice_[low[0] : high[0], low[1] : high[1]]
        picture[low[0] - start[0] : high[0] - start[0], low[1] - start[1] : high[1] - start[1]] = inside
    return picture
