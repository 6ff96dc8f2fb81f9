"""Proportions of independent trials: exact and score intervals, exact tests, and the naive pooling that must carry its name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import Estimate, Interval, NotComputable, Significance

NO_TRIALS = NotComputable("There is no answer to count.")


@dataclass(frozen=True, slots=True)
class Proportion:
    """`successes` of `trials`; `p`: of the exact two-sided binomial test that the truth is `null`.

    `method`: of the interval, Clopper and Pearson (Biometrika 26, 1934) or Wilson (JASA 22, 1927).
    """

    successes: int
    trials: int
    value: float
    interval: Interval
    method: Literal["clopper-pearson", "wilson"]
    null: float
    p: float


def proportion(
    successes: int, trials: int, *, null: float = 0.5, confidence: float = 0.95,
    method: Literal["clopper-pearson", "wilson"] = "clopper-pearson",
) -> Proportion | NotComputable:  # fmt: skip
    """Of one reader's independent trials. Not for the answers of several readers to the same cases: see `naive_pool`."""
    _count(successes, trials)
    if not trials:
        return NO_TRIALS
    bounds = (clopper_pearson if method == "clopper-pearson" else wilson)(successes, trials, confidence)
    return Proportion(successes, trials, successes / trials, bounds, method, null, binomial_p(successes, trials, null))


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact interval, [B(a/2; k, n-k+1), B(1-a/2; k+1, n-k)]; [0, 1] without a trial."""
    from scipy.special import betaincinv

    _count(successes, trials)
    tail, failures = (1 - confidence) / 2, trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return Interval(low, high, confidence)


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The score interval without continuity correction; [0, 1] without a trial."""
    from scipy.special import ndtri

    _count(successes, trials)
    if not trials:
        return Interval(0.0, 1.0, confidence)
    z2 = float(ndtri(0.5 + confidence / 2)) ** 2
    centre, spread = successes + z2 / 2, math.sqrt(z2 * (successes * (trials - successes) / trials + z2 / 4))
    low, high = ((centre + sign * spread) / (trials + z2) for sign in (-1, 1))
    return Interval(low if successes else 0.0, high if successes < trials else 1.0, confidence)


def binomial_p(successes: int, trials: int, null: float = 0.5) -> float:
    """Of the exact two-sided test: all outcomes no likelier than the one seen, as R's `binom.test` sums them."""
    _count(successes, trials)
    chances = binomial_chances(trials, null)
    alike = chances[successes] * (1 + 1e-7)  # equal but for rounding counts as equal
    return min(1.0, float(chances[chances <= alike].sum()))


def binomial_chances(trials: int, chance: float) -> NDArray[np.float64]:
    """Probability of 0 to `trials` successes, float64 (trials + 1,)."""
    from scipy.special import gammaln, xlog1py, xlogy

    if not 0 <= chance <= 1:
        raise ValueError(f"{chance} is no probability")
    k = np.arange(trials + 1)
    ways = gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1)
    chances: NDArray[np.float64] = np.exp(ways + xlogy(k, chance) + xlog1py(trials - k, -chance))
    return chances


@dataclass(frozen=True, slots=True)
class NaivePool:
    """All answers of all readers as if they were independent, which they are not: for comparison only, and named naive.

    `icc`: how alike different readers answer one case (one-way analysis of variance over cases); `design_effect`: 1 + (readers
    - 1) icc, by which the variance of the naive interval is too small, between readers not counted; None where not defined.
    """

    naive: Proportion
    icc: float | None
    design_effect: float | None


def naive_pool(correct: NDArray[Any], *, null: float = 0.5, confidence: float = 0.95) -> NaivePool | NotComputable:
    """`correct`: (readers, cases), 0 or 1, NaN where not read."""
    table = np.asarray(correct, np.float64)
    read = np.isfinite(table)
    if not np.isin(table[read], (0, 1)).all():
        raise ValueError("there is no count of answers but right and wrong ones")
    pooled = proportion(int(np.nansum(table)), int(read.sum()), null=null, confidence=confidence)
    if isinstance(pooled, NotComputable):
        return pooled
    answers = read.sum(axis=0)
    groups, total = int(np.count_nonzero(answers)), int(answers.sum())
    if groups < 2 or total == groups:
        return NaivePool(pooled, None, None)
    means = np.nansum(table, axis=0) / np.maximum(answers, 1)
    between = float((answers * (means - pooled.value) ** 2).sum()) / (groups - 1)
    within = float(np.nansum((table - means) ** 2)) / (total - groups)
    size = (total - float((answers**2).sum()) / total) / (groups - 1)
    spread = between + (size - 1) * within
    if spread <= 0:
        return NaivePool(pooled, None, None)
    icc = (between - within) / spread
    return NaivePool(pooled, icc, max(1.0, 1 + (total / groups - 1) * icc))


def unanimous(found: Estimate, pairs: int, *, null: float, confidence: float) -> Estimate:
    """`found` as it is, unless it is the 1 (or 0) of readers who were all right (or wrong) always and so show no variance.

    Interval and test are then exact, as of one reader with `pairs` independent trials: cases, or for areas as many pairs of cases
    as can be formed without using one twice, all of which an area of 1 has won. They are said of these readers: how others may
    differ, readers without differences do not show. `statistic`: trials won.
    """
    if found.se != 0 or found.value not in (0.0, 1.0) or not pairs or not 0 <= null <= 1:
        return found  # a grade of 1 is no share
    won = pairs if found.value else 0
    test = Significance(float(won), binomial_p(won, pairs, null), null)
    return Estimate(found.value, 0.0, math.inf, clopper_pearson(won, pairs, confidence), test)


def _count(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no count of successes")
