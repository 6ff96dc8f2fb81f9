"""Masks and label maps: volumes whose values are names of regions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import CtmriError
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Volume

_MOST_LABELS = 255
_FEW_VALUES = 64
_LOOKED_AT = 60_000
_SPAN = 1 << 16
BODY = "Body of the source"


class NoMask(CtmriError):
    """A file that was given as a mask is none; the message says why, and what may be done."""


@dataclass(frozen=True, eq=False)
class LabelMap:
    """`labels`: uint8 (k, j, i) on `geometry`, 0 where there is nothing, else the place (from 1) of the region in `values`, which
    are the numbers that the file gives to its regions. `name`: what may be written on the screen."""

    labels: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry
    values: tuple[int, ...]
    name: str

    def region(self, index: int) -> str:
        """What the region of that place is called."""
        return self.name if len(self.values) == 1 else f"{self.name}, {self.values[index - 1]}"


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
    return LabelMap(labels, volume.geometry, values_in_order, name)


def looks_like_mask(volume: Volume) -> bool:
    """Whether a volume may be a mask: a person is asked, so this only has to be right for what is surely none. Few values, all of
    them whole and not negative, most often nothing; looks at some tens of thousands of voxels."""
    step = max(1, round((volume.voxels.size / _LOOKED_AT) ** (1 / 3)))
    values, counts = np.unique(volume.voxels[::step, ::step, ::step], return_counts=True)
    if len(values) > _FEW_VALUES or not np.isfinite(values).all() or values[0] != 0:
        return False
    return len(values) > 1 and bool((values == np.rint(values)).all()) and bool(counts[0] >= 0.2 * counts.sum())
