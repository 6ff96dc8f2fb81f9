"""Registration of a volume to another one of the same patient, and whether its result is to be believed.

The one way for the window, `ctmri align` and `ctmri prepare`: what one refuses, the others refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.aligning.kinds import Kind
from ctmri_core.aligning.placed import placed_coarsely, resampled_there
from ctmri_core.alignment import LEAST_INFORMATION, MIRRORED_GAIN, Alignment, alignment_of, mirrored
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.elastic_registration import elastic_from
from ctmri_core.preprocess.registration import affine_from, register_rigid
from ctmri_core.preprocess.resample import coarsened, resample_array
from ctmri_core.preprocess.spatial_transform import SpatialTransform
from ctmri_core.volume import Volume

_FEWEST_SLICES = 5
_COARSE_MM = 2.0
_SHARE_MM = 4.0
# Chosen, not fitted: bodies do not change their size by a seventh between two scans, nor fold.
_MOST_STRETCH = 1.15
_LEAST_JACOBIAN, _MOST_JACOBIAN = 0.3, 3.0
_MOST_BENT_MM = 30.0
_LEAST_SHARED = 0.25
_LEAST_COVERED = 0.20
"""Of the fixed one's body: 12 % of a piece of meat was found in another body, at a mutual information of 1.12; 18 % no more."""
_LOSS = 0.9
"""Of the mutual information above 1 that there was before: with less the result is no gain."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """`before`, `after`: how the moving volume lay on the fixed one, and how it lies with `transform`. `metric`, `overlap`: see
    `Registration`. `problem`: why the result is not to be used, in a sentence for people, or ""; `mirrored`: because only the
    mirror image fits."""

    kind: Kind
    transform: SpatialTransform
    before: Alignment
    after: Alignment
    metric: float
    overlap: float
    problem: str = ""
    mirrored: bool = False

    @property
    def how(self) -> str:
        """For the record: `rigid registration by mutual information (outline overlap 0.93, mutual information 1.14)`."""
        word = {"rigid": "rigid", "affine": "affine", "bspline": "elastic (B-spline)"}[self.kind]
        return f"{word} registration by mutual information ({self.after.numbers})"


def align(fixed: Volume, moving: Volume, kind: Kind, stop: StopSignal) -> Work[Aligned | None]:
    """How `moving` comes to lie on `fixed`; None when stopped.

    `affine` and `bspline` begin where the rigid registration ended, and only if that is to be believed.
    """
    before = alignment_of(fixed, moving)
    if min(min(fixed.geometry.shape), min(moving.geometry.shape)) < _FEWEST_SLICES:
        return _refused(kind, before, "One of the pictures has too few slices to be registered.")
    found = yield from register_rigid(fixed, moving, stop)
    if found is None:
        return None
    transform = SpatialTransform(np.asarray(np.linalg.inv(found.matrix), np.float64))
    result = judged("rigid", fixed, moving, transform, before, found.metric, found.overlap, found.problem)
    if result.problem:
        exchanged = yield from _fits_exchanged(fixed, moving, result, stop)
        if exchanged is None:
            return None
        problem = "The pictures fit only with left and right exchanged: one of them is mirrored." if exchanged else result.problem
        return replace(result, kind=kind, problem=problem, mirrored=exchanged)
    if kind == "rigid" or stop():
        return None if stop() else result
    yield Progress(done=0, message="registering, affine")
    metric, matrix = affine_from(fixed, moving, found.matrix)
    transform = SpatialTransform(np.asarray(np.linalg.inv(matrix), np.float64))
    if kind == "bspline" and not _implausible(transform, fixed.geometry):
        yield Progress(done=0, message="registering, elastic")
        metric, transform = elastic_from(fixed, moving, transform.matrix, stop)
    return None if stop() else judged(kind, fixed, moving, transform, before, metric, found.overlap, rigid=result)


def judged_as_given(fixed: Volume, moving: Volume, transform: SpatialTransform) -> tuple[Alignment, Alignment]:
    """How `moving` lies on `fixed`: as it is, and by a transform that was not found here."""
    return alignment_of(fixed, moving), lies(fixed, moving, transform)


def lies(fixed: Volume, moving: Volume, transform: SpatialTransform) -> Alignment:
    """How `moving` lies on `fixed` by `transform`."""
    return alignment_of(fixed, _there(fixed, moving, transform))


def judged(
    kind: Kind, fixed: Volume, moving: Volume, transform: SpatialTransform, before: Alignment, metric: float, overlap: float,
    problem: str = "", *, rigid: Aligned | None = None,
) -> Aligned:  # fmt: skip
    """Whether `transform`, with `problem` where its search ended with one, is to be believed. `rigid`: what it began from."""
    there = _there(fixed, moving, transform)
    after = alignment_of(fixed, there)
    reference = before
    if rigid is not None:  # interpolated as well: that alone costs information
        reference = alignment_of(fixed, _there(fixed, moving, rigid.transform, resampled=True))
    gain = _no_gain(reference, after)
    said = problem or _implausible(transform, fixed.geometry) or _doubt(after) or gain or _apart(fixed, there)
    return Aligned(kind, transform, before, after, metric, overlap, said)


def _there(fixed: Volume, moving: Volume, transform: SpatialTransform, *, resampled: bool = False) -> Volume:
    """What is resampled is coarse: it is only to be judged."""
    if transform.rigid and not resampled:
        return placed_coarsely(moving, fixed, transform)
    return resampled_there(coarsened(moving, _COARSE_MM), coarsened(fixed, _COARSE_MM), transform)


def _refused(kind: Kind, before: Alignment, problem: str) -> Aligned:
    return Aligned(kind, SpatialTransform(np.eye(4)), before, before, 0.0, 0.0, problem)


def _doubt(alignment: Alignment) -> str:
    """Why a registration is not to be trusted, or ""."""
    if alignment.state == "no overlap":
        return "The pictures have almost no part of the body in common."
    if not alignment.good:
        return f"The pictures do not lie on each other afterwards ({alignment.numbers})."
    if alignment.mutual_information < LEAST_INFORMATION:
        return f"They have too little in common to be of one patient and one part of the body ({alignment.numbers})."
    return ""


def _no_gain(before: Alignment, after: Alignment) -> str:
    if not before.good or after.mutual_information - 1 >= _LOSS * (before.mutual_information - 1):
        return ""
    return f"They lay better before: {before.numbers}; afterwards {after.numbers}."


def _implausible(transform: SpatialTransform, fixed: Geometry) -> str:
    least, most = transform.stretches
    if least < 1 / _MOST_STRETCH or most > _MOST_STRETCH:
        return f"The body would change its size: lengths by a factor of {least:.2f} to {most:.2f}, which no patient does."
    if transform.spline is None:
        return ""
    field, jacobian = transform.field(fixed)
    bent = float(np.linalg.norm(field, axis=0).max())
    if bent > _MOST_BENT_MM or jacobian.min() < _LEAST_JACOBIAN or jacobian.max() > _MOST_JACOBIAN:
        sizes = f"{jacobian.min():.1f} to {jacobian.max():.1f} times their size"
        return f"The body would be bent by up to {bent:.0f} mm, and parts of it to {sizes}, which no patient does."
    return ""


def _apart(fixed: Volume, there: Volume) -> str:
    """Too little of both bodies in the field of view of the other picture to say how they lie; a few slices find a place in
    anybody's."""
    covered = _share_seen(fixed, there)
    share = max(covered, _share_seen(there, fixed))
    if share >= _LEAST_SHARED and covered >= _LEAST_COVERED:
        return ""
    seen = 100 * min(share, covered)
    return f"Only {seen:.0f} % of the body is seen in both pictures, too little to be sure of their position."


def _share_seen(volume: Volume, other: Volume) -> float:
    body, grid = coarse_body_mask(volume, _SHARE_MM)
    view = other.geometry
    whole = Geometry((1, 1, 1), view.extent, tuple(view.centre), view.direction)
    seen: NDArray[np.bool_] = resample_array(np.ones((1, 1, 1), np.bool_), whole, grid)
    return int((body & seen).sum()) / max(int(body.sum()), 1)


def _fits_exchanged(fixed: Volume, moving: Volume, result: Aligned, stop: StopSignal) -> Work[bool | None]:
    """Whether the mirror image of `moving` can be registered where itself could not."""
    other = mirrored(moving)
    found = yield from register_rigid(fixed, other, stop)
    if found is None:
        return None
    transform = SpatialTransform(np.asarray(np.linalg.inv(found.matrix), np.float64))
    after = alignment_of(fixed, placed_coarsely(other, fixed, transform))
    better = after.mutual_information - 1 > MIRRORED_GAIN * (result.after.best - 1)
    return not (found.problem or _doubt(after)) and better
