"""How far readers agree beyond chance, on categories such as real and synthetic.

Chance-corrected coefficients: (observed - expected) / (1 - expected). Kappa falls when nearly all answers are of one category,
however well readers agree (Feinstein and Cicchetti 1990); Gwet's AC1 does not. Report both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import Estimate, NotComputable, Significance, estimate, root, t_above
from ctmri_core.statistics.kernels import Floats

Weights = Literal["none", "linear", "quadratic"]
NOTHING_IN_COMMON = NotComputable("No case was judged twice.")
ONE_CATEGORY = NotComputable("All answers are of one category, so agreement by chance alone would be complete.")


@dataclass(frozen=True, slots=True)
class Agreement:
    """`coefficient`: its interval uses the standard error under the alternative, its test (against 0) that under chance where
    known.

    `observed`, `expected`: agreement seen, and by chance; `cases`: with two answers or more.
    """

    coefficient: Estimate
    observed: float
    expected: float
    cases: int


def crosstab(first: Sequence[Any], second: Sequence[Any], categories: Sequence[Any]) -> NDArray[np.int64]:
    """Counts (first, second) in the order of `categories`, of pairs of answers; None is no answer and drops its pair."""
    place = {category: number for number, category in enumerate(categories)}
    table = np.zeros((len(place), len(place)), np.int64)
    for one, other in zip(first, second, strict=True):
        if one is not None and other is not None:
            table[place[one], place[other]] += 1
    return table


def counts(ratings: Sequence[Sequence[Any]], categories: Sequence[Any]) -> NDArray[np.int64]:
    """How often each case (rows of `ratings`) was put into each of `categories`, (cases, categories); None is no answer."""
    place = {category: number for number, category in enumerate(categories)}
    table = np.zeros((len(ratings), len(place)), np.int64)
    for row, answers in zip(table, ratings, strict=True):
        for answer in answers:
            if answer is not None:
                row[place[answer]] += 1
    return table


def cohen(table: Any, *, weights: Weights = "none", confidence: float = 0.95) -> Agreement | NotComputable:
    """Kappa of two readers, or of one with themselves on repeats; `table`: counts (categories, categories).

    Cohen 1960, weighted 1968 (categories in order, equally far apart); standard errors of Fleiss, Cohen and Everitt, Psychol
    Bull 72, 1969. Whether two readers differ systematically shows in the margins, not here.
    """
    table = _table(table)
    total = table.sum()
    if not total:
        return NOTHING_IN_COMMON
    part, credit = table / total, _credit(len(table), weights)
    rows, columns = part.sum(axis=1), part.sum(axis=0)
    chance = np.outer(rows, columns)
    observed, expected = float((credit * part).sum()), float((credit * chance).sum())
    if expected > 1 - 1e-12:
        return ONE_CATEGORY
    kappa = (observed - expected) / (1 - expected)
    mean_credit = (credit @ columns)[:, None] + rows @ credit
    spread = float((part * (credit - mean_credit * (1 - kappa)) ** 2).sum()) - (kappa - expected * (1 - kappa)) ** 2
    by_chance = float((chance * (credit - mean_credit) ** 2).sum()) - expected**2
    below = math.sqrt(total) * (1 - expected)
    return _agreement(kappa, root(spread) / below, root(by_chance) / below, observed, expected, int(total), confidence)


def fleiss(table: Any, *, confidence: float = 0.95) -> Agreement | NotComputable:
    """Kappa of any number of readers; `table`: counts (cases, categories), the same number of answers for each case.

    Fleiss, Psychol Bull 76, 1971; the test is that of Fleiss, Nee and Landis, Psychol Bull 86, 1979; the interval uses the
    standard error over cases (Gwet, Handbook of Inter-Rater Reliability, 2014).
    """
    table = _table(table)
    answers = table.sum(axis=1)
    if not len(table) or answers.max() < 2:
        return NOTHING_IN_COMMON
    if len(set(answers)) > 1:
        return NotComputable(
            "Cases were judged unequally often: take AC1 or Krippendorff's alpha, or the cases that all have judged."
        )
    cases, readers = len(table), float(answers[0])
    share = table.sum(axis=0) / table.sum()
    agreed = (table * (table - 1)).sum(axis=1) / (readers * (readers - 1))
    observed, expected = float(agreed.mean()), float((share**2).sum())
    if expected > 1 - 1e-12:
        return ONE_CATEGORY
    kappa = (observed - expected) / (1 - expected)
    expected_by_case = (table * share).sum(axis=1) / readers
    one_by_one = (agreed - expected) / (1 - expected) - 2 * (1 - kappa) * (expected_by_case - expected) / (1 - expected)
    other = share * (1 - share)
    by_chance = 2 * (other.sum() ** 2 - (other * (1 - 2 * share)).sum()) / (cases * readers * (readers - 1) * other.sum() ** 2)
    se = _over_cases(one_by_one, kappa)
    return _agreement(kappa, se, root(float(by_chance)), observed, expected, cases, confidence)


def gwet_ac1(table: Any, *, confidence: float = 0.95) -> Agreement | NotComputable:
    """AC1 of any number of readers, not all of whom need have judged every case; `table`: counts (cases, categories).

    All categories that could be chosen have a column, also if nobody chose them. Expected agreement: sum of share (1 - share)
    over (categories - 1). Gwet, Br J Math Stat Psychol 61, 2008, standard error over cases.
    """
    table = _table(table)
    judged = table[table.sum(axis=1) > 0]
    answers = judged.sum(axis=1)
    twice = answers > 1
    if not twice.any():
        return NOTHING_IN_COMMON
    categories = table.shape[1]
    if categories < 2:
        return NotComputable("There is only one category to choose.")
    share = (judged / answers[:, None]).mean(axis=0)
    expected = float((share * (1 - share)).sum()) / (categories - 1)
    agreed = np.where(twice, (judged * (judged - 1)).sum(axis=1) / np.maximum(answers * (answers - 1), 1), 0.0)
    observed = float(agreed[twice].mean())
    ac1 = (observed - expected) / (1 - expected)
    part = np.where(twice, len(judged) / twice.sum() * (agreed - expected) / (1 - expected), 0.0)
    expected_by_case = (judged / answers[:, None] * (1 - share)).sum(axis=1) / (categories - 1)
    one_by_one = part - 2 * (1 - ac1) * (expected_by_case - expected) / (1 - expected)
    se = _over_cases(one_by_one, ac1)
    return _agreement(ac1, se, se, observed, expected, int(twice.sum()), confidence)


def _table(counted: Any) -> Floats:
    table = np.asarray(counted, np.float64)
    if table.ndim != 2 or (table < 0).any():
        raise ValueError("agreement takes a table of counts")
    return table


def _credit(categories: int, weights: Weights) -> Floats:
    """How far two categories count as agreement: 1 for the same, 0 for those furthest apart."""
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories)))
    if weights == "none":
        return np.eye(categories)
    far: Floats = apart / max(categories - 1, 1)
    return 1 - (far if weights == "linear" else far**2)


def _over_cases(one_by_one: Floats, coefficient: float) -> float:
    """Standard error; NaN of one case."""
    cases = len(one_by_one)
    return math.sqrt(float(((one_by_one - coefficient) ** 2).sum()) / (cases * (cases - 1))) if cases > 1 else math.nan


def _agreement(
    coefficient: float, se: float, se_by_chance: float, observed: float, expected: float, cases: int, confidence: float
) -> Agreement:  # fmt: skip
    found = estimate(coefficient, se, null=0.0, confidence=confidence, within=(-1.0, 1.0))
    test = found.test
    if se_by_chance > 0:
        z = coefficient / se_by_chance
        test = Significance(z, 2 * t_above(abs(z), math.inf), 0.0)
    return Agreement(Estimate(found.value, found.se, found.df, found.interval, test), observed, expected, cases)
