"""SSIM of volumes that come slice by slice, so that they need never be in the memory as a whole."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.metrics.checks import Mask

_WINDOW = 7


class VolumeSsim:
    """Mean SSIM (uniform 7 x 7 x 7, sample covariance; see `ssim`) over the window centres in a mask.

    `add` every slice in order: two images of one type (int16, float32 or float64), C-contiguous (rows, columns) of at least
    7 x 7, finite, and which pixels count as centres. Keeps seven slices. `power`: other than 1, the mean is of SSIM where
    positive, raised to it.
    """

    def __init__(self, data_range: float, power: float = 1.0) -> None:
        self._constants = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2, power
        self._kept: deque[tuple[NDArray[Any], NDArray[Any], Mask]] = deque()
        self._sums = np.zeros((4, 0, 0))
        self._total = self._count = 0.0

    def add(self, a: NDArray[Any], b: NDArray[Any], mask: Mask) -> None:
        """The next slice."""
        from ctmri_core.metrics.ssim_kernel import slide_deep, uniform7_deep  # numba costs 0.2 s: not before the first score

        if not self._kept:
            self._sums = np.zeros((4, *a.shape))
        full = len(self._kept) == _WINDOW
        old = self._kept.popleft()[:2] if full else (np.zeros_like(a),) * 2
        slide_deep(*old, a, b, self._sums)
        self._kept.append((a, b, mask))
        if len(self._kept) == _WINDOW:
            total, count = uniform7_deep(self._sums, self._kept[_WINDOW // 2][2], *self._constants)
            self._total, self._count = self._total + total, self._count + count

    @property
    def mean(self) -> float:
        """NaN where no window lay inside the volume with its centre in the mask."""
        return self._total / self._count if self._count else math.nan
