"""Whether a file that opens here and elsewhere opens to the same voxels in the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.io.reader_process import ReaderProcess
from ctmri_core.volume import Volume
from tests.hostile.references import BY_FORMAT, TASKS

_SIZED_OTHERWISE = ("estimated_spacing", "given_spacing", "spacing_conflict", "missing_orientation", "orientation_conflict")
"""Findings that say that place or size were guessed or chosen, where others choose in silence."""

_AIR = -1024
_MM_PER_UNIT = (1.0, 1000.0, 0.001)
"""nibabel leaves metres and micrometres to its caller."""


class OtherReaders:
    """nibabel, SimpleITK, pydicom and Pillow in a process of their own."""

    def __init__(self) -> None:
        self._process = ReaderProcess(task_prefix=TASKS)

    def close(self) -> None:
        self._process.shutdown()

    def differs(self, group: str, path: Path, volume: Volume) -> str | None:
        """What another reader sees otherwise; empty when nothing, None when it cannot read the file."""
        reader = BY_FORMAT.get(group)
        if reader is None or path.is_dir():
            return None
        try:
            voxels, affine = self._process.call(f"{TASKS}:{reader.__name__}", path, timeout_s=30)
        except FileRefused:
            return None
        except Exception:  # noqa: BLE001  # whatever a library raises at a damaged file means that it cannot read it
            return None
        return _difference(volume, voxels, affine)


def _difference(volume: Volume, voxels: np.ndarray, affine: np.ndarray | None) -> str:
    if voxels.shape != volume.voxels.shape:
        return f"shape {volume.voxels.shape}, elsewhere {voxels.shape}"
    with np.errstate(all="ignore"):
        there = voxels.astype(np.float32)
        finite = np.isfinite(there) & (np.abs(there) < 1e37)
        here = volume.voxels.astype(np.float32)
        if any(finding.kind == "padding" for finding in volume.findings):
            finite &= here != _AIR  # what lies outside of the scanner's circle is air here and a number of its own elsewhere
        apart = np.abs(here[finite] - there[finite])
        if apart.size and (apart > 1e-5 * np.abs(there[finite]) + 1e-6).any():
            return f"{(apart > 0).mean():.1%} of the voxels, by up to {apart.max():g}"
        chosen = any(finding.kind in _SIZED_OTHERWISE for finding in volume.findings)
        if affine is None or chosen:
            return ""
        for unit in _MM_PER_UNIT:
            scaled = affine * unit
            scaled[3, 3] = 1
            place = np.abs(volume.geometry.affine - scaled)
            if (place <= 1e-4 * np.maximum(1, np.abs(scaled))).all():
                return ""
        return f"place or size, by up to {np.abs(volume.geometry.affine - affine).max():g} mm"
