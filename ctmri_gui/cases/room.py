"""Whether there is memory for another scan beside the cases that are open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from ctmri_core.io.series import Series

_BYTES_PER_VOXEL = 4  # at most, and always where a model made them
_SHARE = 0.6  # of what is free: translating and comparing need the rest


@dataclass(frozen=True)
class Shortage:
    """Bytes that a scan and its synthetic twin will take, and those that are free for them."""

    needed: int
    free: int

    @property
    def missing(self) -> int:
        return self.needed - self.free


def shortage(chosen: Sequence[Series]) -> Shortage | None:
    """None where there is enough, or where only loading can tell."""
    counts = [math.prod(series.shape) for series in chosen if series.shape is not None]
    if not counts:
        return None
    needed = _BYTES_PER_VOXEL * (sum(counts) + max(counts))
    free = int(free_memory() * _SHARE)
    return Shortage(needed, free) if needed > free else None


def free_memory() -> int:
    """Bytes that the machine can give without swapping."""
    return int(psutil.virtual_memory().available)


def in_words(count: int) -> str:
    """`1.2 GB`, `340 MB`."""
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{max(round(count / 2**20), 1)} MB"
