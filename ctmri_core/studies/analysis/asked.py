"""Answers to custom questions, by arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ctmri_core.studies.analysis.answered import Answered, Row
from ctmri_core.studies.analysis.found import ALL
from ctmri_core.studies.analysis.results import Asked
from ctmri_core.studies.protocol import Question


def asked(answered: Answered) -> tuple[Asked, ...]:
    """Counts of choices and steps, means of scales and numbers, how many texts and marks. Texts stand in the exports alone."""
    return tuple(one for question in answered.protocol.questions for one in _by_arm(answered, question))


def _by_arm(answered: Answered, question: Question) -> Iterator[Asked]:
    several = answered.design in ("two_alternatives", "rank")
    for arm in (ALL,) if several else answered.arms:
        rows = [row for row in answered.first if several or row.item.arm == arm]
        if rows:
            yield _asked(question, arm, rows)


def _asked(question: Question, arm: str, rows: list[Row]) -> Asked:
    about: dict[str, Any] = {"key": question.key, "text": question.text, "kind": question.kind, "arm": arm}
    if question.kind == "mark":
        marks = [sum(mark.label == question.key for mark in row.answer.marks) for row in rows]
        return Asked(**about, answers=sum(number > 0 for number in marks), counts={"marks": sum(marks)})
    given = [row.answer.questions.get(question.key) for row in rows]
    known = [one for one in given if one not in (None, "")]
    if question.kind == "choice":
        counts = Counter(str(one) for one in known)
        return Asked(**about, answers=len(known), counts={choice: counts[choice] for choice in question.choices})
    if question.kind == "text":
        return Asked(**about, answers=len(known))
    numbers = [float(one) for one in known if isinstance(one, int | float)]
    if not numbers:
        return Asked(**about, answers=0)
    counts = Counter(f"{one:g}" for one in numbers)
    steps = {f"{step}": counts[f"{step}"] for step in range(int(question.low), int(question.high) + 1)}
    return Asked(
        **about, answers=len(numbers), counts=steps if question.kind == "likert" else {}, mean=float(np.mean(numbers)),
        sd=float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None, median=float(np.median(numbers)),
    )  # fmt: skip
