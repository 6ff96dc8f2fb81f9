"""From voxels to the 16-bit whole numbers of classic CT and MR images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.io.value_range import finite_range
from ctmri_core.volume import Finding, Volume

CT_INTERCEPT = -1024
_LOWEST_INTERCEPT = -32768
_FEWEST_LEVELS = 16
_BRAIN_WINDOW = (40.0, 80.0)


@dataclass(frozen=True)
class StoredPixels:
    """`values`: (k, j, i) int16 or uint16, to which `intercept` is added. `window`: (centre, width) in output units.

    `losses`: what of the values is no longer what it was.
    """

    values: NDArray[np.int16] | NDArray[np.uint16]
    signed: bool
    intercept: int
    window: tuple[float, float]
    losses: tuple[Finding, ...]


def stored_pixels(volume: Volume) -> StoredPixels:
    """CT: unsigned, less an intercept of -1024, or a lower one where there are lower values. MR: signed only where negative
    values exist. What is no whole number is rounded, what does not fit is clipped. Raises `WriteFailed`.
    """
    voxels = volume.voxels
    low, high = finite_range(volume)
    if voxels.dtype == np.float32 and high - low < _FEWEST_LEVELS and high > low:
        raise WriteFailed(f"Values from {low:g} to {high:g} would be lost by rounding to whole numbers. Save it as NIfTI.")
    is_ct = volume.domain is Domain.CT
    intercept = max(min(CT_INTERCEPT, math.floor(low)), _LOWEST_INTERCEPT) if is_ct else 0
    signed = not is_ct and low < 0
    limits = np.iinfo(np.int16 if signed else np.uint16)
    lowest, highest = limits.min + intercept, limits.max + intercept
    values: NDArray[np.int16] | NDArray[np.uint16] = (
        np.empty(voxels.shape, np.int16) if signed else np.empty(voxels.shape, np.uint16)
    )
    clipped, error = 0, 0.0
    for target, source in zip(values, voxels, strict=True):
        if source.dtype == np.int16:  # nothing to round, and by the choice of intercept nothing to clip
            target[...] = source.astype(np.int32) - intercept
            continue
        whole = np.rint(source)
        kept = np.clip(whole, lowest, highest)  # before it becomes an integer, which would turn 1e30 into anything
        clipped += int(np.count_nonzero(kept != whole))
        error = max(error, float(np.abs(whole - source).max()))
        target[...] = kept.astype(np.int32) - intercept
    losses = []
    if clipped:
        message = f"{clipped} values beyond {lowest} to {highest} do not fit into DICOM and were clipped: they are wrong there."
        losses.append(Finding("clipped", message, serious=True))
    if error:
        message = f"Values from {low:g} to {high:g} were rounded to whole numbers for DICOM, by up to {error:.2g}."
        losses.append(Finding("rounded", message))
    return StoredPixels(values, signed, intercept, _window(volume), tuple(losses))


def _window(volume: Volume) -> tuple[float, float]:
    if volume.window is not None and volume.window[1] >= 1:
        return volume.window
    if volume.domain is Domain.CT:
        return _BRAIN_WINDOW
    sample = volume.voxels.reshape(-1)[:: max(1, volume.voxels.size // 200_000)]
    body = sample[sample > sample.min()]
    low, high = np.percentile(body, (0.5, 99.5)) if body.size else (0.0, 1.0)
    return round(float(low + high) / 2, 2), max(1.0, round(float(high - low), 2))
