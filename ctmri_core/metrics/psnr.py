"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

from ctmri_core.metrics.checks import Image, Mask, check_data_range
from ctmri_core.metrics.errors import error_sums


def psnr(
    a: Image, b: Image, *, data_range: float, mask: Mask | None = None, clip: tuple[float, float] = (-math.inf, math.inf)
) -> float:
    """10 log10(data_range² / MSE) in dB, over `mask` where given, both clipped to `clip`; infinite for equal images.

    `data_range` is a property of the convention (4024 for HU clipped to [-1024, 3000] as in SynthRAD), never of the images.
    Raises `GeometryMismatch` on unequal shapes, `NotComparable` on NaN, an empty mask or a range that is not positive.
    """
    check_data_range(data_range)
    sums = error_sums(a, b, mask, clip)
    return math.inf if sums.squares == 0 else 10 * math.log10(data_range**2 * sums.count / sums.squares)
