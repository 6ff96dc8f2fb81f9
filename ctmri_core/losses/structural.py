"""Structural similarity as a loss (Wang et al. 2004, Eq. 13; Zhao et al. 2017, section III)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SIGMA, _RADIUS = 1.5, 5
_K1, _K2 = 0.01, 0.03


def ssim_loss(one: Tensor, other: Tensor, *, data_range: float, weight: Tensor | None = None) -> Tensor:
    """1 - mean SSIM of (n, c, h, w) over all places where the 11 x 11 Gaussian window (deviation 1.5) fits; h, w at least 11.

    `data_range`: of the values, which should begin at zero: around it, luminances of opposite sign count as nothing alike.
    `weight`: of each pixel as the middle of a window; None counts all alike, zero everywhere gives 0.
    """
    wide = torch.promote_types(one.dtype, torch.float32)  # differences of squares need it
    one, other = one.to(wide), other.to(wide)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    stacked = torch.cat([one, other, one * one, other * other, one * other])
    mean_one, mean_other, square_one, square_other, product = _smoothed(stacked).chunk(5)
    variances = square_one - mean_one**2 + square_other - mean_other**2
    covariance = product - mean_one * mean_other
    luminance = (2 * mean_one * mean_other + c1) / (mean_one**2 + mean_other**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    if weight is None:
        return 1 - (luminance * structure).mean()
    weight = weight[..., _RADIUS:-_RADIUS, _RADIUS:-_RADIUS].expand_as(luminance)
    return ((1 - luminance * structure) * weight).sum() / weight.sum().clamp_min(1e-6)


def _smoothed(x: Tensor) -> Tensor:
    places = torch.arange(-_RADIUS, _RADIUS + 1, device=x.device, dtype=x.dtype)
    weights = torch.exp(-places.square() / (2 * _SIGMA**2))
    weights = (weights / weights.sum()).expand(x.shape[1], 1, 1, -1)
    across = functional.conv2d(x, weights, groups=x.shape[1])
    return functional.conv2d(across, weights.transpose(2, 3), groups=x.shape[1])
