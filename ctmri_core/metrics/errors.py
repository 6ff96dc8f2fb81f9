"""Voxelwise errors, in the images' own unit (HU for CT). Inside `mask` where one is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ctmri_core.metrics.checks import Image, Mask, check_finite, check_pair

_CHUNK = 1 << 18  # values brought to one type and order together


@dataclass(frozen=True, slots=True)
class ErrorSums:
    """Of synthetic - truth over `count` values: `signed`, `absolute` of what they are; `squares` of what they are clipped to."""

    count: float
    signed: float
    absolute: float
    squares: float


def mae(truth: Image, synthetic: Image, mask: Mask | None = None) -> float:
    """Mean absolute error. Raises `GeometryMismatch` on unequal shapes, `NotComparable` on NaN or an empty mask."""
    sums = error_sums(truth, synthetic, mask)
    return sums.absolute / sums.count


def bias(truth: Image, synthetic: Image, mask: Mask | None = None) -> float:
    """Mean of synthetic - truth; raises as `mae`."""
    sums = error_sums(truth, synthetic, mask)
    return sums.signed / sums.count


def mse(truth: Image, synthetic: Image, mask: Mask | None = None) -> float:
    """Mean squared error; raises as `mae`."""
    sums = error_sums(truth, synthetic, mask)
    return sums.squares / sums.count


def rmse(truth: Image, synthetic: Image, mask: Mask | None = None) -> float:
    """Root of the mean squared error; raises as `mae`."""
    return math.sqrt(mse(truth, synthetic, mask))


def error_sums(
    truth: Image, synthetic: Image, mask: Mask | None = None, clip: tuple[float, float] = (-math.inf, math.inf)
) -> ErrorSums:
    """What all voxelwise errors are made of, in one pass without copies of int16 and float images that are C-contiguous.

    `clip`: what both are clipped to for the squares. Raises as `mae`.
    """
    from ctmri_core.metrics.error_kernel import error_sums as kernel  # numba costs 0.2 s: not before the first score

    check_pair(truth, synthetic, mask)
    fit = truth.dtype == synthetic.dtype and truth.dtype in (np.int16, np.float32, np.float64)
    dtype = truth.dtype if fit else np.dtype(np.float64)
    step = max(1, _CHUNK // max(1, math.prod(truth.shape[1:])))
    everywhere = np.ones(step * math.prod(truth.shape[1:]), np.bool_)
    total = np.zeros(4)
    for start in range(0, len(truth), step):
        a, b = (np.ascontiguousarray(image[start : start + step], dtype).ravel() for image in (truth, synthetic))
        inside = everywhere[: a.size] if mask is None else np.ascontiguousarray(mask[start : start + step]).ravel()
        sums = kernel(a, b, inside, *clip)
        if not math.isfinite(sums[1]):
            check_finite(a[inside])
            check_finite(b[inside])
        total += sums
    return ErrorSums(*(float(value) for value in total))
