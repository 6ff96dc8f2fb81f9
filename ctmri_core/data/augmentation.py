"""Joint random changes of the pictures of a pair: drawn as data first, then applied without chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Placement:
    """A square of `size` pixels with its upper left corner at (top, left), mirrored left to right when `flipped`."""

    top: int
    left: int
    size: int
    flipped: bool

    def apply(self, planes: NDArray[Any], outside: NDArray[np.float32]) -> NDArray[np.float32]:
        """(c, h, w) -> float32 (c, size, size); what lies beyond the picture gets the value of `outside`, (c,)."""
        cut = planes[:, max(self.top, 0) : self.top + self.size, max(self.left, 0) : self.left + self.size]
        result = np.empty((len(planes), self.size, self.size), np.float32)
        result[:] = outside[:, None, None]
        top, left = max(-self.top, 0), max(-self.left, 0)
        result[:, top : top + cut.shape[1], left : left + cut.shape[2]] = cut
        return result[:, :, ::-1] if self.flipped else result


@dataclass(frozen=True)
class Augmentation:
    """Random crops of `crop` pixels and, on request, mirroring. Pictures smaller than the crop are placed inside it.

    A crop's centre lies in the bounding box of the body, as far as the picture reaches: air teaches little.
    """

    crop: int
    flip: bool = True

    def draw(self, random: np.random.Generator, mask: NDArray[Any]) -> Placement:
        """A placement for a picture with this body, (h, w)."""
        top, left = (self._start(random, np.asarray(mask.any(axis))) for axis in (1, 0))
        return Placement(top, left, self.crop, self.flip and bool(random.integers(2)))

    def _start(self, random: np.random.Generator, occupied: NDArray[np.bool_]) -> int:
        room = len(occupied) - self.crop
        if room <= 0:
            return int(random.integers(room, 1))
        inside = np.flatnonzero(occupied) if occupied.any() else np.arange(len(occupied))
        centre = random.integers(inside[0], inside[-1] + 1)
        return int(np.clip(centre - self.crop // 2, 0, room))
