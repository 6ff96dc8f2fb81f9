"""The values of volumes along a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_core.preprocess.resample import sample_plane
from ctmri_core.volume import Volume

_MOST_SAMPLES = 2048
_PER_VOXEL = 2


@dataclass(frozen=True)
class Profile:
    """`distance_mm`: (n,) from the line's first end. `values`: by volume float32 (n,), trilinear, not a number beyond it."""

    distance_mm: FloatArray
    values: Mapping[str, NDArray[np.float32]]


def line_profile(line: Shape, volumes: Mapping[str, Volume]) -> Profile:
    """Both ends included; two samples for each width of the smallest voxel, at most 2048. Raises `ValueError` for another shape
    than a length, or one without any."""
    length = line.length_mm
    if line.kind is not Kind.LENGTH or not length:
        raise ValueError("A profile runs along a line from one place to another.")
    finest = min((min(volume.geometry.spacing) for volume in volumes.values()), default=1.0)
    count = min(max(int(np.ceil(length * _PER_VOXEL / finest)), 1) + 1, _MOST_SAMPLES)
    lattice = _lattice(line, length / (count - 1), count)
    values = {name: sample_plane(volume, lattice, outside=np.nan)[0] for name, volume in volumes.items()}
    return Profile(np.linspace(0.0, length, count), values)


def _lattice(line: Shape, step: float, count: int) -> Geometry:
    """(1, 1, count): points along the line."""
    along = line.array[1] - line.array[0]
    along /= np.linalg.norm(along)
    beside = np.eye(3)[int(np.argmin(np.abs(along)))]
    across = np.cross(along, beside)
    across /= np.linalg.norm(across)
    axes = np.stack((np.cross(across, along), across, along))
    return Geometry((1, 1, count), (1.0, 1.0, step), line.points[0], tuple(map(tuple, axes)))  # type: ignore[arg-type]  # three of three
