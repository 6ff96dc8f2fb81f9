"""Doubt about the size that a file gives to its voxels: what cannot be a patient is said, for every measurement rests on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.geometry import Geometry
from ctmri_core.volume import Finding

_LONGEST_MM = 3000.0  # a table's travel is shorter
_SHORTEST_MM, _MANY = 4.0, 32  # of the longest side, of so many voxels; the brain of a mouse is longer
_PLANES = ("sagittal", "coronal", "axial")  # by the axis of the patient along their normal


def size_findings(geometry: Geometry) -> Iterator[Finding]:
    """Sides that no patient has, and slices that are but a line."""
    longest = max(geometry.extent)
    if longest > _LONGEST_MM or (longest < _SHORTEST_MM and max(geometry.shape) >= _MANY):
        sides = " × ".join(f"{side:.6g}" for side in sorted(geometry.spacing))
        yield Finding(
            "odd_size",
            f"By its voxel size ({sides} mm) this image is {_length(longest)} long. No patient is: lengths and areas measured "
            "here are wrong. Correct the voxel size in the file.",
            serious=True,
        )
    for axis in (1, 2):
        if geometry.shape[axis] == 1 and max(geometry.shape) > 1:
            plane = _PLANES[int(np.argmax(np.abs(geometry.axes[axis])))]
            yield Finding("thin", f"Slices are one voxel wide, so they show a line. The {plane} plane shows the picture.")


def _length(mm: float) -> str:
    return f"{mm / 1000:.3g} m" if mm >= 1000 else f"{mm:.3g} mm"
