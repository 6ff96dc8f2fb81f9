"""Two volumes and the body sampled on the same voxels, wherever they are to be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.comparison.scores import REACH, Compared
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.resample import lattices_coincide, resample_array, sample_lattice
from ctmri_core.volume import Volume

Box = tuple[tuple[int, int, int], tuple[int, int, int]]
"""First (k, j, i), and the one behind the last."""
Samples = NDArray[np.float32]
_Mask = NDArray[np.bool_]


class Reference:
    """What images are compared with: `truth`, in `body`, which is on the lattice `grid` of coarse cells.

    The samples of the last lattice are kept, so that of several images on one lattice only the first has to wait for them. Any
    thread may ask.
    """

    def __init__(self, truth: Volume, body: _Mask, grid: Geometry) -> None:
        self.geometry = truth.geometry
        self._truth, self._body, self._grid = truth, body.astype(np.float32), grid
        self._cells = None if not body.any() else _bounds(body)
        self._last_body: tuple[Geometry, _Mask] | None = None
        self._last_truth: tuple[Geometry, Samples] | None = None

    def body_on(self, lattice: Geometry) -> _Mask:
        known = self._last_body  # looked at once: another thread may put another one there
        if known is None or known[0] != lattice:
            known = self._last_body = lattice, resample_array(self._body, self._grid, lattice) >= 0.5
        return known[1]

    def truth_on(self, lattice: Geometry) -> Samples:
        """Not a number outside the truth."""
        known = self._last_truth
        if known is None or known[0] != lattice:
            known = self._last_truth = lattice, sample_lattice(self._truth, lattice, np.nan)
        return known[1]

    def box_of_body(self, lattice: Geometry) -> Box | None:
        """What of a lattice may hold the body or a window centred in it; None where nothing can."""
        if self._cells is None:
            return None
        ends = np.asarray(self._cells) - ((1, 1, 1), (0, 0, 0))  # interpolated up to the next cell
        corners = np.stack(np.meshgrid(*ends.T, indexing="ij"), -1).reshape(8, 3)
        index = lattice.mm_to_index(self._grid.index_to_mm(corners))
        low = np.maximum(np.floor(index.min(0)) - REACH, 0).astype(int)
        high = np.minimum(np.ceil(index.max(0)) + REACH + 1, lattice.shape).astype(int)
        return (tuple(low.tolist()), tuple(high.tolist())) if (high > low).all() else None


class SampledPair:
    """An image and its reference. Lattices count slices along axis 0 and may lie anywhere."""

    def __init__(self, synthetic: Volume, reference: Reference) -> None:
        self._synthetic, self._reference = synthetic, reference

    def box_of_body(self, lattice: Geometry) -> Box | None:
        """See `Reference.box_of_body`."""
        return self._reference.box_of_body(lattice)

    def inside_body(self, lattice: Geometry) -> Compared:
        """On the whole lattice."""
        return self._compared(lattice, self._reference.body_on(lattice), None, alone=True, where="body only")

    def inside_body_closely(self, lattice: Geometry, truth: Samples | None = None) -> Compared | None:
        """On as many rows and columns as the body takes there, with the reach of a window; None where it is not."""
        body = self._reference.body_on(lattice)
        if not body.any():
            return None
        (_, j, i), (_, rows, columns) = _widened(_bounds(body), body.shape)
        box: Box = ((0, j, i), (len(body), rows, columns))
        at_hand = None if truth is None else truth[_slices(box)]
        return self._compared(lattice.cropped(*_start_and_size(box)), body[_slices(box)], at_hand, alone=True, where="body only")

    def everywhere(self, lattice: Geometry, truth: Samples | None = None) -> Compared:
        """Wherever both volumes are."""
        return self._compared(lattice, np.ones(lattice.shape, np.bool_), truth, alone=False, where="whole slice")

    def in_region(self, lattice: Geometry, region: _Mask) -> Compared | None:
        """In `region`, boolean on the lattice; windows at its edge see what lies beyond. None for an empty one."""
        if not region.any():
            return None
        box = _widened(_bounds(region), region.shape)
        part = lattice.cropped(*_start_and_size(box))
        return self._compared(part, region[_slices(box)], None, alone=False, where="region, body or not")

    def _compared(self, lattice: Geometry, mask: _Mask, truth: Samples | None, *, alone: bool, where: str) -> Compared:
        """`truth`: on this lattice, where it is at hand."""
        truth = self._reference.truth_on(lattice) if truth is None else _only_within(self._reference.geometry, lattice, truth)
        synthetic = sample_lattice(self._synthetic, lattice, np.nan)
        if not lattices_coincide(self._synthetic.geometry, lattice):
            where = f"{where}; both resampled (linear) to this plane"
        elif not lattices_coincide(self._reference.geometry, lattice):
            where = f"{where}; truth resampled (linear) to source's grid"
        return Compared(synthetic, truth, mask, alone, where)


def _bounds(mask: _Mask) -> Box:
    low, high = [], []
    for axis in range(3):
        found = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        low.append(int(found[0]))
        high.append(int(found[-1]) + 1)
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _widened(box: Box, shape: tuple[int, ...]) -> Box:
    """With the windows centred in it."""
    low = [max(n - REACH, 0) for n in box[0]]
    high = [min(n + REACH, size) for n, size in zip(box[1], shape, strict=True)]
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _slices(box: Box) -> tuple[slice, slice, slice]:
    k, j, i = (slice(low, high) for low, high in zip(*box, strict=True))
    return k, j, i


def _start_and_size(box: Box) -> tuple[tuple[int, int, int], list[int]]:
    return box[0], [high - low for low, high in zip(*box, strict=True)]


def _only_within(volume: Geometry, lattice: Geometry, samples: Samples) -> Samples:
    """Not a number at points of the lattice that lie outside the volume, whatever its samples hold there."""
    corners = volume.mm_to_index(lattice.corners)
    if (corners >= -0.5).all() and (corners < np.asarray(volume.shape) - 0.5).all():
        return samples
    whole = Geometry((1, 1, 1), volume.extent, tuple(volume.centre), volume.direction)
    seen: _Mask = resample_array(np.ones((1, 1, 1), np.bool_), whole, lattice)
    return np.where(seen, samples, np.float32(np.nan))
