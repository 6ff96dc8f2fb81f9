"""What values alone tell: whether they are Hounsfield units, and whether there are enough of them for a picture."""

from __future__ import annotations

import numpy as np

from ctmri_core.volume import Voxels

_SAMPLE = 200_000
_NOISE_BELOW_AIR = 0.02
FEW_VALUES = 32
"""Fewer distinct values than this make a mask or a label map, not a picture."""


def looks_like_hounsfield(voxels: Voxels) -> bool:
    """Whether the values lie as Hounsfield units do: air at -1000 and tissue around 0, each a fiftieth of the picture or more.

    Below air there may be one value that pads the picture, but no range of them as in phase maps and differences.
    """
    sample = sample_of(voxels)
    air, padding = (sample > -1100) & (sample < -900), sample == min(sample.min(), -1100)
    below = (sample <= -1100) & ~padding
    tissue = (sample > -200) & (sample < 300)
    return bool(np.mean(air | padding) > 0.02 and np.mean(tissue) > 0.02 and np.mean(below) < _NOISE_BELOW_AIR)


def few_values(voxels: Voxels) -> bool:
    """Whether there are too few distinct values for a picture."""
    return len(np.unique(sample_of(voxels))) <= FEW_VALUES


def sample_of(voxels: Voxels) -> Voxels:
    """Some 200,000 of the values, spread evenly."""
    step = max(1, round((voxels.size / _SAMPLE) ** (1 / 3)))
    if min(voxels.shape) <= step:
        return voxels.reshape(-1)[:: max(1, voxels.size // _SAMPLE)]
    return voxels[step // 2 :: step, ::step, ::step]
