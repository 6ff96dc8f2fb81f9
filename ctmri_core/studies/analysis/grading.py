"""Visual grading: means by arm, differences with their interval against the margin, the share that is acceptable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis import pooled
from ctmri_core.studies.analysis.answered import Answered, Row, by_arm
from ctmri_core.studies.analysis.found import Difference, Graded, ReaderGrades, Scale
from ctmri_core.studies.analysis.values import value_of, within
from ctmri_core.studies.protocol import Question
from ctmri_core.studies.truth import REAL

Grades = list[tuple[Row, float]]


def scales(answered: Answered) -> tuple[Scale, ...]:
    """Of visual grading, each of its scales; higher is better."""
    if answered.design != "grading":
        return ()
    return tuple(_scale(answered, question) for question in answered.protocol.questions if question.kind == "likert")


def _scale(answered: Answered, question: Question) -> Scale:
    asked = answered.protocol.analysis
    grades: Grades = []
    for row in answered.first:
        given = row.answer.questions.get(question.key)
        if isinstance(given, int | float):
            grades.append((row, float(given)))
    arms = [arm for arm in answered.arms if any(row.item.arm == arm for row, _ in grades)]
    counting = [(row, grade) for row, grade in grades if row.reader in answered.pooled]
    table = by_arm([(row.reader, row.item, grade) for row, grade in counting], arms, answered.key)
    pairs = [(REAL, arm) for arm in arms if arm != REAL] if REAL in arms else []
    differences = pooled.between(table, "accuracy", asked, pairs, margin=bool(pairs)) if len(table.modalities) > 1 else ()
    return Scale(
        key=question.key, text=question.text, low=question.low, high=question.high, acceptable=asked.acceptable,
        arms=tuple(_graded(answered, question, arm, grades, table) for arm in arms),
        readers=tuple(_by_reader(answered, grades, arms)), differences=differences, verdict=verdict(differences, asked.margin),
    )  # fmt: skip


def verdict(differences: Sequence[Difference], margin: float) -> str:
    """What may be said of each arm against the real pictures."""
    said = [
        f"{one.second}: {'not inferior' if one.margin.not_inferior else 'inconclusive'}" for one in differences if one.margin
    ]
    return f"{'; '.join(said)} (margin {margin:g})" if said else ""


def _graded(answered: Answered, question: Question, arm: str, grades: Grades, table: Readings) -> Graded:
    asked = answered.protocol.analysis
    own = Counter(f"{grade:g}" for row, grade in grades if row.item.arm == arm)
    steps = [f"{step}" for step in range(int(question.low), int(question.high) + 1)]
    acceptable = (table.scores >= asked.acceptable).astype(float)
    good = replace(table, scores=np.where(np.isnan(table.scores), np.nan, acceptable))
    means = [
        pooled.mean_of(one, arm, "accuracy", asked, null)[0] if arm in table.modalities else pooled.NOBODY
        for one, null in ((table, (question.low + question.high) / 2), (good, 0.5))
    ]
    mean, share = (value_of(one, 1 - asked.alpha) for one in means)
    counts = {step: own[step] for step in steps}
    untested = {"null": None, "p": None}  # against the middle of a scale nothing is asked
    mean = within(mean, question.low, question.high)
    return Graded(
        arm=arm, grades=sum(own.values()), counts=counts, mean=mean.model_copy(update=untested),
        acceptable=share.model_copy(update=untested),
    )  # fmt: skip


def _by_reader(answered: Answered, grades: Grades, arms: Sequence[str]) -> list[ReaderGrades]:
    made = []
    for reader in answered.readers:
        for arm in arms:
            own = [grade for row, grade in grades if row.reader == reader and row.item.arm == arm]
            if own:
                good = sum(grade >= answered.protocol.analysis.acceptable for grade in own) / len(own)
                made.append(ReaderGrades(reader=reader, arm=arm, grades=len(own), mean=float(np.mean(own)), acceptable=good))
    return made
