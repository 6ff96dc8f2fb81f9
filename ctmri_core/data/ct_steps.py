"""CT in steps: exported with 8 bits it has one grey for every 10 HU or so, and networks would learn the steps."""

from __future__ import annotations

import zlib

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.volume import Volume, Voxels

_LEAST_STEP = 3.0
_TISSUE = (-200.0, 400.0)
_LEAST_VALUES = 8
_AIR = -950.0  # and below: that stays what it is


def ct_step(voxels: Voxels) -> float:
    """How many HU lie between neighbouring values of tissue, the median; 0 where that is less than 3 or there is hardly any."""
    low, high = _TISSUE
    values = np.unique(voxels[(voxels >= low) & (voxels <= high)])
    if values.size < _LEAST_VALUES:
        return 0.0
    step = float(np.median(np.diff(values.astype(np.float64))))
    return step if step >= _LEAST_STEP else 0.0


def spread_steps(volume: Volume) -> Volume:
    """CT with every voxel moved by up to half a step either way, at random but alike for the same voxels; what has no steps, and
    anything but CT, as it is."""
    step = ct_step(volume.voxels) if volume.domain is Domain.CT else 0.0
    if not step:
        return volume
    random = np.random.default_rng(zlib.crc32(np.ascontiguousarray(volume.voxels).data))
    noise = random.uniform(-step / 2, step / 2, volume.voxels.shape).astype(np.float32)
    noise[volume.voxels <= _AIR] = 0.0
    return volume.with_history(f"steps of {step:.0f} HU spread", voxels=volume.voxels + noise)
