"""The range of what is written: whatever form it takes, other programs must find numbers there."""

from __future__ import annotations

import numpy as np

from ctmri_core.errors import WriteFailed
from ctmri_core.volume import Volume


def finite_range(volume: Volume) -> tuple[float, float]:
    """Its lowest and highest value. Raises `WriteFailed` where any is NaN or infinite."""
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if not np.isfinite([low, high]).all():
        raise WriteFailed("The volume holds NaN or infinite values, which programs read differently. Replace them first.")
    return low, high
