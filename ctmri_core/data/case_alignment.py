"""Bringing the volumes of a patient into one space, where they do not lie in one already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ctmri_core.case import Case
from ctmri_core.comparison import alignment_of
from ctmri_core.data.case_check import Problem
from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work
from ctmri_core.preprocess.registration import register_rigid

_FEWEST_SLICES = 5


def registered(case: Case, domains: Sequence[Domain], stop: StopSignal) -> Work[tuple[Case, tuple[Problem, ...]] | None]:
    """The case with every other domain rigidly registered to the first of `domains` that it has; None when stopped.

    The result is looked at once more: what does not lie on the first volume afterwards is a problem of kind `registration`.
    """
    there = [domain for domain in domains if domain in case.volumes]
    fixed, alignment, problems = case[there[0]], dict(case.alignment), []
    for domain in there[1:]:
        moving = case[domain]
        if min(min(fixed.geometry.shape), min(moving.geometry.shape)) < _FEWEST_SLICES:
            message = f"The {domain.label} has too few slices to be registered."
            problems.append(Problem(kind="registration", message=message))
            continue
        found = yield from register_rigid(fixed, moving, stop)
        if found is None:
            return None
        alignment[domain] = found.matrix
        moved = replace(case, alignment=alignment).aligned(domain)
        verdict = alignment_of(fixed, moved)
        if found.problem or not verdict.comparable:
            said = found.problem or "The pictures do not lie on each other after registration."
            message = f"The {domain.label} could not be registered to the {fixed.domain.label}. {said}"
            problems.append(Problem(kind="registration", message=message))
    return replace(case, alignment=alignment), tuple(problems)
