"""Intervals from drawing again: over patients, or over readers and cases at once. Repeatable: the seed is fixed unless given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import WITHOUT_VARIANCE, Estimate, Interval, NotComputable
from ctmri_core.statistics.figures import Figure
from ctmri_core.statistics.kernels import Floats, both_read, success
from ctmri_core.statistics.readings import Readings

_RESAMPLES, _SEED = 5000, 0
_AT_ONCE = 250

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


def readers_and_cases(
    readings: Readings, modality: str, figure: Figure = "auc", *, confidence: float = 0.95, draws: int = 2000, seed: int = _SEED
) -> Estimate | NotComputable:
    """The mean figure of a modality over readers, with percentiles over readers and cases drawn again, cases of each kind apart.

    Gaps are allowed: each reader's figure is of what they have read. There is no test, and with three to five readers some 7 %
    of intervals of 95 % miss the truth: report `mrmc.against` first. `se`: standard deviation of the draws.
    """
    place = readings.modalities.index(modality)
    scores, random = readings.scores[place], np.random.default_rng(seed)
    if figure == "auc":
        noise, signal = scores[:, ~readings.signal], scores[:, readings.signal]
        won, read = success(noise, signal), both_read(noise, signal)
        kinds = [noise.shape[1], signal.shape[1]]
    else:
        won, read = np.nan_to_num(scores)[:, None], np.isfinite(scores).astype(np.float64)[:, None]
        kinds = [1, len(readings.cases)]
    readers = len(readings.readers)
    if readers < 2 or not read.any():
        return NotComputable("Readers are drawn again from two or more who have read cases of both kinds.")
    value = float(_mean(won, read, np.ones((1, readers)), *(np.ones((1, count)) for count in kinds))[0])
    drawn = []
    for start in range(0, draws, _AT_ONCE):
        several = min(_AT_ONCE, draws - start)
        drawn.append(_mean(won, read, *(_weights(random, count, several) for count in (readers, *kinds))))
    found = np.concatenate(drawn)
    found = found[np.isfinite(found)]
    if len(found) < draws / 2 or np.ptp(found) < 1e-12:
        return WITHOUT_VARIANCE
    tail = 50 * (1 - confidence)
    low, high = np.percentile(found, (tail, 100 - tail))
    no_test = NotComputable("Drawing again gives an interval only.")
    return Estimate(value, float(found.std(ddof=1)), np.inf, Interval(float(low), float(high), confidence), no_test)


def _weights(random: np.random.Generator, count: int, draws: int) -> Floats:
    """How often each of `count` comes into each draw, (draws, count)."""
    return random.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)


def _mean(won: Floats, read: Floats, readers: Floats, noise: Floats, signal: Floats) -> Floats:
    """Means over readers of each one's figure, by weights (draws, readers), (draws, m), (draws, n); NaN where nobody read."""
    above, below = (np.einsum("dm,rmn,dn->dr", noise, kernel, signal, optimize=True) for kernel in (won, read))
    there = readers * (below > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = np.where(below > 0, above / np.where(below > 0, below, 1), 0.0)
        mean: Floats = (there * figures).sum(axis=1) / there.sum(axis=1)
    return mean
