"""What a study will be once it is made, told from its numbers alone: trials, patients, and whether their order can be kept."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import PCG64, Generator

from ctmri_core.errors import CtmriError
from ctmri_core.studies.arms import arms_of, practice_patients
from ctmri_core.studies.assignment import assign, feasible
from ctmri_core.studies.protocol import Design, Protocol
from ctmri_core.studies.truth import ItemTruth, Plan, Reference

_MOST_CASES = 400
_SEED = "0" * 64


@dataclass(frozen=True)
class Foreseen:
    """`trials` of each reader, practice and repeats included; `patients` that are needed, those of practice included.

    `relaxed`: what of the order cannot be kept, in words; `problem`: why there can be no order, empty where there is one;
    `cases`: the fewest with which it can be kept whole, 0 where no number within reason is enough."""

    trials: int
    pictures: int
    patients: int
    relaxed: tuple[str, ...] = ()
    problem: str = ""
    cases: int = 0


def foresee(design: Design, models: int, cases: int, plan: Plan, *, paired: bool) -> Foreseen:
    """Of `cases` patients in the test and pictures of `models` models. Findings of a diagnostic task are taken to be half."""
    items = _items(design, models, cases, plan, paired=paired)
    patients = len({item.patient for item in items})
    protocol = _protocol(design)
    lenient = plan.model_copy(update={"order": plan.order.model_copy(update={"may_relax": True})})
    try:
        relaxed = feasible(protocol, lenient, items).relaxed
        drawn = plan if not relaxed else lenient
        trials = len(assign(protocol, drawn, items, "R").trials)
    except CtmriError as error:
        enough = _enough(design, models, cases, plan, paired=paired)
        return Foreseen(0, len(items), patients, problem=str(error), cases=enough)
    enough = _enough(design, models, cases, plan, paired=paired) if relaxed else cases
    return Foreseen(trials, len(items), patients, relaxed, cases=enough)


def _enough(design: Design, models: int, cases: int, plan: Plan, *, paired: bool) -> int:
    """The fewest cases from `cases` on whose order can be kept whole; by halves, for more never keep less."""
    strict = plan.model_copy(update={"order": plan.order.model_copy(update={"may_relax": False})})

    def keeps(count: int) -> bool:
        try:
            feasible(_protocol(design), strict, _items(design, models, count, plan, paired=paired))
        except CtmriError:
            return False
        return True

    low, high = cases, max(_MOST_CASES, cases + 1)
    if not keeps(high):
        return 0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle + 1, high)
    return low


def _items(design: Design, models: int, cases: int, plan: Plan, *, paired: bool) -> list[ItemTruth]:
    names = [f"model {number}" for number in range(1, models + 1)]
    chance = Generator(PCG64(0))
    made: list[ItemTruth] = []
    for block, count in (("test", cases), ("practice", practice_patients(design, plan, paired=paired))):
        for number, arms in enumerate(arms_of(design, names, count, plan, paired=paired, chance=chance)):
            key = f"{block} {number}"
            reference = Reference(present=number % 2 == 0) if design == "diagnosis" else None
            for arm in arms:
                token = f"{len(made) + 1:016x}"
                made.append(ItemTruth.model_validate({"token": token, "arm": arm, "case": key, "patient": key, "block": block,
                                                      "reference": reference}))  # fmt: skip
    return made


def _protocol(design: Design) -> Protocol:
    """Of which nothing but the design matters."""
    question = ({"key": "grade", "kind": "likert", "text": "Grade"},)
    more = {"questions": question} if design == "grading" else {"finding": "finding"} if design == "diagnosis" else {}
    return Protocol.model_validate({"study": _SEED[:16], "title": "foreseen", "design": design, **more})
