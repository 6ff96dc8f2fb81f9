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


def sums_apart(first: Floats, second: Floats) -> Floats:
    """Sums of first[m, n] x second[m', n'] over pairs that share neither case, (a, b) for kernels (a, m, n) and (b, m, n).

    All less those with m = m' or n = n', which both include those with both (Gallas, Acad Radiol 13, 2006).
    """
    whole = np.outer(first.sum(axis=(1, 2)), second.sum(axis=(1, 2)))
    row, column = (first.sum(axis=axis) @ second.sum(axis=axis).T for axis in (2, 1))
    same = first.reshape(len(first), -1) @ second.reshape(len(second), -1).T
    apart: Floats = whole - row - column + same
    return apart
