"""The scores of the SynthRAD challenges for CT volumes in HU: definitions of Thummerer et al., Med Phys 2023, and of 2025.

All take float or int volumes (k, j, i) in HU and the boolean body mask, and raise `GeometryMismatch` on unequal shapes and
`NotComparable` on NaN inside the mask, an empty mask or 8 bits. Slices are prepared one at a time: of 3-D SSIM seven are kept, of
MS-SSIM the eight times smaller volumes of its next scale too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Image, Mask, check_finite, check_hounsfield, check_pair
from ctmri_core.metrics.errors import mae
from ctmri_core.metrics.psnr import psnr
from ctmri_core.metrics.ssim_scales import SCALE_WEIGHTS
from ctmri_core.metrics.volume_ssim import VolumeSsim

HU_LOW, HU_HIGH = -1024.0, 3000.0
HU_RANGE = HU_HIGH - HU_LOW
_SMALLEST = 97  # five scales of a window of seven: 6 * 2**4 + 1
_Float = NDArray[np.float64]
_Slice = tuple[_Float, _Float, Mask]


@dataclass(frozen=True, slots=True)
class Scores2023:
    """`mae` in HU, `psnr` in dB, `ssim` of 7 x 7 x 7 windows."""

    mae: float
    psnr: float
    ssim: float


@dataclass(frozen=True, slots=True)
class Scores2025:
    """`mae` in HU, `psnr` in dB, `ms_ssim` on five scales."""

    mae: float
    psnr: float
    ms_ssim: float


def synthrad_2023(truth: Image, synthetic: Image, mask: Mask) -> Scores2023:
    """The image scores of the challenge of 2023."""
    return Scores2023(mae(truth, synthetic, mask), psnr_hu(truth, synthetic, mask), ssim_2023(truth, synthetic, mask))


def synthrad_2025(truth: Image, synthetic: Image, mask: Mask) -> Scores2025:
    """The image scores of the challenge of 2025; its Dice and HD95 are those of `label_overlaps`."""
    return Scores2025(mae(truth, synthetic, mask), psnr_hu(truth, synthetic, mask), ms_ssim_2025(truth, synthetic, mask))


def psnr_hu(truth: Image, synthetic: Image, mask: Mask | None = None) -> float:
    """PSNR in dB over the mask, both volumes clipped to [-1024, 3000] HU, data range 4024."""
    check_hounsfield(truth, synthetic)
    return psnr(truth, synthetic, data_range=HU_RANGE, mask=mask, clip=(HU_LOW, HU_HIGH))


def ssim_2023(truth: Image, synthetic: Image, mask: Mask) -> float:
    """Mean over the mask of the 3-D SSIM (uniform 7³), air outside the mask, shifted by +1024 HU, border of 3 cropped."""
    _check_volumes(truth, synthetic, mask)
    if min(mask.shape) < 7:
        raise GeometryMismatch(f"Volumes of {mask.shape} are smaller than the SSIM window of 7 along each axis.")
    tally = VolumeSsim(HU_RANGE)
    for truth_slice, synthetic_slice, inside in zip(truth, synthetic, mask, strict=True):
        tally.add(_shifted(truth_slice, inside), _shifted(synthetic_slice, inside), np.ascontiguousarray(inside))
    if math.isnan(tally.mean):
        raise NotComparable("The mask lies wholly in the border that no window reaches: there is nothing to compare.")
    return tally.mean


def ms_ssim_2025(truth: Image, synthetic: Image, mask: Mask) -> float:
    """Multi-scale SSIM over the mask on five scales, with the published code's two peculiarities.

    Luminance enters at every scale with that scale's weight (Wang et al. 2003 use it at the coarsest only), so that each is
    the mean of SSIM, 0 where negative, raised to the weight; and the mask is thinned, not averaged, from scale to scale.
    Volumes are clipped, air outside the mask, shifted by +1024 HU, and padded with their edge to 97 voxels.
    """
    _check_volumes(truth, synthetic, mask)
    product, slices = 1.0, _padded_slices(truth, synthetic, mask)
    for weight in SCALE_WEIGHTS:
        mean, thinned = _scale(slices, weight)
        product, slices = product * mean, iter(thinned)
    return product


def _check_volumes(truth: Image, synthetic: Image, mask: Mask) -> None:
    check_pair(truth, synthetic, mask)
    check_hounsfield(truth, synthetic)
    if truth.ndim != 3:
        raise GeometryMismatch(f"SynthRAD scores are of volumes; these images have {truth.ndim} dimensions.")


def _shifted(image: Image, mask: Mask, highest: float = math.inf) -> _Float:
    """HU + 1024 of one slice, at most `highest` + 1024, 0 outside the mask. C-contiguous."""
    inside = np.where(mask, image, HU_LOW).astype(np.float64, order="C", copy=False)
    check_finite(inside)
    if highest < math.inf:
        np.clip(inside, HU_LOW, highest, out=inside)
    inside -= HU_LOW
    return inside


def _padded_slices(truth: Image, synthetic: Image, mask: Mask) -> Iterator[_Slice]:
    """Slices of the volumes as MS-SSIM takes them, both edges repeated where an axis is shorter than it needs."""
    padding = [((_SMALLEST - n) // 2, (_SMALLEST - n + 1) // 2) if n < _SMALLEST else (0, 0) for n in mask.shape]
    before, after = padding[0]
    for k in np.clip(np.arange(-before, len(mask) + after), 0, len(mask) - 1):
        images = (_shifted(image[k], mask[k], HU_HIGH) for image in (truth, synthetic))
        a, b, inside = (np.pad(image, padding[1:], mode="edge") for image in (*images, np.ascontiguousarray(mask[k])))
        yield a, b, inside


def _scale(slices: Iterable[_Slice], weight: float) -> tuple[float, list[_Slice]]:
    """(score of one scale, slices of the next)."""
    tally, thinned = VolumeSsim(HU_RANGE, weight), []
    before: tuple[_Float, _Float] | None = None
    for number, (a, b, inside) in enumerate(slices):
        tally.add(a, b, inside)
        if number % 2:
            before = a, b
        else:
            halves = [_halved(image, None if before is None else before[n]) for n, image in enumerate((a, b))]
            thinned.append((halves[0], halves[1], np.ascontiguousarray(inside[::2, ::2])))
    if math.isnan(tally.mean):
        raise NotComparable("The mask is too small for the coarsest scale of MS-SSIM.")
    return tally.mean, thinned


def _halved(this: _Float, before: _Float | None) -> _Float:
    """Every second pixel of the 2 x 2 x 2 mean of a slice and the one before it, with zeros outside."""
    both = this if before is None else this + before
    rows = both[::2].copy()
    rows[1:] += both[1 : 2 * len(rows) - 2 : 2]
    result = rows[:, ::2].copy()
    result[:, 1:] += rows[:, 1 : 2 * result.shape[1] - 2 : 2]
    result /= 8
    return result
