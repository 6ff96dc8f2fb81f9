"""Bringing the volumes of a patient into one space, where they do not lie in one already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ctmri_core.aligning.align import align
from ctmri_core.case import Case
from ctmri_core.data.case_check import Problem
from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work

_WAY_OUT = "Register the pictures with another program, or take the case out (--leave-out-misaligned)."


def registered(case: Case, domains: Sequence[Domain], stop: StopSignal) -> Work[tuple[Case, tuple[Problem, ...]] | None]:
    """The case with every other domain rigidly registered to the first of `domains` that it has; None when stopped.

    What cannot be laid on the first volume is a problem of kind `registration`, or `mirrored` where its mirror image can, and is
    left where it was.
    """
    there = [domain for domain in domains if domain in case.volumes]
    fixed, matrices, problems = case[there[0]], dict(case.alignment), []
    for domain in there[1:]:
        found = yield from align(fixed, case[domain], "rigid", stop)
        if found is None:
            return None
        if found.mirrored:
            message = f"The {domain.label} fits the {fixed.domain.label} only with left and right exchanged: one of them is"
            problems.append(Problem(kind="mirrored", message=f"{message} mirrored. Export it anew, or take the case out."))
        elif found.problem:
            message = f"The {domain.label} could not be registered to the {fixed.domain.label}, and stays where it was."
            problems.append(Problem(kind="registration", message=f"{message} {found.problem} {_WAY_OUT}"))
        else:
            matrices[domain] = found.transform.backward
    return replace(case, alignment=matrices), tuple(problems)
