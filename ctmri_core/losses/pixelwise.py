"""Distances between pictures of the same place."""

from __future__ import annotations

from torch import Tensor


def l1_loss(synthetic: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference of (n, c, h, w); with `weight` (non-negative, broadcastable) the weighted mean.

    Isola et al. 2017, Eq. 3. A weight of zero everywhere gives 0.
    """
    difference = (synthetic - target).abs()
    if weight is None:
        return difference.mean()
    weight = weight.expand_as(difference)
    return (difference * weight).sum() / weight.sum().clamp_min(1e-6)
