"""Errors of a synthetic CT by tissue, told apart by the HU of the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np

from ctmri_core.errors import NotComparable
from ctmri_core.metrics.checks import Image, Mask, check_hounsfield, paired_values

Tissue = Literal["air", "fat", "soft tissue", "bone"]
TISSUES: tuple[Tissue, ...] = ("air", "fat", "soft tissue", "bone")
_BOUNDS = (-math.inf, -200.0, -30.0, 200.0, math.inf)
BONE_HU = _BOUNDS[-2]
TISSUE_HU = MappingProxyType(dict(zip(TISSUES, pairwise(_BOUNDS), strict=True)))
"""From the first bound on, below the second. Papers differ by up to 100 HU: say which were taken. Lung counts as air."""


@dataclass(frozen=True, slots=True)
class TissueErrors:
    """In HU, over the `voxels` whose truth is of one tissue; `bias` is the mean of synthetic - truth."""

    voxels: int
    mae: float
    bias: float


def tissue_errors(truth: Image, synthetic: Image, mask: Mask | None = None) -> dict[Tissue, TissueErrors]:
    """Of each tissue that occurs in the truth inside `mask`, in one pass.

    Raises `GeometryMismatch` on unequal shapes, `NotComparable` on NaN, an empty mask or 8 bits.
    """
    check_hounsfield(truth, synthetic)
    sums = np.zeros((3, len(TISSUES)))
    for true, made in paired_values(truth, synthetic, mask):
        place, difference = np.digitize(true, _BOUNDS[1:-1]), made - true
        for row, weights in enumerate((None, np.abs(difference), difference)):
            sums[row] += np.bincount(place, weights, len(TISSUES))
    found = zip(TISSUES, *sums.tolist(), strict=True)
    return {tissue: TissueErrors(round(count), off / count, signed / count) for tissue, count, off, signed in found if count}


def tissue_mae(truth: Image, synthetic: Image, mask: Mask | None = None, *, tissue: Tissue) -> float:
    """MAE in HU where the truth is of `tissue`; raises as `tissue_errors`, and `NotComparable` where it nowhere is."""
    return _of(tissue, truth, synthetic, mask).mae


def tissue_bias(truth: Image, synthetic: Image, mask: Mask | None = None, *, tissue: Tissue) -> float:
    """Mean of synthetic - truth there; raises as `tissue_mae`."""
    return _of(tissue, truth, synthetic, mask).bias


def bone_dice(truth: Image, synthetic: Image, mask: Mask | None = None, *, threshold: float = BONE_HU) -> float:
    """Dice overlap of what is at least `threshold` HU in either, over `mask`; raises as `tissue_errors`, and `NotComparable`
    where neither holds bone."""
    check_hounsfield(truth, synthetic)
    bones = common = 0
    for pair in paired_values(truth, synthetic, mask):
        true, made = (values >= threshold for values in pair)
        bones += int(np.count_nonzero(true)) + int(np.count_nonzero(made))
        common += int(np.count_nonzero(true & made))
    if not bones:
        raise NotComparable(f"Neither image holds bone ({threshold:g} HU or more): there is no outline to compare.")
    return 2 * common / bones


def _of(tissue: Tissue, truth: Image, synthetic: Image, mask: Mask | None) -> TissueErrors:
    errors = tissue_errors(truth, synthetic, mask)
    if tissue not in errors:
        low, high = TISSUE_HU[tissue]
        raise NotComparable(f"The truth holds no {tissue} ({low:g} to {high:g} HU) where it is compared.")
    return errors[tissue]
