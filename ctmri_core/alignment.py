"""Whether two volumes of one patient lie on each other, whatever they show, and if not, how far apart they lie.

The second volume is moved in small steps as long as the mutual information with the first one grows; how far it went is how far
it lay beside it. What cannot be told is not looked for: shifts along a thin slab's short axis, tilts of a stack of thick slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.metrics.alignment import binned_information, outline_dice, rank_edges
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.resample import coarsened, resample_array
from ctmri_core.volume import Volume

LEAST_INFORMATION = 1.10
"""Mutual information of volumes of one patient that lie on each other. 150 head slices of three centres have 1.12 or more, a pork
phantom 1.12, digital heads 1.2; a head on another person's 1.08, on a trunk 1.05. Where a window has cut CT it says nothing:
1.06 to 1.11.
"""
# Calibrated on real pairs; docs/measured.md has the table.
_LEAST_OUTLINE = 0.80
_LEAST_GAIN = 1.15
_MOST_MM = 3.0
MIRRORED_GAIN = 1.03
_STEPS_MM = (8.0, 4.0, 2.0, 1.0)
_MOST_ROUNDS = 12
_HEAD_RADIUS_MM = 95.0
_BINS = 16
_CELL_MM, _FINE_CELL_MM, _FEWEST_CELLS = 3.5, 2.0, 20_000
_MARGIN_MM = 10.0
_LEAST_COMMON = 0.10
_LEAST_KEPT = 0.6  # of the common part, after a move
_THIN_MM = 40.0
_THICK_SLICE_MM = 6.0


@dataclass(frozen=True, slots=True)
class Alignment:
    """`mutual_information`: normalized, 1 to 2, where the volumes lie; `best`: the most that was found near by, `displacement_mm`
    away (root mean square over the body)."""

    state: Literal["good", "not aligned", "no overlap"]
    outline_dice: float
    mutual_information: float
    best: float
    displacement_mm: float

    @property
    def good(self) -> bool:
        """Whether they lie on each other as far as can be told."""
        return self.state == "good"

    @property
    def numbers(self) -> str:
        """In words fit to be printed behind a sentence."""
        numbers = f"outline overlap {self.outline_dice:.2f}, mutual information {self.mutual_information:.2f}"
        beside = f", about {self.displacement_mm:.0f} mm beside each other" if self.state == "not aligned" else ""
        return numbers + (beside if self.displacement_mm >= 1 else "")


def alignment_of(source: Volume, other: Volume) -> Alignment:
    """How `other` lies on `source`."""
    return CoarsePair(source, other).alignment()


def looks_mirrored(source: Volume, other: Volume, alignment: Alignment) -> bool:
    """Whether `other` fits `source` better with left and right exchanged than as it is, with the `alignment_of` both.

    What lies far off may fit either way by chance, so there it takes more to say so.
    """
    return CoarsePair(source, other).looks_mirrored(alignment)


def mirrored(volume: Volume) -> Volume:
    """Left and right exchanged about the middle of the grid; voxels are left as they are."""
    return replace(volume, geometry=_exchanged(volume.geometry, float(volume.geometry.centre[0])))


def _exchanged(geometry: Geometry, middle: float) -> Geometry:
    """Left and right exchanged about `middle`, mm."""
    mirror = np.diag((-1.0, 1.0, 1.0, 1.0))
    mirror[0, 3] = 2 * middle
    return Geometry.from_affine(geometry.shape, mirror @ geometry.affine)


def _thick(grid: Geometry, cell: float) -> Geometry:
    """A single slice is taken to be as thick as a cell, or it might lie between two."""
    k, j, i = (max(size, cell) if count == 1 else size for size, count in zip(grid.spacing, grid.shape, strict=True))
    return replace(grid, spacing=(k, j, i))


class CoarsePair:
    """Two volumes in cells of a few millimetres, `body` on the lattice `grid` of the first. A body larger than a head (or in
    pictures whose pixels are smaller than is said) gets larger cells, steps and tolerance in proportion."""

    def __init__(self, source: Volume, truth: Volume) -> None:
        cells = float(np.prod([max(1.0, extent / _CELL_MM) for extent in source.geometry.extent]))
        self._cell = cell = _CELL_MM if cells >= _FEWEST_CELLS else _FINE_CELL_MM
        self.source, self.truth = coarsened(source, cell), coarsened(truth, cell)
        self.truth = replace(self.truth, geometry=_thick(self.truth.geometry, cell))
        self.body, self.grid = coarse_body_mask(source, cell)
        self._truth_body, lattice = coarse_body_mask(truth, cell)
        self._truth_grid = _thick(lattice, cell)

    def alignment(self) -> Alignment:
        common, of_truth, dice = self._outlines()
        if max(common, of_truth) < _LEAST_COMMON:
            return Alignment("no overlap", dice, 1.0, 1.0, 0.0)
        here = self._information(np.eye(4))[1]
        best, move = self._climbed(common, here)
        away = self._displacement(move)
        displaced = away >= _MOST_MM * self._scale and best - 1 > _LEAST_GAIN * (here - 1)
        good = dice >= _LEAST_OUTLINE and not displaced
        return Alignment("good" if good else "not aligned", dice, here, best, away if displaced else 0.0)

    def looks_mirrored(self, alignment: Alignment) -> bool:
        """See `looks_mirrored`. Exchanged about the middle of the body, where what lies right lies nearly right again."""
        other, middle = copy(self), float(self._middle[0])
        other.truth = replace(self.truth, geometry=_exchanged(self.truth.geometry, middle))
        other._truth_grid = _exchanged(self._truth_grid, middle)
        best = other.alignment().best
        return best - 1 > (MIRRORED_GAIN if alignment.good else _LEAST_GAIN) * (alignment.best - 1)

    def seen(self, lattice: Geometry, grid: Geometry | None = None) -> NDArray[np.bool_]:
        """Which cells lie within the field of view of `lattice`."""
        k, j, i = (max(extent, self._cell) for extent in lattice.extent)
        whole = Geometry((1, 1, 1), (k, j, i), tuple(lattice.centre), lattice.direction)
        return resample_array(np.ones((1, 1, 1), np.bool_), whole, grid or self.grid)

    def _outlines(self) -> tuple[float, float, float]:
        """(share of the source's body in the common field of view, share of the truth's, outline Dice there). A truth of one
        slice lies in a small part of a large source, and may lie right."""
        seen = self.seen(self.truth.geometry)
        body = self.body & seen
        other = resample_array(self._truth_body, self._truth_grid, self.grid) & seen
        if not body.any() or not other.any():
            return 0.0, 0.0, 0.0
        there = self._truth_body & self.seen(self.source.geometry, self._truth_grid)
        return float(body.sum() / self.body.sum()), float(there.sum() / self._truth_body.sum()), outline_dice(body, other)

    def _climbed(self, common: float, here: float) -> tuple[float, FloatArray]:
        """(mutual information, move of the truth) of the best place that steps of falling length lead to."""
        best, place = here, np.zeros(6)
        for step in _STEPS_MM:
            for _ in range(_MOST_ROUNDS):
                before = best
                for way in self._ways(step * self._scale):
                    share, information = self._information(self._move(place + way))
                    if information > best + 1e-6 and share >= _LEAST_KEPT * common:
                        best, place = information, place + way
                if best == before:
                    break
        return best, self._move(place)

    def _ways(self, step: float) -> Iterator[FloatArray]:
        """Both ways along and about every axis of the source's grid, as far as they can be told from its neighbours."""
        own, other = self.source.geometry, self.truth.geometry
        turned = np.abs(own.axes @ other.axes.T)
        extent = np.minimum(own.extent, turned @ other.extent)
        thick = np.maximum(own.spacing, turned.round() @ other.spacing)
        flat = (extent < _THIN_MM) | (thick > _THICK_SLICE_MM)
        for axis in range(3):
            shifts = extent[axis] >= _THIN_MM and step > thick[axis] / 2.5
            turns = not any(flat[n] for n in range(3) if n != axis)
            for n in [n for n, told in ((axis, shifts), (axis + 3, turns)) if told]:
                for sign in (step, -step):
                    yield np.eye(6)[n] * sign

    def _move(self, place: FloatArray) -> FloatArray:
        """(4, 4) of mm along and, at the body's mean radius, about the source's axes through the body's middle."""
        from scipy.spatial.transform import Rotation

        axes, move = self.source.geometry.axes, np.eye(4)
        move[:3, :3] = Rotation.from_rotvec(place[3:] / self._radius @ axes).as_matrix()
        move[:3, 3] = self._middle - move[:3, :3] @ self._middle + place[:3] @ axes
        return move

    @cached_property
    def _points(self) -> FloatArray:
        cells = np.argwhere(self.body)
        return self.grid.index_to_mm(cells[:: max(1, len(cells) // 1000)])

    @cached_property
    def _middle(self) -> FloatArray:
        return np.asarray(self._points.mean(0))

    @cached_property
    def _radius(self) -> float:
        return max(1.0, float(np.sqrt(((self._points - self._middle) ** 2).sum(1).mean())))

    @property
    def _scale(self) -> float:
        return max(1.0, self._radius / _HEAD_RADIUS_MM)

    def _displacement(self, move: FloatArray) -> float:
        moved = self._points @ move[:3, :3].T + move[:3, 3]
        return float(np.sqrt(((moved - self._points) ** 2).sum(1).mean()))

    @cached_property
    def _binned(self) -> tuple[Geometry, NDArray[np.bool_], NDArray[np.uint8], NDArray[Any]]:
        """(box about the body, where in it to compare, the source there in bins, edges of the truth's bins)."""
        cells = np.argwhere(self.body)
        margin = [int(_MARGIN_MM * self._scale / spacing) + 1 for spacing in self.grid.spacing]
        low = np.maximum(cells.min(0) - margin, 0)
        high = np.minimum(cells.max(0) + margin + 1, self.body.shape)
        part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        where = _near(self.body[part], margin)
        values = np.nan_to_num(self.source.voxels[part], nan=self.source.background)
        bins = np.searchsorted(rank_edges(values[where], _BINS), values).astype(np.uint8)
        there = _near(self._truth_body, [int(_MARGIN_MM * self._scale / spacing) + 1 for spacing in self._truth_grid.spacing])
        values = np.nan_to_num(self.truth.voxels[there], nan=self.truth.background)
        edges = rank_edges(values, _BINS)
        return self.grid.cropped(low, high - low), where, bins, edges

    def _information(self, move: FloatArray) -> tuple[float, float]:
        """(share of the compared cells that the moved truth sees, mutual information there)."""
        box, where, bins, edges = self._binned
        lattice = Geometry.from_affine(self.truth.geometry.shape, move @ self.truth.geometry.affine)
        seen = where & self.seen(lattice, box)
        if not seen.any():
            return 0.0, 1.0
        truth: NDArray[Any] = resample_array(self.truth.voxels, lattice, box)
        other = np.searchsorted(edges, truth[seen])
        return float(seen.sum() / where.sum()), binned_information(bins[seen], other, _BINS)


def _near(mask: NDArray[np.bool_], cells: list[int]) -> NDArray[np.bool_]:
    from scipy.ndimage import maximum_filter

    result: NDArray[np.bool_] = maximum_filter(mask, [2 * n + 1 for n in cells])
    return result
