"""How far a latent distribution is from a standard normal one."""

from __future__ import annotations

from torch import Tensor


def unit_variance_kl(mean: Tensor) -> Tensor:
    """Mean of squares: KL(N(mean, 1) || N(0, 1)) up to a factor 2 (Liu et al. 2017, Eq. 5, with the variance fixed to 1)."""
    return mean.square().mean()


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) per latent value (Kingma and Welling 2014, appendix B)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
