"""Patchwise contrastive loss (Park et al. 2020, Eq. 3)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def patch_nce(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """Unit vectors (n, patches, size) of the translation and of the source at the same places: each query is to know its own
    key among all keys of its picture. `keys` pass no gradient.
    """
    logits = queries @ keys.detach().transpose(1, 2) / temperature
    own = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    return functional.cross_entropy(logits.flatten(0, 1).float(), own.flatten())
