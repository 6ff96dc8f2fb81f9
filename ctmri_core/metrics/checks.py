"""What every similarity measure asks of its arguments, and how it walks through them with little memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable

Image = NDArray[np.number[Any]]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
_CHUNK = 1 << 20  # values looked at together: 8 MiB as float64


def check_pair(a: NDArray[Any], b: NDArray[Any], mask: Mask | None = None) -> None:
    """Raises `GeometryMismatch` when shapes differ and `NotComparable` when the images or the mask are empty."""
    if a.shape != b.shape:
        raise GeometryMismatch(f"The images have different shapes: {a.shape} and {b.shape}.")
    if a.size == 0:
        raise NotComparable("The images are empty.")
    if mask is None:
        return
    if mask.shape != a.shape:
        raise GeometryMismatch(f"The mask has shape {mask.shape}, the images {a.shape}.")
    if mask.dtype != np.bool_:
        raise NotComparable(f"The mask must be boolean, not {mask.dtype}.")
    if not mask.any():
        raise NotComparable("The mask is empty: there is nothing to compare.")


def check_dimensions(image: NDArray[Any], what: str) -> None:
    """Raises `GeometryMismatch` unless `image` is a slice or a volume."""
    if image.ndim not in (2, 3):
        raise GeometryMismatch(f"{what} compares slices or volumes; these images have {image.ndim} dimensions.")


def check_finite(image: Image) -> None:
    """Raises `NotComparable` on NaN or infinity."""
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise NotComparable("The images hold values that are not finite (NaN or infinity).")


def check_data_range(data_range: float) -> None:
    """Raises `NotComparable` unless `data_range` is a positive number."""
    if not (math.isfinite(data_range) and data_range > 0):
        raise NotComparable(f"The data range must be a positive number, not {data_range}.")


def check_hounsfield(a: Image, b: Image) -> None:
    """Raises `NotComparable` when one is a picture of 8 bits: its values are no Hounsfield units."""
    if any(image.dtype in (np.uint8, np.int8, np.bool_) for image in (a, b)):
        raise NotComparable("Values of 8 bits are no Hounsfield units: bring the picture back to HU before it is compared.")


def paired_values(a: Image, b: Image, mask: Mask | None = None) -> Iterator[tuple[Values, Values]]:
    """Values of both images at the same places, inside `mask` where given, some slices at a time as float64.

    Raises as `check_pair` and `check_finite`.
    """
    check_pair(a, b, mask)
    if a.ndim == 0:
        a, b, mask = a[None], b[None], None
    step = max(1, _CHUNK // max(1, a[0].size))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        inside = ... if mask is None else mask[part]
        pair = [np.asarray(image[part][inside], np.float64).ravel() for image in (a, b)]
        for values in pair:
            check_finite(values)
        if pair[0].size:
            yield pair[0], pair[1]
