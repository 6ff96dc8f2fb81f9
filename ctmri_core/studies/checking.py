"""Looks at a study before it opens: whether pictures give their arm away, and whether their order can be kept."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, StopSignal, Work, never
from ctmri_core.studies.assignment import feasible
from ctmri_core.studies.leak_audit import LeakAudit, audit, features_of
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_core.studies.truth import REAL, Truth


@dataclass(frozen=True)
class Checked:
    """`relaxed`: what of the order cannot be kept, in words."""

    audit: LeakAudit
    relaxed: tuple[str, ...]


def check(study: StudyFolder, truth: Truth, stop: StopSignal = never) -> Work[Checked | None]:
    """Looks at every picture of the test; the same folder gives the same answer. None when stopped; raises `CtmriError` where the
    order cannot be kept."""
    relaxed = feasible(study.protocol, truth.plan, truth.items).relaxed
    features, items = [], [item for item in truth.items if item.block == "test"]
    for number, item in enumerate(items):
        if stop():
            return None
        features.append(features_of(study.pictures.voxels(item.token), study.pictures.items[item.token].spacing))
        yield Progress(done=number + 1, total=len(items), message="looking for what gives pictures away")
    found = audit(features, [item.arm != REAL for item in items], [item.patient for item in items])
    return Checked(found, relaxed)


def may_open(found: LeakAudit, override: str) -> None:
    """Raises `CtmriError` where a study gives its synthetic pictures away and no reason says why it is opened all the same."""
    if found.verdict == "blocks" and not override.strip():
        message = f"{found.words} Readers could go by that. Make the pictures more alike, or say why it is opened all the same."
        raise CtmriError(message)
