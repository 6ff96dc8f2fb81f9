"""What every similarity measure asks of its arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch

Image = NDArray[np.number[Any]]
Mask = NDArray[np.bool_]


def check_pair(a: NDArray[Any], b: NDArray[Any], mask: Mask | None = None) -> None:
    """Raises `GeometryMismatch` when shapes differ and `ValueError` when the images or the mask are empty."""
    if a.shape != b.shape:
        raise GeometryMismatch(f"The images have different shapes: {a.shape} and {b.shape}.")
    if a.size == 0:
        raise ValueError("The images are empty.")
    if mask is None:
        return
    if mask.shape != a.shape:
        raise GeometryMismatch(f"The mask has shape {mask.shape}, the images {a.shape}.")
    if mask.dtype != np.bool_:
        raise ValueError(f"The mask must be boolean, not {mask.dtype}.")
    if not mask.any():
        raise ValueError("The mask is empty: there is nothing to compare.")


def check_finite(image: Image) -> None:
    """Raises `ValueError` on NaN or infinity."""
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise ValueError("The images hold values that are not finite (NaN or infinity).")


def check_data_range(data_range: float) -> None:
    """Raises `ValueError` unless `data_range` is a positive number."""
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"The data range must be a positive number, not {data_range}.")
