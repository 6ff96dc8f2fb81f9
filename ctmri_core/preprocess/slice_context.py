"""Which neighbours a network is shown that translates a slice with its surroundings (2.5-D), in training and in use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def neighbours(start: int, stop: int, context: int, count: int, stride: int = 1) -> NDArray[np.intp]:
    """(stop - start, context) indices of slices: each slice in the middle of its neighbours, every `stride`-th one.

    `context` is odd, `count` the slices there are; at either end the last slice stands for those that are not there.
    """
    reach = context // 2
    places: NDArray[np.intp] = np.arange(start, stop)[:, None] + stride * np.arange(-reach, reach + 1)
    return places.clip(0, count - 1)


def stride_for(wanted_mm: float | None, own_mm: float | None) -> int:
    """Every how many-th slice of a stack with slices `own_mm` apart comes nearest to slices `wanted_mm` apart.

    1 where either is not known, and where the stack's own slices lie farther apart than wanted.
    """
    return max(1, round(wanted_mm / own_mm)) if wanted_mm and own_mm else 1
