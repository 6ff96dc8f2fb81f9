"""What a discriminator's logits are worth to either side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

GanLoss = Literal["vanilla", "lsgan"]


def adversarial_loss(logits: Tensor, *, real: bool, kind: GanLoss) -> Tensor:
    """Mean over all patches of how far `logits` are from saying `real`.

    `vanilla`: binary cross-entropy on logits (Goodfellow et al. 2014, Eq. 1; for a generator its non-saturating form,
    section 3, is this loss with `real=True`). `lsgan`: squared distance to 1 or 0 (Mao et al. 2017, Eq. 9).
    """
    goal = torch.full_like(logits, float(real))
    if kind == "vanilla":
        return functional.binary_cross_entropy_with_logits(logits, goal)
    return functional.mse_loss(logits, goal)


def discriminator_loss(real_logits: Tensor, synthetic_logits: Tensor, kind: GanLoss) -> Tensor:
    """Half the sum of both errors: the discriminator learns at half speed (Isola et al. 2017, section 3.3)."""
    of_real = adversarial_loss(real_logits, real=True, kind=kind)
    of_synthetic = adversarial_loss(synthetic_logits, real=False, kind=kind)
    return 0.5 * (of_real + of_synthetic)


def summed_over_scales(logits: Sequence[Tensor], *, real: bool, kind: GanLoss) -> Tensor:
    """`adversarial_loss` of judgements at several scales or levels, added."""
    return torch.stack([adversarial_loss(each, real=real, kind=kind) for each in logits]).sum()
