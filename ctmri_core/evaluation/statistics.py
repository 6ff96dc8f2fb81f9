"""What may be said of a few patients: intervals, paired tests, and what many tests at once cost. All pure and repeatable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RESAMPLES, _SEED = 5000, 0

Values = Sequence[float] | NDArray[np.floating[Any]]


def interval(values: Values) -> tuple[float, float]:
    """95 % of the means of as many patients drawn again and again, with a fixed seed (Efron 1979, percentiles).

    Of differences between two models, patient by patient, it is the paired interval. `values` are finite, one for each patient.
    """
    taken = np.asarray(values, np.float64)
    random = np.random.default_rng(_SEED)
    means = taken[random.integers(len(taken), size=(_RESAMPLES, len(taken)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def signed_rank(differences: Values) -> float:
    """p of the two-sided Wilcoxon signed-rank test (Wilcoxon 1945) that differences lie evenly about 0, one for each patient.

    Differences of 0 are dropped, as Wilcoxon did; where nothing is left, 1. Exact up to 50 without ties, else approximate.
    """
    from scipy.stats import wilcoxon

    taken = np.asarray(differences, np.float64)
    taken = taken[taken != 0]
    if not len(taken):
        return 1.0
    tied = len(np.unique(np.abs(taken))) < len(taken)
    return float(wilcoxon(taken, method="approx" if tied or len(taken) > 50 else "exact").pvalue)


def holm(probabilities: Sequence[float | None]) -> list[float | None]:
    """The same corrected for how many there are (Holm, Scand J Stat 6, 1979): at most 1, in the order given; None stays None."""
    tests = sorted((p, place) for place, p in enumerate(probabilities) if p is not None)
    corrected: list[float | None] = [None] * len(probabilities)
    largest = 0.0
    for rank, (p, place) in enumerate(tests):
        largest = max(largest, min(1.0, p * (len(tests) - rank)))
        corrected[place] = largest
    return corrected
