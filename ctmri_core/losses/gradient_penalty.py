"""Keeps a discriminator's slope near 1 between real and synthetic pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def gradient_penalty(judge: Callable[[Tensor], Tensor], real: Tensor, synthetic: Tensor) -> Tensor:
    """Mean of (|gradient| - 1) squared at random points between `real` and `synthetic`, (n, c, h, w); the gradient's length is
    taken per sample (Gulrajani et al. 2017, Eq. 3). `judge` must be open to gradients of gradients, and had better work in
    float32: lengths near 1 are what matters here.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = (share * real.detach() + (1 - share) * synthetic.detach()).requires_grad_()
    judged = judge(between)
    (gradient,) = torch.autograd.grad(judged.sum(), between, create_graph=True)
    length: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return (length - 1).square().mean()
