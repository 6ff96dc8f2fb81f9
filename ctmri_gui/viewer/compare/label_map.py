"""Masks and label maps: volumes whose values are names of regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import CtmriError
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume

_MOST_LABELS = 255
_FEW_VALUES = 64
_LOOKED_AT = 60_000
_SPAN = 1 << 16
_OFF_VOXEL = 0.02
BODY = "Body of the source"


class NoMask(CtmriError):
    """A file that was given as a mask is none; the message says why, and what may be done."""


@dataclass(frozen=True, eq=False)
class LabelMap:
    """`labels`: uint8 (k, j, i) on `geometry`, 0 where there is nothing, else the place (from 1) of the region in `values`, which
    are the numbers that the file gives to its regions. `name`: what may be written on the pictures. `names`: of regions, by their
    numbers; where these are `told` by a file they may be anybody's words, and no picture shows them."""

    labels: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry
    values: tuple[int, ...]
    name: str
    names: Mapping[int, str] = field(default_factory=dict, repr=False)
    told: bool = False

    def region(self, index: int) -> str:
        """What the region of that place is called on the pictures."""
        value = self.values[index - 1]
        if not self.told and value in self.names:
            return f"{self.name}, {self.names[value]}"
        return self.name if len(self.values) == 1 else f"{self.name}, {value}"

    def called(self, index: int) -> str:
        """The number of the region of that place and its name, for lists."""
        value = self.values[index - 1]
        return " ".join((str(value), self.names.get(value, ""))).rstrip()

    def with_region(self, name: str) -> LabelMap:
        """One more, behind the others, which has no voxels yet. Raises `NoMask` where there are as many as there can be."""
        number = max(self.values, default=0) + 1
        if len(self.values) >= _MOST_LABELS or number >= _SPAN:
            raise NoMask(f"This mask has {len(self.values)} labels already; begin another one.")
        return replace(self, values=(*self.values, number), names={**self.names, number: name})


def empty_map(geometry: Geometry, name: str, region: str) -> LabelMap:
    """Of one region, to be drawn."""
    return LabelMap(np.zeros(geometry.shape, np.uint8), geometry, (1,), name, {1: region})


def on_voxels(found: LabelMap, grid: Geometry) -> LabelMap:
    """`found` on the whole of `grid` where its voxels are some of those, in whatever order, so that it can be changed everywhere;
    else as it is."""
    last = np.asarray(found.geometry.shape) - 1
    ends = np.vstack([np.zeros(3), np.diag(last)])
    at = grid.mm_to_index(found.geometry.index_to_mm(np.vstack([ends, last])))
    beside = np.abs(at - np.rint(at)).max()
    longer = np.abs(np.linalg.norm(at[1:4] - at[0], axis=1) - last).max()
    inside = at.min() > -0.5 and (at.max(0) < np.asarray(grid.shape) - 0.5).all()
    if found.geometry.is_close(grid) or not inside or max(beside, longer) > _OFF_VOXEL:
        return found
    return replace(found, labels=resample_array(found.labels, found.geometry, grid, order=0), geometry=grid)


def label_map_of(volume: Volume, name: str) -> LabelMap:
    """The regions of a volume that is a mask or label map: 0 is nothing, every other whole number a region.

    Raises `NoMask` where values are no whole numbers or there are more than 255 of them.
    """
    found: set[int] = set()
    for slice_ in volume.voxels:
        values = np.unique(slice_)
        if not np.isfinite(values).all() or (values != np.rint(values)).any() or np.abs(values).max() >= _SPAN:
            raise NoMask("This is no mask: its values are not whole numbers. Open it as a scan instead.")
        found.update(int(value) for value in values if value)
        if len(found) > _MOST_LABELS:
            raise NoMask(f"This is no mask: it has more than {_MOST_LABELS} different values. Open it as a scan instead.")
    if not found:
        raise NoMask("This mask is empty: all its values are 0.")
    values_in_order = tuple(sorted(found))
    low = min(0, values_in_order[0])
    place_of = np.zeros(max(values_in_order[-1], 0) - low + 1, np.uint8)
    place_of[np.asarray(values_in_order) - low] = np.arange(1, len(values_in_order) + 1)
    labels = np.empty(volume.voxels.shape, np.uint8)
    for slice_, place in zip(volume.voxels, labels, strict=True):
        np.take(place_of, slice_.astype(np.int32) - low, out=place)
    names = {value: called for value, called in volume.label_names if called and value in values_in_order}
    return LabelMap(labels, volume.geometry, values_in_order, name, names, told=bool(names))


def surely_mask(volume: Volume) -> bool:
    """Whether its file says that it is a map of labels."""
    return bool(volume.label_names)


def looks_like_mask(volume: Volume) -> bool:
    """Whether a volume may be a mask: a person is asked, so this only has to be right for what is surely none. Few values, all of
    them whole and not negative, most often nothing; looks at some tens of thousands of voxels."""
    step = max(1, round((volume.voxels.size / _LOOKED_AT) ** (1 / 3)))
    values, counts = np.unique(volume.voxels[::step, ::step, ::step], return_counts=True)
    if len(values) > _FEW_VALUES or not np.isfinite(values).all() or values[0] != 0:
        return False
    return len(values) > 1 and bool((values == np.rint(values)).all()) and bool(counts[0] >= 0.2 * counts.sum())
