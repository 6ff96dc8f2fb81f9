"""Losses of what a network outlines against what was drawn."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

UNDECIDED = 255
"""A label of pixels that count for nothing."""
_SMOOTH = 1.0


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over pixels of (n, classes, h, w) against int64 (n, h, w); 0 where every pixel is undecided."""
    counted = (labels != UNDECIDED).sum().clamp(min=1)
    return functional.cross_entropy(logits.float(), labels, ignore_index=UNDECIDED, reduction="sum") / counted


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """One minus the soft overlap, mean over all classes but the background (Milletari et al. 2016, section 3).

    Squares in the denominator, sums over the whole batch: a label that few slices show is then no noise. In [0, 1].
    """
    counted = (labels != UNDECIDED).unsqueeze(1)
    share = logits.float().softmax(1) * counted
    truth = functional.one_hot(torch.where(labels == UNDECIDED, 0, labels), logits.shape[1]).movedim(-1, 1) * counted
    both = (share * truth).sum((0, 2, 3))
    either = (share.square() + truth).sum((0, 2, 3))
    overlap = (2 * both + _SMOOTH) / (either + _SMOOTH)
    return 1 - overlap[1:].mean()
