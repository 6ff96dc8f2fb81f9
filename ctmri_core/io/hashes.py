"""A hash of voxels, the same on every machine and in every format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.volume import Voxels


def voxels_sha256(voxels: Voxels) -> str:
    """A hash of type, shape and values."""
    return planes_sha256(voxels.dtype, voxels.shape, voxels)


def planes_sha256(kind: np.dtype[Any], shape: tuple[int, ...], planes: Iterable[NDArray[Any]]) -> str:
    """The same of voxels that come slice by slice and are of the type `kind` once they are read."""
    little = kind.newbyteorder("<")
    digest = hashlib.sha256(f"{little.str} {shape} ".encode())
    for plane in planes:
        digest.update(np.ascontiguousarray(plane, little).data.cast("B"))
    return digest.hexdigest()
