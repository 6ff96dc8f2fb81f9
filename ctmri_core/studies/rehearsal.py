"""A study to try everything with before patients' pictures are touched: digital heads, one free place, simulated readers.

Nothing in it is special but its pictures: it is opened, read, closed, analysed and reported as any other study.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import ctmri_core
from ctmri_core.errors import Stopped
from ctmri_core.events import Progress, Started, StopSignal, Work, never
from ctmri_core.files import atomic_folder
from ctmri_core.studies.checking import check
from ctmri_core.studies.pictures import write_picture
from ctmri_core.studies.protocol import Analysis, Design, Display, Protocol, Question
from ctmri_core.studies.rehearsal_pictures import FORM, MODELS, HeadPictures, heads
from ctmri_core.studies.simulated_reading import simulate
from ctmri_core.studies.study_folder import StudyFolder, write_draft
from ctmri_core.studies.trials import Block, Item
from ctmri_core.studies.truth import REAL, Arm, ItemTruth, Order, Plan, Reference, Truth

YOU = "YOU"
"""The reader's place that is left free."""
SKILLS = (0.75, 0.65, 0.85, 0.6)
"""Of the simulated readers, in turn."""
TEST_HEADS = 10
_SEED_BASE = 400_000
_QUESTIONS: dict[Design, str] = {
    "yes_no": "Is this picture real or synthetic?",
    "two_alternatives": "Which of the two is synthetic?",
    "rank": "Put the pictures in order, the most convincing first.",
    "grading": "How good is this picture?",
    "diagnosis": "Is there a round dark lesion in the white matter?",
}
_GRADES = tuple(
    Question(key=key, kind="likert", text=text, low=1, high=4, low_label="not at all", high_label="fully")
    for key, text in (("anatomy", "Anatomy is drawn well"), ("artefacts", "Free of artefacts"))
)
_ABOUT = "A rehearsal with digital heads, which are nobody's. Real is the head as it was drawn; synthetic ones waver."
__all__ = ["SKILLS", "TEST_HEADS", "YOU", "make_rehearsal", "simulate"]


def make_rehearsal(
    folder: Path, design: Design = "yes_no", *, seed: int = 0, readers: int = 3, stop: StopSignal = never
) -> Work[StudyFolder | None]:
    """Writes a study that is open, with a place for `YOU` and `readers` - 1 simulated readers who have read; None when stopped.

    Its truth is sealed with a kept key. Half a minute. Raises `WriteFailed` where `folder` holds something.
    """
    total = TEST_HEADS + _practice_heads(design)
    yield Started(job="making a rehearsal", total=total, unit="heads")
    others = tuple(f"S{number}" for number in range(1, readers))
    drawn = hashlib.sha256(f"rehearsal {seed}".encode()).hexdigest()
    plan = Plan(seed=drawn, practice=2, readers=(YOU, *others), order=Order(may_relax=True))
    protocol = _protocol(design)
    try:
        with atomic_folder(folder) as draft:
            items, truths = yield from _pictures(draft, design, seed, total, stop)
            arms = tuple(Arm(name=arm) for arm in dict.fromkeys(item.arm for item in truths))
            truth = Truth(protocol=protocol.sha256, plan=plan, arms=arms, items=tuple(truths))
            write_draft(draft, protocol, truth, items)
    except Stopped:
        return None
    return (yield from _opened(StudyFolder(folder), truth, seed, stop))


def _opened(study: StudyFolder, truth: Truth, seed: int, stop: StopSignal) -> Work[StudyFolder | None]:
    found = yield from check(study, truth, stop)
    if found is None:
        return None
    override = "a rehearsal with digital heads" if found.audit.verdict == "blocks" else ""
    said = {"audit": found.audit.model_dump(mode="json"), "override": override}
    opened = study.open(datetime.now(UTC).isoformat(timespec="seconds"), ctmri_core.__version__, said)
    for number, reader in enumerate(one for one in truth.plan.readers if one != YOU):
        if stop():
            return None
        yield Progress(done=number, message=f"{reader} reads")
        simulate(opened.path, reader, SKILLS[number % len(SKILLS)], seed + number)
    return opened


def _protocol(design: Design) -> Protocol:
    return Protocol(
        study=secrets.token_hex(8), title="Rehearsal", design=design, question=_QUESTIONS[design], about=_ABOUT,
        consent="I know that this is a rehearsal, and that nothing follows from it.",
        reasons=("contours", "texture", "anatomy") if design in ("yes_no", "two_alternatives") else (),
        marks=design in ("yes_no", "diagnosis"), questions=_GRADES if design == "grading" else (),
        finding="a round dark lesion in the white matter" if design == "diagnosis" else "",
        analysis=Analysis(margin=0.5 if design == "grading" else 0.1), display=Display(shown="volume", least_seconds=0.5),
    )  # fmt: skip


def _arms(design: Design, place: int) -> tuple[str, ...]:
    """What is shown of a head: of choices and findings one model, the two in turn where both are as good."""
    if design == "rank":
        return REAL, *MODELS
    if design == "diagnosis":
        return REAL, MODELS[0]
    return REAL, MODELS[place % 2]


def _practice_heads(design: Design) -> int:
    return 2 if design in ("two_alternatives", "rank") else 1


def _pictures(
    folder: Path, design: Design, seed: int, total: int, stop: StopSignal
) -> Work[tuple[list[Item], list[ItemTruth]]]:  # fmt: skip
    """Raises `Stopped`."""
    chance = hashlib.sha256(f"tokens {seed} {secrets.token_hex(8)}".encode())
    items: list[Item] = []
    truths: list[ItemTruth] = []
    made = heads(_SEED_BASE + 1000 * (seed % 1000), lesions=design == "diagnosis")
    for place, head in enumerate(islice(made, total)):
        block: Block = "test" if place < TEST_HEADS else "practice"
        for arm in _arms(design, place):
            chance.update(b".")
            token = chance.hexdigest()[:16]
            items.append(write_picture(folder, token, head.arms[arm], FORM.spacing))
            truths.append(_truth(head, arm, token, block, design))
        yield Progress(done=place + 1, total=total, unit="heads", message="drawing heads")
        if stop():
            raise Stopped("The rehearsal was not made.")
    return items, truths


def _truth(head: HeadPictures, arm: str, token: str, block: Block, design: Design) -> ItemTruth:
    key = f"head-{head.seed}"
    reference = None
    if design == "diagnosis":
        reference = Reference(present=False) if head.lesion is None else Reference(
            present=True, places=(head.lesion[0],), radius=head.lesion[1] + 4)  # fmt: skip
    return ItemTruth(
        token=token, arm=arm, case=key, patient=key, block=block, centre="phantom", region="head", origin=head.origin,
        reference=reference,
    )  # fmt: skip
