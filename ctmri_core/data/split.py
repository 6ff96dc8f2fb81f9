"""Who is learnt from, who chooses the best model, who judges it in the end: by patient, never by slice."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ctmri_core.data.layouts.layout import CaseReference, Side
from ctmri_core.errors import FileRefused, TrainingFailed
from ctmri_core.io import preflight

_MOST_BYTES = 64 << 20


class SplitLists(BaseModel):
    """Names of patients by side, fixed by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> SplitLists:
        """From JSON, `{"train": ["p1", ...], "validation": [...], "test": [...]}`. Raises `FileRefused`."""
        if preflight.regular_file(path) > _MOST_BYTES:
            raise FileRefused(path, "is too large for lists of patients.", "Choose the JSON file with the lists.")
        try:
            return cls.model_validate(TypeAdapter(dict[str, tuple[str, ...]]).validate_json(path.read_bytes()))
        except (ValidationError, json.JSONDecodeError):
            example = '{"train": ["name", ...], "validation": [...], "test": [...]}'
            raise FileRefused(path, "holds no lists of patients.", f"Write {example}.") from None


class SplitChoices(BaseModel):
    """Who is learnt from, who chooses the best model and who judges it in the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_share: float = Field(default=0.2, ge=0, lt=1, description="share of the patients kept for validation")
    test_share: float = Field(default=0.0, ge=0, lt=1, description="share of the patients kept for the last test")
    leave_out_centre: str = Field(default="", max_length=100, description="all patients of this centre are the test")
    seed: int = Field(default=0, ge=0, lt=2**31, description="of the split and of every choice by chance")


class SplitPlan(SplitChoices):
    """How to split. Fixed lists come first, then what the folders say, then a centre left out, then chance. Where folders say who
    is for training and test, and nobody is for validation, some of those for training with pairs are.

    Shares are those of all patients, met in every centre alike.
    """

    lists: SplitLists | None = None


def split_cases(cases: Sequence[CaseReference], plan: SplitPlan) -> dict[str, Side]:
    """The side of every patient that has cases. Raises `TrainingFailed` when a patient is on two sides, or a centre unknown."""
    by_patient: dict[str, list[CaseReference]] = defaultdict(list)
    for case in cases:
        by_patient[case.patient].append(case)
    if plan.lists is not None:
        return _listed(by_patient, plan.lists)
    sides: dict[str, Side] = {patient: _given(own) for patient, own in by_patient.items()}
    if plan.leave_out_centre:
        known = sorted({case.centre for case in cases if case.centre})
        if plan.leave_out_centre not in known:
            there = f"there are {', '.join(known)}" if known else "the cases do not say their centres"
            raise TrainingFailed(f"No case is of centre {plan.leave_out_centre!r}; {there}.")
        left_out = plan.leave_out_centre
        sides |= {patient: "test" for patient, own in by_patient.items() if any(case.centre == left_out for case in own)}
    if all(sides.values()) and "validation" not in sides.values():  # the authors' test stays the test
        sides |= {patient: "" for patient, side in sides.items() if side == "train" and _is_paired(by_patient[patient])}
    return sides | _by_chance({patient: min(case.centre for case in own) for patient, own in by_patient.items()}, sides, plan)


def _is_paired(cases: Sequence[CaseReference]) -> bool:
    """Whether a translation of the patient can be held against the truth, which validation does."""
    return any(case.together and (case.domains is None or len(case.domains) > 1) for case in cases)


def split_remarks(cases: Sequence[CaseReference], sides: Mapping[str, Side], plan: SplitPlan) -> list[str]:
    """What the split leaves unused, in sentences; patients are counted, not named."""
    remarks = []
    patients = {case.patient for case in cases}
    if unused := len([patient for patient in patients if not sides.get(patient)]):
        remarks.append(f"{unused} of {len(patients)} patients are on none of the split's sides and are not used.")
    if plan.lists is not None:
        named = {*plan.lists.train, *plan.lists.validation, *plan.lists.test}
        if missing := len(named - patients):
            remarks.append(f"{missing} of the {len(named)} names in the split's lists are of no patient in the data.")
    return remarks


def _given(cases: Sequence[CaseReference]) -> Side:
    """What the folder says of one patient."""
    sides = {case.side for case in cases if case.side}
    if len(sides) > 1:
        message = f"A patient is in both {' and '.join(sorted(sides))}: what is measured on known patients is worth nothing."
        raise TrainingFailed(f"{message} Move all of a patient's pictures to one side, or give --split lists.")
    return sides.pop() if sides else ""


def _listed(patients: Iterable[str], lists: SplitLists) -> dict[str, Side]:
    sides: dict[str, Side] = {}
    parts: dict[Side, tuple[str, ...]] = {"train": lists.train, "validation": lists.validation, "test": lists.test}
    for side, names in parts.items():
        for name in names:
            if sides.setdefault(name, side) != side:
                raise TrainingFailed(f"The lists put one patient into {sides[name]} and into {side}. Keep the name in one list.")
    there = set(patients)
    if not there & set(sides):
        raise TrainingFailed("None of the patients in the lists is in the data. Names are those of the patients' folders.")
    return {patient: side for patient, side in sides.items() if patient in there}


def _by_chance(centres: dict[str, str], given: dict[str, Side], plan: SplitPlan) -> dict[str, Side]:
    """Sides of those without one. A side that the folder has is filled up no more."""
    free = [patient for patient in sorted(centres) if not given[patient]]
    counts: dict[Side, int] = {}
    shares: dict[Side, float] = {"validation": plan.validation_share, "test": plan.test_share}
    for side, share in shares.items():
        wanted = 0 if side in given.values() else round(len(free) * share)
        counts[side] = max(wanted, 1) if share > 0 and side not in given.values() else wanted
    order = _stratified(free, centres, plan.seed)
    if "train" not in given.values():  # somebody must be learnt from
        while sum(counts.values()) > max(len(order) - 1, 0):
            counts[max(counts, key=lambda side: counts[side])] -= 1
    validation, test = counts["validation"], counts["test"]
    result: dict[str, Side] = dict.fromkeys(order[:validation], "validation")
    result |= dict.fromkeys(order[validation : validation + test], "test")
    return result | dict.fromkeys(order[validation + test :], "train")


def _stratified(patients: Sequence[str], centres: dict[str, str], seed: int) -> list[str]:
    """Shuffled so that every beginning of the list holds the centres in about the proportion of the whole.

    Who comes before whom follows from seed and names alone, so that further patients leave most of the others where they are.
    """
    ranked = []
    for centre in sorted({centres[patient] for patient in patients}):
        own = sorted((patient for patient in patients if centres[patient] == centre), key=partial(_lot, seed))
        ranked += [((place + 0.5) / len(own), centre, patient) for place, patient in enumerate(own)]
    return [patient for _, _, patient in sorted(ranked)]


def _lot(seed: int, patient: str) -> bytes:
    return hashlib.blake2b(patient.encode(errors="surrogateescape"), key=str(seed).encode(), digest_size=16).digest()
