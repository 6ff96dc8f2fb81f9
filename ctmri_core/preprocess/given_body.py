"""A body that a person outlined, in the place of the one that is found."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.resample import lattices_coincide, resample_array
from ctmri_core.volume import Volume

_Mask = NDArray[np.bool_]
_OFF_BY = 0.02
"""Of a voxel: as much as formats lose that keep positions in few digits."""


def body_in(mask: Volume, source: Volume) -> _Mask:
    """bool (k, j, i) on the grid of `source`: where `mask` is not 0.

    Raises `WrongInput` when it is none (its values are not 0 and one other), is empty, or has not the voxels of `source`; their
    order in the file may be another one.
    """
    problem, voxels = _problem_with(mask), mask.voxels
    if problem:
        raise WrongInput(f"The mask of the body {problem}")
    if not same_voxels(mask.geometry, source.geometry):
        grids = " and ".join(_grid_words(geometry) for geometry in (mask.geometry, source.geometry))
        raise WrongInput(f"The mask of the body and the scan do not have the same voxels: {grids}. Draw it on this scan.")
    inside = np.not_equal(voxels, 0)
    if mask.geometry.shape == source.geometry.shape and mask.geometry.is_close(source.geometry, _tolerance(source.geometry)):
        return inside
    return resample_array(inside, mask.geometry, source.geometry, order=0)


def checked_body(body: NDArray[Any], source: Volume) -> _Mask:
    """`body` itself. Raises `WrongInput` when it is no bool array on the grid of `source`, or is empty."""
    if body.dtype != np.bool_ or body.shape != source.geometry.shape:
        raise WrongInput(f"The mask of the body is {body.dtype} {body.shape}, the scan {source.geometry.shape}.")
    if not body.any():
        raise WrongInput("The mask of the body is empty: nothing would be translated. Draw it, or leave it out.")
    return body


def mask_volume(body: _Mask, source: Volume) -> Volume:
    """int16 0 and 1 on the grid of `source`, to be saved; without its patient data."""
    return Volume(
        body.astype(np.int16), source.geometry, Domain.UNKNOWN, "Body mask",
        frame_of_reference=source.frame_of_reference, history=("outline of the body",),
    )  # fmt: skip


def body_note(body: _Mask | None, source: Volume) -> dict[str, Any]:
    """For the record of a result: whether the body of `source` was given, with a hash by which its mask is known again.

    A mask that is exactly what is found anyway counts as found. `sha256`: of the voxels in file order (i fastest), one byte each.
    """
    if body is None:
        return {"origin": "found"}
    origin = "found" if np.array_equal(body, body_mask(source)) else "given"
    return {"origin": origin, "sha256": hashlib.sha256(np.ascontiguousarray(body).view(np.uint8).data).hexdigest()}


def _problem_with(mask: Volume) -> str:
    found: set[float] = set()
    for slice_ in mask.voxels:
        found.update(np.unique(slice_).tolist())
        if len(found) > 2 or not all(np.isfinite(value) for value in found):
            return "holds more than 0 and one other value. Save one region alone, with 0 outside of it."
    if found <= {0}:
        return "is empty: all its values are 0. Draw it, or leave it out."
    return "" if 0 in found or found == {1} else "has the same value everywhere. What is outside of the body must be 0."


def same_voxels(one: Geometry, other: Geometry) -> bool:
    """Whether two grids have their voxels at the same places, in whatever order they are stored."""
    if sorted(one.shape) != sorted(other.shape):
        return False
    if one.shape == other.shape and one.is_close(other, _tolerance(other)):
        return True
    corners, last = one.mm_to_index(other.corners), np.array(one.shape) - 1
    return lattices_coincide(one, other) and bool((corners > -_OFF_BY).all() and (corners < last + _OFF_BY).all())


def _tolerance(geometry: Geometry) -> float:
    return max(1e-3, _OFF_BY * min(geometry.spacing))


def _grid_words(geometry: Geometry) -> str:
    shape, spacing = (" x ".join(f"{value:g}" for value in values) for values in (geometry.shape, np.round(geometry.spacing, 3)))
    return f"{shape} voxels of {spacing} mm"
