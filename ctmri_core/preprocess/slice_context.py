"""Which neighbours a network is shown that translates a slice with its surroundings (2.5-D), in training and in use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def neighbours(start: int, stop: int, context: int, count: int) -> NDArray[np.intp]:
    """(stop - start, context) indices of slices: each slice in the middle of its neighbours.

    `context` is odd, `count` the slices there are; at either end the last slice stands for those that are not there.
    """
    reach = context // 2
    places: NDArray[np.intp] = np.arange(start, stop)[:, None] + np.arange(-reach, reach + 1)
    return places.clip(0, count - 1)
