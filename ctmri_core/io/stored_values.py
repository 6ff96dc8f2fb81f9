"""From numbers as a file stores them to the voxels of a Volume: int16 where that loses nothing, else float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.volume import Finding, Voxels

_INT16 = np.iinfo(np.int16)


def to_voxels(path: Path, raw: NDArray[Any], slope: float = 1.0, intercept: float = 0.0) -> tuple[Voxels, tuple[Finding, ...]]:
    """`raw * slope + intercept` as C-contiguous int16 when all values are whole and fit, else float32.

    `raw`: any real type and byte order, (k, j, i). Native int16 without scaling comes back as it is, not copied.
    Non-finite values become the lowest finite value, with a serious finding; a file of nothing else is refused.
    """
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        problem = f"slope {slope:g} and intercept {intercept:g} are no scaling."
        raise FileRefused(path, problem, "Correct the header and open it again.")
    if raw.dtype.kind in "iub" and float(slope).is_integer() and float(intercept).is_integer():
        whole = _whole_numbers(raw, int(slope), int(intercept))
        if whole is not None:
            return whole, ()
    voxels = _scaled(raw, slope, intercept)
    if raw.dtype.kind in "iub":
        return voxels, ()
    return _only_finite(path, voxels)


def _whole_numbers(raw: NDArray[Any], slope: int, intercept: int) -> NDArray[np.int16] | None:
    if raw.dtype.kind == "b":
        raw = raw.view(np.uint8)
    if raw.dtype == np.int16 and (slope, intercept) == (1, 0):
        return np.ascontiguousarray(raw, np.int16)
    ends = [int(raw.min()) * slope + intercept, int(raw.max()) * slope + intercept]
    if min(ends) < _INT16.min or max(ends) > _INT16.max:
        return None
    voxels = np.empty(raw.shape, np.int16)
    for target, source in zip(voxels, raw, strict=True):  # slice by slice: no second whole copy in a wider type
        target[...] = source if (slope, intercept) == (1, 0) else source.astype(np.int64) * slope + intercept
    return voxels


def _scaled(raw: NDArray[Any], slope: float, intercept: float) -> NDArray[np.float32]:
    if raw.dtype == np.float32 and (slope, intercept) == (1.0, 0.0):
        return np.ascontiguousarray(raw, np.float32)
    voxels = np.empty(raw.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows becomes infinite and is found below
        for target, source in zip(voxels, raw, strict=True):
            target[...] = source if (slope, intercept) == (1.0, 0.0) else source.astype(np.float64) * slope + intercept
    return voxels


def _only_finite(path: Path, voxels: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    finite = np.isfinite(voxels)
    if finite.all():
        return voxels, ()
    if not finite.any():
        raise FileRefused(path, "holds no finite value at all (only NaN or infinite voxels).", "Export it again.")
    share = 1 - float(finite.mean())
    lowest = voxels[finite].min()
    message = f"{share:.2%} of the voxels are NaN or infinite; they are shown as the lowest value ({lowest:g})."
    return np.where(finite, voxels, lowest), (Finding("not_finite", message, serious=True),)
