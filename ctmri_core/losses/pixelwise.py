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


def l2_loss(synthetic: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared difference of (n, c, h, w), `weight` as in `l1_loss`: its least is the mean of what may be, not the median."""
    difference = (synthetic - target).square()
    if weight is None:
        return difference.mean()
    weight = weight.expand_as(difference)
    return (difference * weight).sum() / weight.sum().clamp_min(1e-6)


def edge_loss(synthetic: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference of the steps from each pixel to the next, down and to the right added (Mathieu et al. 2016, Eq. 6
    with exponent 1, signs kept); `weight` as in `l1_loss`, a step counting where both pixels do.
    """
    error = synthetic - target
    down, right = (error[..., 1:, :] - error[..., :-1, :]).abs(), (error[..., 1:] - error[..., :-1]).abs()
    if weight is None:
        return down.mean() + right.mean()
    both = (weight[..., 1:, :] * weight[..., :-1, :]).expand_as(down), (weight[..., 1:] * weight[..., :-1]).expand_as(right)
    sums = [(part * own).sum() / own.sum().clamp_min(1e-6) for part, own in zip((down, right), both, strict=True)]
    return sums[0] + sums[1]
