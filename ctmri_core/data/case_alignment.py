"""Bringing the volumes of a patient into one space, where they do not lie in one already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ctmri_core.aligning.align import align
from ctmri_core.aligning.kinds import Kind
from ctmri_core.aligning.placed import placed
from ctmri_core.case import Case
from ctmri_core.data.case_check import Problem
from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work
from ctmri_core.preprocess.spatial_transform import SpatialTransform

_WAY_OUT = "Register the pictures with another program, or take the case out (--leave-out-misaligned)."


def registered(
    case: Case, domains: Sequence[Domain], stop: StopSignal, kind: Kind = "rigid"
) -> Work[tuple[Case, tuple[Problem, ...]] | None]:
    """The case with every other domain registered to the first of `domains` that it has; None when stopped.

    What cannot be laid on the first volume is a problem of kind `registration`, or `mirrored` where its mirror image can, and is
    left where it was.
    """
    there = [domain for domain in domains if domain in case.volumes]
    fixed, found_so_far, problems = case[there[0]], dict[Domain, tuple[SpatialTransform, str]](), []
    for domain in there[1:]:
        found = yield from align(fixed, case[domain], kind, stop)
        if found is None:
            return None
        if found.mirrored:
            message = f"The {domain.label} fits the {fixed.domain.label} only with left and right exchanged: one of them is"
            problems.append(Problem(kind="mirrored", message=f"{message} mirrored. Export it anew, or take the case out."))
        elif found.problem:
            message = f"The {domain.label} could not be registered to the {fixed.domain.label}, and stays where it was."
            problems.append(Problem(kind="registration", message=f"{message} {found.problem} {_WAY_OUT}"))
        else:
            found_so_far[domain] = (found.transform, found.how)
    return laid(case, there[0], found_so_far), tuple(problems)


def laid(case: Case, fixed: Domain, transforms: Mapping[Domain, tuple[SpatialTransform, str]]) -> Case:
    """The case with pictures laid on that of `fixed`: (transform, how it was found) of each. What keeps its shape is moved and
    keeps its voxels, anything else is resampled there."""
    volumes, matrices = dict(case.volumes), dict(case.alignment)
    for domain, (transform, how) in transforms.items():
        if transform.rigid:
            matrices[domain] = transform.backward
        else:
            volumes[domain] = placed(case[domain], case[fixed], transform, how)
            matrices.pop(domain, None)
    return replace(case, volumes=volumes, alignment=matrices)
