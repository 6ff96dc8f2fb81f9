"""Multi-scale structural similarity of slices and volumes (Wang, Simoncelli and Bovik, Asilomar 2003, Eq. 7)."""

from __future__ import annotations

import numpy as np

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Image, Mask
from ctmri_core.metrics.halving import block_majority, block_means
from ctmri_core.metrics.ssim import Window, checked_constants, factors_by_slab, window_margin

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the five scales, finest first (section 4.2)."""


def ms_ssim(
    a: Image, b: Image, *, data_range: float, mask: Mask | None = None, window: Window = "gaussian1.5", scales: int = 5
) -> float:
    """Product of the mean contrast-structure of every scale and the mean SSIM of the coarsest, each to its weight; 0 where a
    mean is negative.

    `window` as of `ssim`; each scale holds the means of blocks of two of the finer one, an odd end dropped. `mask`: window
    centres; on coarser scales blocks of which half lies in it. `scales` below five, for small images: the first weights,
    divided by their sum. Raises `GeometryMismatch` on unequal shapes or images too small for the coarsest scale,
    `NotComparable` on NaN, a mask without window centres or a range that is not positive.
    """
    constants = checked_constants(a, b, data_range, window, mask)
    if not 1 <= scales <= len(SCALE_WEIGHTS):
        raise NotComparable(f"MS-SSIM has one to {len(SCALE_WEIGHTS)} scales, not {scales}.")
    needed = (2 * window_margin(window) + 1) << (scales - 1)
    if min(a.shape) < needed:
        raise GeometryMismatch(
            f"Images of {a.shape} are too small for MS-SSIM on {scales} scales with {window}: "
            f"{needed} along each axis are needed. Take fewer scales, or the smaller window."
        )
    weights = np.array(SCALE_WEIGHTS[:scales]) / (sum(SCALE_WEIGHTS[:scales]) if scales < len(SCALE_WEIGHTS) else 1)
    product = 1.0
    for scale, weight in enumerate(weights):
        similarity, structure = _means(a, b, constants, window, mask)
        product *= max(similarity if scale == scales - 1 else structure, 0.0) ** weight
        if scale < scales - 1:
            a, b, mask = block_means(a), block_means(b), None if mask is None else block_majority(mask)
    return float(product)


def _means(a: Image, b: Image, constants: tuple[float, float], window: Window, mask: Mask | None) -> tuple[float, float]:
    """Of SSIM and of its contrast-structure part, over the window centres in `mask`."""
    margin = window_margin(window)
    centres = None if mask is None else mask[tuple(slice(margin, n - margin) for n in mask.shape)]
    count, similarity, structure = 0, 0.0, 0.0
    for start, luminance, parts in factors_by_slab(a, b, constants, window):
        chosen = ... if centres is None else centres[start : start + len(parts)]
        count += parts[chosen].size
        similarity += float((luminance * parts)[chosen].sum())
        structure += float(parts[chosen].sum())
    if not count:
        raise NotComparable("The mask holds no window of the coarsest scale: there is nothing to compare. Take fewer scales.")
    return similarity / count, structure / count
