"""The scores of the SynthRAD challenges for CT volumes in HU: definitions of Thummerer et al., Med Phys 2023, and of 2025.

All take float or int volumes (k, j, i) in HU and the boolean body mask, and raise `GeometryMismatch` on unequal shapes and
`ValueError` on NaN or an empty mask. For the 2025 MAE and PSNR use `mae` and `psnr_hu`: inside the mask both years agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.metrics.checks import Image, Mask, check_finite, check_pair
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim import ssim

HU_LOW, HU_HIGH = -1024.0, 3000.0
HU_RANGE = HU_HIGH - HU_LOW
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_SMALLEST = 97  # five scales of a window of seven: 6 * 2**4 + 1
_Float = NDArray[np.float64]


def psnr_hu(truth: Image, synthetic: Image, mask: Mask) -> float:
    """PSNR in dB over the mask, both volumes clipped to [-1024, 3000] HU, data range 4024."""
    check_pair(truth, synthetic, mask)
    return psnr(np.clip(truth, HU_LOW, HU_HIGH), np.clip(synthetic, HU_LOW, HU_HIGH), data_range=HU_RANGE, mask=mask)


def ssim_2023(truth: Image, synthetic: Image, mask: Mask) -> float:
    """Mean over the mask of the 3-D SSIM (uniform 7³), air outside the mask, shifted by +1024 HU, border of 3 cropped."""
    check_pair(truth, synthetic, mask)
    shifted = [np.where(mask, image, HU_LOW) - HU_LOW for image in (truth, synthetic)]
    return ssim(*shifted, data_range=HU_RANGE, mask=mask)


def ms_ssim_2025(truth: Image, synthetic: Image, mask: Mask) -> float:
    """Multi-scale SSIM over the mask on five scales, with the published code's two peculiarities.

    Luminance enters at every scale with that scale's weight (Wang et al. 2003 use it at the coarsest only), and the mask
    is thinned, not averaged, from scale to scale. Volumes are clipped, air outside the mask, shifted by +1024 HU, and
    padded with their edge to 97 voxels.
    """
    check_pair(truth, synthetic, mask)
    padding = [((_SMALLEST - n) // 2, (_SMALLEST - n + 1) // 2) if n < _SMALLEST else (0, 0) for n in mask.shape]
    a, b = (
        np.pad(np.where(mask, np.clip(image, HU_LOW, HU_HIGH), HU_LOW) - HU_LOW, padding, mode="edge").astype(np.float64)
        for image in (truth, synthetic)
    )
    inside = np.pad(mask, padding, mode="edge")
    check_finite(a)
    check_finite(b)
    product = 1.0
    for weight in _SCALE_WEIGHTS:
        product *= _masked_scale(a, b, inside, weight)
        a, b, inside = _halved(a), _halved(b), inside[::2, ::2, ::2]
    return product


def _masked_scale(a: _Float, b: _Float, mask: Mask, weight: float) -> float:
    """Mean over the mask of (luminance * contrast * structure) ** weight at one scale."""
    from scipy.ndimage import uniform_filter

    inner = (slice(3, -3),) * 3
    if not mask[inner].any():
        raise ValueError("The mask is too small for the coarsest scale of MS-SSIM.")
    c1, c2 = (0.01 * HU_RANGE) ** 2, (0.03 * HU_RANGE) ** 2
    unbiased = 343 / 342
    mean_a, mean_b = uniform_filter(a, 7), uniform_filter(b, 7)
    variance_a = np.maximum(unbiased * (uniform_filter(a * a, 7) - mean_a**2), 0)
    variance_b = np.maximum(unbiased * (uniform_filter(b * b, 7) - mean_b**2), 0)
    covariance = unbiased * (uniform_filter(a * b, 7) - mean_a * mean_b)
    deviations = np.sqrt(variance_a * variance_b)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    contrast = (2 * deviations + c2) / (variance_a + variance_b + c2)
    structure = np.maximum((covariance + c2 / 2) / (deviations + c2 / 2), 0)
    return float(((luminance * contrast * structure) ** weight)[inner][mask[inner]].mean())


def _halved(image: _Float) -> _Float:
    """Every second voxel of the 2 x 2 x 2 mean with zeros outside."""
    from scipy.ndimage import uniform_filter

    result: _Float = uniform_filter(image, 2, mode="constant")[::2, ::2, ::2]
    return result
