"""Pairs of a case without and a case with the signal: what every estimate of an area under the ROC curve is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def success(noise: Floats, signal: Floats) -> Floats:
    """For each pair 1 where the signal scores higher, 0.5 where both score alike, 0 where lower or one is NaN.

    `noise`: (..., m), `signal`: (..., n); the answer is (..., m, n). Its mean is the area under the curve (Mann and Whitney
    1947).
    """
    apart = signal[..., None, :] - noise[..., :, None]
    won: Floats = (apart > 0) + 0.5 * (apart == 0)
    return won


def both_read(noise: Floats, signal: Floats) -> Floats:
    """For each pair 1 where both were read, else 0; shapes as of `success`."""
    there: Floats = (np.isfinite(noise)[..., :, None] & np.isfinite(signal)[..., None, :]).astype(np.float64)
    return there


def shared_sums(first: Floats, second: Floats) -> Floats:
    """Sums of first[m, n] x second[m', n'], float64 (4,): over pairs that share both cases, only m, only n, and none.

    `first`, `second`: (m, n). The four together are the product of both sums (Gallas, Acad Radiol 13, 2006).
    """
    same = float((first * second).sum())
    row = float(first.sum(axis=1) @ second.sum(axis=1))
    column = float(first.sum(axis=0) @ second.sum(axis=0))
    return np.array([same, row - same, column - same, float(first.sum() * second.sum()) - row - column + same])
