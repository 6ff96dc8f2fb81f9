"""Bringing the volumes of a patient into one space, where they do not lie in one already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ctmri_core.alignment import LEAST_INFORMATION, MIRRORED_GAIN, Alignment, alignment_of, mirrored
from ctmri_core.case import Case
from ctmri_core.data.case_check import Problem
from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work
from ctmri_core.preprocess.registration import register_rigid
from ctmri_core.volume import Volume

_FEWEST_SLICES = 5
_WAY_OUT = "Register the pictures with another program, or take the case out (--leave-out-misaligned)."


def registered(case: Case, domains: Sequence[Domain], stop: StopSignal) -> Work[tuple[Case, tuple[Problem, ...]] | None]:
    """The case with every other domain rigidly registered to the first of `domains` that it has; None when stopped.

    The result is looked at once more: what does not lie on the first volume afterwards is a problem of kind `registration`, or
    `mirrored` where its mirror image does, and is left where it was.
    """
    there = [domain for domain in domains if domain in case.volumes]
    fixed, matrices, problems = case[there[0]], dict(case.alignment), []
    for domain in there[1:]:
        moving = case[domain]
        if min(min(fixed.geometry.shape), min(moving.geometry.shape)) < _FEWEST_SLICES:
            message = f"The {domain.label} or the {fixed.domain.label} has too few slices to be registered. {_WAY_OUT}"
            problems.append(Problem(kind="registration", message=message))
            continue
        found = yield from register_rigid(fixed, moving, stop)
        if found is None:
            return None
        placed = {**matrices, domain: found.matrix}
        alignment = alignment_of(fixed, replace(case, alignment=placed).aligned(domain))
        said = found.problem or _doubt(alignment)
        exchanged = (yield from _fits_exchanged(fixed, moving, alignment, stop)) if said else False
        if exchanged is None:
            return None
        if exchanged:
            message = f"The {domain.label} fits the {fixed.domain.label} only with left and right exchanged: one of them is"
            problems.append(Problem(kind="mirrored", message=f"{message} mirrored. Export it anew, or take the case out."))
        elif said:
            message = f"The {domain.label} could not be registered to the {fixed.domain.label}, and stays where it was."
            message += f" {said} {_WAY_OUT}"
            problems.append(Problem(kind="registration", message=message))
        else:
            matrices = placed
    return replace(case, alignment=matrices), tuple(problems)


def _fits_exchanged(fixed: Volume, moving: Volume, alignment: Alignment, stop: StopSignal) -> Work[bool | None]:
    """Whether the mirror image of `moving` can be registered where itself could not, which came to `alignment`."""
    other = mirrored(moving)
    found = yield from register_rigid(fixed, other, stop)
    if found is None:
        return None
    placed = alignment_of(fixed, Case("", {other.domain: other}, alignment={other.domain: found.matrix}).aligned(other.domain))
    better = placed.mutual_information - 1 > MIRRORED_GAIN * (alignment.best - 1)
    return not (found.problem or _doubt(placed)) and better


def _doubt(alignment: Alignment) -> str:
    """Why a registration is not to be trusted, or ""."""
    if not alignment.good:
        return f"The pictures do not lie on each other afterwards ({alignment.numbers})."
    if alignment.mutual_information < LEAST_INFORMATION:
        return f"They have too little in common to be of one patient and one part of the body ({alignment.numbers})."
    return ""
