"""Studies whose truth and readers are known: answers by rules, orders by the real assignment, no folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ctmri_core.studies.analysis.gather import Gathered
from ctmri_core.studies.assignment import assign
from ctmri_core.studies.chain import Entry
from ctmri_core.studies.protocol import Protocol, Question
from ctmri_core.studies.study_folder import StudyFile
from ctmri_core.studies.trials import Answer, Assignment, Item, ReaderFacts, Trial
from ctmri_core.studies.truth import REAL, Arm, ItemTruth, Order, Plan, Truth

GRADES = Question(key="anatomy", kind="likert", text="Anatomy", low=1, high=4)
Rule = Callable[[Trial, tuple[ItemTruth, ...]], Mapping[str, object] | None]
"""What a reader answers to a trial; None: he has left before."""


def protocol(design="yes_no", **more):
    if design == "grading":
        more = {"questions": (GRADES,), **more}
    if design == "diagnosis":
        more = {"finding": "lesion", **more}
    return Protocol(**{"study": "0f" * 8, "title": "Heads", "design": design, **more})


def pictures(cases, arms=(REAL, "A"), *, practice=0, **of_case: Callable[[int], object]):
    """`cases` cases with a picture of every arm; `of_case`: fields by the number of the case."""
    made = []
    for block, count in (("test", cases), ("practice", practice)):
        for case in range(count):
            for number, arm in enumerate(arms):
                token = f"{1 + case * 8 + number + (1 << 32 if block == 'practice' else 0):016x}"
                key = f"{block[0]}{case:03d}"
                more = {name: value(case) for name, value in of_case.items()}
                source = f"{arm}/{key}.nii"
                made.append(ItemTruth(token=token, arm=arm, case=key, patient=key, block=block, source=source, **more))
    return made


def gathered(
    asked: Protocol, items: Sequence[ItemTruth], readers: Mapping[str, Rule], *, repeats=0.0, closed=True,
    facts: Sequence[ReaderFacts] = (), said: Mapping[str, object] | None = None,
) -> Gathered:  # fmt: skip
    plan = Plan(seed="5e" * 32, repeats=repeats, practice=0, order=Order(may_relax=True), readers=tuple(readers))
    arms = tuple(Arm(name=arm) for arm in dict.fromkeys(item.arm for item in items))
    truth = Truth(protocol=asked.sha256, plan=plan, arms=arms, items=tuple(items), said=dict(said or {}))
    orders = {reader: assign(asked, plan, items, reader) for reader in readers}
    answers = [one for reader, rule in readers.items() for one in _answers(reader, rule, orders[reader], items)]
    entries = [Entry("00" * 8, 1, "opened", "", "2026-01-01T00:00:00Z", {}, "")]
    entries += [Entry("00" * 8, 2, "consent", one.reader, "", one.model_dump(mode="json"), "") for one in facts]
    if closed:
        entries.append(Entry("00" * 8, 9, "closed", "", "", {}, ""))
    file = StudyFile(protocol=asked, sha256=asked.sha256, commitment="c0" * 32, opened="2026-01-01T00:00:00Z", version="1.0")
    shown = {item.token: Item(token=item.token, shape=(6, 8, 8), spacing=(2.0, 1.0, 1.0), sha256="0" * 64) for item in items}
    return Gathered(file, truth, shown, orders, tuple(answers), {}, tuple(entries), "00" * 8, (), ())


def _answers(reader: str, rule: Rule, order: Assignment, items: Sequence[ItemTruth]) -> list[Answer]:
    known = {item.token: item for item in items}
    made = []
    for trial in order.trials:
        said = rule(trial, tuple(known[token] for token in trial.items))
        if said is None:
            break
        base = {"reader": reader, "session": 1, "trial": trial.token, "shown_at": "2026-01-01T00:00:00Z", "response_ms": 4000.0}
        made.append(Answer(**{**base, **said}))
    return made


def is_real(item: ItemTruth) -> bool:
    return item.arm == REAL


def says(choice, confidence=2, **more):
    return {"choice": choice, "confidence": confidence, **more}


def perfect(trial, shown):
    return says("real" if is_real(shown[0]) else "synthetic", 3)


def always_real(trial, shown):
    return says("real", 2)


def number_of(item: ItemTruth) -> int:
    return int(item.case[1:])


def right_on(cases, confidence=2):
    """Right on pictures of both kinds whose case number is among `cases`."""

    def rule(trial, shown):
        right = number_of(shown[0]) in cases
        return says("real" if is_real(shown[0]) == right else "synthetic", confidence)

    return rule


def leaving_after(count, rule):
    def leaving(trial, shown):
        return None if trial.block == "test" and trial.number > count else rule(trial, shown)

    return leaving
