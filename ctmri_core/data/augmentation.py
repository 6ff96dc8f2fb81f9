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
    """Random crops of `crop` pixels and, on request, mirroring. Pictures smaller than the crop are placed inside it."""

    crop: int
    flip: bool = True

    def draw(self, random: np.random.Generator, shape: tuple[int, int]) -> Placement:
        """A placement for a picture of (h, w)."""
        top, left = (int(random.integers(min(0, n - self.crop), max(0, n - self.crop) + 1)) for n in shape)
        return Placement(top, left, self.crop, self.flip and bool(random.integers(2)))
