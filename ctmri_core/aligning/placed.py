"""A volume where a transform puts it, with the record of that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ctmri_core.aligning.kinds import NOT_ALIGNED, REGISTERED
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.spatial_transform import SpatialTransform
from ctmri_core.volume import DicomSource, Finding, Volume

_KEPT = "its voxels are those of the file, only their place is another"
_RESAMPLED = "resampled once onto the grid of the other, trilinear"


def placed(moving: Volume, fixed: Volume, transform: SpatialTransform, how: str, *, on_grid: bool = False) -> Volume:
    """`moving` in the space of `fixed`, which its history and a finding tell. `how`: a phrase such as `Aligned.how`.

    A rigid transform moves the grid and leaves the voxels as they are, unless they are wanted `on_grid`, that of `fixed`; any
    other resamples them there, once.
    """
    kept = transform.rigid and not on_grid
    history = f"{how}: {described(transform, moving.geometry)}; {_KEPT if kept else _RESAMPLED}"
    finding = Finding(REGISTERED, f"Moved onto the other image: {how}. {_sentence(transform, moving.geometry, kept)}")
    findings = (*(each for each in moving.findings if each.kind not in (REGISTERED, NOT_ALIGNED)), finding)
    there = _moved(moving, transform) if kept else resampled_there(moving, fixed, transform)
    return there.with_history(
        history, findings=findings, frame_of_reference=fixed.frame_of_reference,
        dicom=_source_there(moving, there, transform, fixed, kept=kept),
    )  # fmt: skip


def placed_coarsely(moving: Volume, fixed: Volume, transform: SpatialTransform) -> Volume:
    """The same without a record, for judging and looking: by its grid where that is all it takes."""
    return _moved(moving, transform) if transform.rigid else resampled_there(moving, fixed, transform)


def described(transform: SpatialTransform, moving: Geometry) -> str:
    """Every number of the matrix, so that the place can be found again: from the space of the other image to that of this one."""
    rows = "; ".join(" ".join(f"{value:.8g}" for value in row) for row in transform.matrix[:3])
    text = f"turned {transform.turned_degrees:.1f} degrees, middle moved {transform.moved_mm(moving):.1f} mm, LPS matrix [{rows}]"
    if transform.spline is None:
        return text
    size = " x ".join(map(str, transform.spline.coefficients.shape[1:]))
    most = float(np.abs(transform.spline.coefficients).max())
    return f"{text}, after a cubic B-spline of {size} control points of at most {most:.1f} mm"


def _sentence(transform: SpatialTransform, moving: Geometry, kept: bool) -> str:
    moved = f"It was turned by {transform.turned_degrees:.0f} degrees and moved by {transform.moved_mm(moving):.0f} mm"
    return f"{moved}; {'its voxels are those of the file.' if kept else 'its voxels are interpolated.'}"


def _moved(moving: Volume, transform: SpatialTransform) -> Volume:
    affine = _rigid_exactly(transform.backward) @ moving.geometry.affine
    return replace(moving, geometry=Geometry.from_affine(moving.geometry.shape, affine))


def _rigid_exactly(matrix: FloatArray) -> FloatArray:
    """The nearest rotation in the place of one that digits in a file have rounded."""
    left, _, right = np.linalg.svd(matrix[:3, :3])
    result = matrix.copy()
    result[:3, :3] = left @ right
    return result


def resampled_there(moving: Volume, fixed: Volume, transform: SpatialTransform) -> Volume:
    """On the grid of `fixed`, without a record."""
    voxels = transform.resampled(moving, fixed.geometry)
    return replace(moving, voxels=voxels, geometry=fixed.geometry, files=())


def _source_there(
    moving: Volume, there: Volume, transform: SpatialTransform, fixed: Volume, *, kept: bool
) -> DicomSource | None:  # fmt: skip
    """Slices lie in another frame of reference now, and elsewhere."""
    origin = moving.dicom
    if origin is None:
        return None
    back = transform.backward
    positions = tuple(tuple((back[:3, :3] @ place + back[:3, 3]).tolist()) for place in origin.positions) if kept else ()
    changed = replace(origin, frame_of_reference_uid=fixed.frame_of_reference, positions=positions)
    if not kept and len(origin.instance_uids) == there.geometry.shape[0]:
        return replace(changed, instance_uids=(), frames=())  # as many slices by chance, and no slice of them the same
    return changed
