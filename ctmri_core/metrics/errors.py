"""Voxelwise errors, in the images' own unit (HU for CT). Inside `mask` where one is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.metrics.checks import Image, Mask, check_finite, check_pair


def mae(a: Image, b: Image, mask: Mask | None = None) -> float:
    """Mean absolute error. Raises `GeometryMismatch` on unequal shapes, `ValueError` on NaN or an empty mask."""
    return float(np.abs(_difference(a, b, mask)).mean())


def mse(a: Image, b: Image, mask: Mask | None = None) -> float:
    """Mean squared error; raises as `mae`."""
    difference = _difference(a, b, mask).ravel()
    return float(np.dot(difference, difference) / difference.size)


def rmse(a: Image, b: Image, mask: Mask | None = None) -> float:
    """Root of the mean squared error; raises as `mae`."""
    return float(np.sqrt(mse(a, b, mask)))


def _difference(a: Image, b: Image, mask: Mask | None) -> NDArray[np.float64]:
    check_pair(a, b, mask)
    if mask is not None:
        a, b = a[mask], b[mask]
    check_finite(a)
    check_finite(b)
    return np.subtract(a, b, dtype=np.float64)
