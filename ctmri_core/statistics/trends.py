"""Learning, fatigue and time: whether answers change over a session, and whether two kinds of case take equally long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import Estimate, NotComputable, Significance, estimate
from ctmri_core.statistics.readings import as_scores

Values = Sequence[float] | NDArray[np.floating[Any]]
_MOST_EXACT = 50


@dataclass(frozen=True, slots=True)
class Trend:
    """`slope`: change of the log odds of a correct answer with each trial, tested against 0; exp(10 slope) is the odds ratio of
    ten trials. `trials`: how many; `readers`: of whom each has their own level of difficulty. Normal approximation (Wald).
    """

    slope: Estimate
    trials: int
    readers: int


def trend(correct: Any, trial: Any, reader: Any = None, *, confidence: float = 0.95) -> Trend | NotComputable:
    """Logistic regression of `correct` (0 or 1) on the number of the `trial` in the order shown, with a level for each `reader`.

    All (n,). Readers who are always or never right say nothing of a trend and do not enter.
    """
    right, order = as_scores(correct), as_scores(trial)
    names = np.zeros(len(right), int) if reader is None else np.unique(np.asarray(reader), return_inverse=True)[1]
    if not len(right) == len(order) == len(names):
        raise ValueError("one trial and one reader for each answer")
    share = np.array([right[names == each].mean() for each in np.unique(names)])
    told = np.isin(names, np.flatnonzero((share > 0) & (share < 1)))
    if not told.any():
        return NotComputable("All answers are right, or all wrong: they show no trend.")
    right, order, names = right[told], order[told], np.unique(names[told], return_inverse=True)[1]
    levels = np.eye(names.max() + 1)[names]
    within = order - (levels.T @ order / levels.sum(axis=0))[names]
    if not np.ptp(within):
        return NotComputable("All trials have the same number: there is no order to follow.")
    scale = float(np.abs(within).max())
    found = _logistic(np.column_stack([levels, within / scale]), right)
    if found is None:
        return NotComputable("All right answers come before or after all wrong ones: the trend has no finite estimate.")
    slope, se = found[0] / scale, found[1] / scale
    return Trend(estimate(slope, se, null=0.0, confidence=confidence), len(right), levels.shape[1])


def signed_rank(differences: Values) -> float:
    """p of the two-sided Wilcoxon signed-rank test (Wilcoxon 1945) that differences lie evenly about 0, one for each patient or
    reader.

    Differences of 0 are dropped, as Wilcoxon did; where nothing is left, 1. Exact up to 50, of ties too (all ways to give signs
    to their mean ranks), else approximate.
    """
    from scipy.stats import rankdata, wilcoxon

    taken = np.asarray(differences, np.float64)
    taken = taken[taken != 0]
    if not len(taken):
        return 1.0
    if len(taken) > _MOST_EXACT:
        return float(wilcoxon(taken, method="approx").pvalue)
    doubled = np.rint(2 * rankdata(np.abs(taken))).astype(int)  # mean ranks are halves
    ways = np.zeros(doubled.sum() + 1)
    ways[0] = 1  # by the sum of the ranks with a plus
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    plus = int(doubled[taken > 0].sum())
    return float(min(1.0, 2 * ways[: min(plus, len(ways) - 1 - plus) + 1].sum() / ways.sum()))


def rank_sum(first: Values, second: Values) -> Significance | NotComputable:
    """Two-sided Wilcoxon rank-sum (Mann-Whitney) test that two independent sets of times are alike, such as those for real and
    for synthetic cases of one reader. `statistic`: part of pairs in which `first` is larger, ties half; 0.5 if alike.

    Exact without ties where either set has at most 8, else normal with corrections for ties and continuity.
    """
    from scipy.stats import mannwhitneyu

    one, other = as_scores(first), as_scores(second)
    if not len(one) or not len(other):
        return NotComputable("Times of both kinds of case are needed; of one there is none.")
    if not np.ptp(np.concatenate([one, other])):
        return Significance(0.5, 1.0, 0.5)
    found = mannwhitneyu(one, other)
    return Significance(float(found.statistic) / (len(one) * len(other)), float(found.pvalue), 0.5)


def _logistic(columns: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, float] | None:
    """Coefficient of the last column and its standard error by Newton's method; None where it grows without end."""
    from scipy.special import expit

    weights = np.zeros(columns.shape[1])
    for _ in range(50):
        chance = expit(columns @ weights)
        information = columns.T @ (columns * (chance * (1 - chance))[:, None])
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, columns.T @ (right - chance))
        weights += step
        if np.abs(weights).max() > 50:
            return None
        if np.abs(step).max() < 1e-10:
            return float(weights[-1]), float(np.sqrt(np.linalg.inv(information)[-1, -1]))
    return None
