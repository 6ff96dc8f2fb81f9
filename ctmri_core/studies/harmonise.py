"""Takes away, before a study opens, what the leak audit found to give pictures away; what was done goes on record.

A difference is taken away between the pictures of one patient. Where a patient is shown real or synthetic but not both, only the
background and the grey levels can be brought together; the rest is refused, since it would need another patient's picture.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, Started, StopSignal, Work, never
from ctmri_core.studies.checking import Checked, check
from ctmri_core.studies.harmonise_steps import Common, StepKind, agree, changed
from ctmri_core.studies.leak_audit import WARNS, LeakAudit, features_of
from ctmri_core.studies.pictures import name_of, write_items, write_picture
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_core.studies.trials import Item
from ctmri_core.studies.truth import Harmonised, ItemTruth, Truth

_CURES: dict[StepKind, tuple[str, ...]] = {
    "background": ("background", "background_sd"),
    "extent": ("background_share", "height", "depth", "width"),
    "smooth": ("sharpness", "fine"),
    "noise": ("noise",),
    "range": ("lowest", "highest"),
    "levels": ("values",),
}
"""In the order in which they are made: each leaves alone what those before it have brought together, as far as that can be."""
_WORDS: dict[StepKind, str] = {
    "background": "give all pictures one background, without spread",
    "extent": "cut the pictures of a patient to the part that all of them show",
    "smooth": "smooth the sharper of the pictures of a patient until they are like the others",
    "noise": "add noise to the quieter of the pictures of a patient until they are like the others",
    "range": "cut off values that not all pictures of a patient reach",
    "levels": "round all values to as few grey levels as the coarsest picture has",
}
_ALONE: tuple[StepKind, ...] = ("background", "levels")
"""What needs no second picture of the patient."""


@dataclass(frozen=True)
class Step:
    """One thing that can be done. `features`: what tells and it is for, the most telling first, which is `feature`."""

    kind: StepKind
    feature: str
    features: tuple[str, ...]

    @property
    def words(self) -> str:
        return _WORDS[self.kind]


@dataclass(frozen=True)
class Harmonising:
    """`study`: the draft as it is now; `before`, `after`: its audits; `done`: what went into its truth."""

    study: StudyFolder
    before: LeakAudit
    after: Checked
    done: tuple[Harmonised, ...]

    @property
    def words(self) -> str:
        """One or two sentences: what became of the audit."""
        return f"Area {_area(self.before)} before, {_area(self.after.audit)} now. {self.after.audit.words}"


def offers(audit: LeakAudit) -> tuple[Step, ...]:
    """What would take away the features that tell, in the order in which it is made; nothing where the audit is clear."""
    if audit.verdict not in ("warns", "blocks"):
        return ()
    telling = {one.key: one.area for one in audit.features if one.area > WARNS}
    found = []
    for kind, cured in _CURES.items():
        features = tuple(sorted((key for key in cured if key in telling), key=lambda key: -telling[key]))
        if features and (audit.patients < audit.pictures or kind in _ALONE):
            found.append(Step(kind, features[0], features))
    return tuple(found)


def not_offered(audit: LeakAudit) -> str:
    """What tells and cannot be taken away, and why, in one sentence; empty where there is nothing."""
    if audit.verdict not in ("warns", "blocks"):
        return ""
    cured = {key for step in offers(audit) for key in step.features}
    left = [one.title for one in audit.features if one.area > WARNS and one.key not in cured]
    if left:
        return f"Cannot be taken away, since no patient is shown both real and synthetic: {', '.join(left)}."
    return "" if cured else "No feature tells alone, only several together: there is nothing to take away."


def harmonised(
    study: StudyFolder, steps: Sequence[Step], passphrase: str = "", stop: StopSignal = never
) -> Work[Harmonising | None]:
    """Changes the pictures of a draft, records it in its truth, and runs the audit again; None when stopped, nothing changed.

    Raises `WriteFailed` for a study that is open, `CtmriError` where a step needs patients who are shown twice.
    """
    study.refuse_if_open()
    truth = study.truth(passphrase)
    checked = yield from check(study, truth, stop)
    if checked is None:
        return None
    _check_pairs(truth, steps)
    order = sorted(steps, key=lambda step: list(_CURES).index(step.kind))
    written = yield from _written(study, truth, order, stop)
    if written is None:
        return None
    items, renamed = written
    tokens = {item.token for item in truth.items}
    write_items(study.path, [*items, *study.pictures.items.values()])  # both, until the truth knows the new ones
    truths = tuple(item.model_copy(update={"token": renamed[item.token]}) for item in truth.items)
    draft = study.change(study.protocol, truth.model_copy(update={"items": truths}), passphrase)
    again = yield from check(draft, draft.truth(passphrase))
    assert again is not None
    done = _recorded(order, checked.audit, again.audit)
    truth = truth.model_copy(update={"items": truths, "harmonised": (*truth.harmonised, *done)})
    draft = draft.change(draft.protocol, truth, passphrase)
    write_items(draft.path, items)
    for token in tokens:
        with suppress(OSError):  # a picture that nobody names any more does no harm
            (draft.path / name_of(token)).unlink()
    return Harmonising(StudyFolder(draft.path), checked.audit, again, done)


def _check_pairs(truth: Truth, steps: Sequence[Step]) -> None:
    arms = defaultdict(set)
    for item in truth.items:
        arms[item.patient].add(item.arm)
    if any(step.kind not in _ALONE for step in steps) and any(len(seen) < 2 for seen in arms.values()):
        message = "Some patients are shown real or synthetic but not both, and have no second picture to be brought to."
        raise CtmriError(f"{message} Make the study of pairs, or bring the pictures together before.")


def _written(
    study: StudyFolder, truth: Truth, steps: Sequence[Step], stop: StopSignal
) -> Work[tuple[list[Item], dict[str, str]] | None]:
    """New pictures beside the old ones, patient by patient, and which took whose place; None, with none left, when stopped."""
    patients: dict[str, list[ItemTruth]] = defaultdict(list)
    for item in truth.items:
        patients[item.patient].append(item)
    yield Started(job="harmonising", total=len(patients), unit="patients")
    common = _common(study, truth)
    items: list[Item] = []
    renamed: dict[str, str] = {}
    for number, of_patient in enumerate(patients.values(), 1):
        spacing = study.pictures.items[of_patient[0].token].spacing
        pictures = [study.pictures.voxels(item.token) for item in of_patient]
        names = [hashlib.sha256(f"{truth.plan.seed}\n{item.token}".encode()).hexdigest() for item in of_patient]
        seeds = [int(name[16:32], 16) for name in names]
        for step in steps:
            pictures = changed(step.kind, pictures, spacing, common, seeds)
        for item, name, voxels in zip(of_patient, names, pictures, strict=True):
            renamed[item.token] = name[:16]
            items.append(write_picture(study.path, name[:16], voxels, spacing))
        if stop():
            for token in renamed.values():
                (study.path / name_of(token)).unlink()
            return None
        yield Progress(done=number, total=len(patients), unit="patients", message="harmonising")
    return items, renamed


def _common(study: StudyFolder, truth: Truth) -> Common:
    return agree([features_of(study.pictures.voxels(one.token), study.pictures.items[one.token].spacing) for one in truth.items])


def _recorded(steps: Sequence[Step], before: LeakAudit, after: LeakAudit) -> tuple[Harmonised, ...]:
    """Of each feature its area alone, before and after."""
    areas = [{one.key: one for one in audit.features} for audit in (before, after)]
    return tuple(
        Harmonised(feature=areas[0][key].title, step=step.words, before=areas[0][key].area, after=areas[1][key].area)
        for step in steps for key in step.features
    )  # fmt: skip


def _area(audit: LeakAudit) -> str:
    return "unknown" if audit.area is None else f"{audit.area:.2f}"
