"""How often the values of two volumes occur together, in a region, on a slice or in the body."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.measuring.shapes import Shape
from ctmri_core.measuring.statistics import around, own_slice
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.resample import resample_array, sample_plane
from ctmri_core.volume import Volume

_BINS = 128
_CELL_MM = 4.0
_MOST_VALUES = 2_000_000
_ALL_BUT = (0.1, 99.9)


@dataclass(frozen=True)
class JointHistogram:
    """`counts`: int64 (bins of the one, bins of the other), with their edges. `pairs`: how many values were paired; those
    outside the edges, which hold all but the outermost 0.1 % of each volume on either side, are in no bin."""

    counts: NDArray[np.int64]
    one_edges: FloatArray
    other_edges: FloatArray
    pairs: int


Pairs = tuple[NDArray[Any], NDArray[Any]]
"""Values of the one and of the other volume at the same places, (n,) each."""


def joint_histogram(pairs: Pairs, bins: int = _BINS) -> JointHistogram | None:
    """None where nothing is paired."""
    one, other = pairs
    if not len(one):
        return None
    edges = [_edges(values, bins) for values in pairs]
    counts = np.histogram2d(one, other, bins=edges)[0].astype(np.int64)
    return JointHistogram(counts, edges[0], edges[1], len(one))


def pairs_in_region(one: Volume, other: Volume, shape: Shape) -> Pairs:
    """At the one's own voxels where a slice of it lies on the region's plane, else at the lattice the region was drawn on."""
    own = own_slice(shape.outline, shape.lattice, one)
    part = around(shape.lattice, shape.outline) if own is None else own[0]
    return _pairs_on(one, other, part, shape.mask_on(part))


def pairs_on_slice(one: Volume, other: Volume, plane: Geometry) -> Pairs:
    """At the points of `plane`, a lattice of one slice."""
    return _pairs_on(one, other, plane, np.ones(plane.shape[1:], np.bool_))


def pairs_in_body(one: Volume, other: Volume) -> Pairs:
    """At the one's own voxels inside its body; of every n-th slice where there are more than two million."""
    pairs = list(_of_slices(one, other))
    if not pairs:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _of_slices(one: Volume, other: Volume) -> Iterator[Pairs]:
    body, grid = coarse_body_mask(one, _CELL_MM)
    slices, rows, columns = one.geometry.shape
    inside = float(body.mean()) * slices * rows * columns
    for k in range(0, slices, max(1, math.ceil(inside / _MOST_VALUES))):
        plane = one.geometry.cropped((k, 0, 0), (1, rows, columns))
        mask = resample_array(body.astype(np.float32), grid, plane)[0] >= 0.5
        if mask.any():
            yield _pairs_on(one, other, plane, mask)


def _pairs_on(one: Volume, other: Volume, plane: Geometry, mask: NDArray[np.bool_]) -> Pairs:
    """Where both volumes have values."""
    first, second = (sample_plane(volume, plane, outside=np.nan)[mask] for volume in (one, other))
    both = np.isfinite(first) & np.isfinite(second)
    return first[both], second[both]


def _edges(values: NDArray[Any], bins: int) -> FloatArray:
    low, high = (float(edge) for edge in np.percentile(values, _ALL_BUT))
    if not high > low:
        low, high = low - 0.5, low + 0.5
    return np.linspace(low, high, bins + 1)
