"""The ROC curve of one reader, the area under it, and whether two areas differ (DeLong et al., Biometrics 44, 1988).

Scores are higher for "signal" (synthetic). Areas are those under the empirical curve: the probability that a signal scores
higher than a case without, ties counting half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import Estimate, NotComputable, estimate, root
from ctmri_core.statistics.intervals import unanimous
from ctmri_core.statistics.kernels import Floats, success
from ctmri_core.statistics.readings import as_scores

ONE_KIND = NotComputable("An ROC curve needs answers to both kinds of case; of one there is none.")
TOO_FEW = NotComputable("The variance of an area needs two cases of each kind.")


@dataclass(frozen=True, slots=True)
class Area:
    """`area`: tested against 0.5, its interval cut off at 0 and 1, at its ends exact. `noises`, `signals`: how many cases."""

    area: Estimate
    noises: int
    signals: int


@dataclass(frozen=True, eq=False)
class Curve:
    """`false_alarms`, `hits`: float64 (n,), from (0, 0) to (1, 1), neither ever falling; joined by straight lines."""

    false_alarms: NDArray[np.float64]
    hits: NDArray[np.float64]

    @property
    def area(self) -> float:
        widths = self.false_alarms[1:] - self.false_alarms[:-1]
        return float(widths @ (self.hits[1:] + self.hits[:-1])) / 2


def area(noise: Any, signal: Any, *, confidence: float = 0.95) -> Area | NotComputable:
    """Of one reader's scores of cases without and with the signal, any order. With one case of a kind there is no interval."""
    kinds = as_scores(noise), as_scores(signal)
    if not len(kinds[0]) or not len(kinds[1]):
        return ONE_KIND
    won = success(*kinds)
    value = float(won.mean())
    if min(won.shape) < 2:
        return Area(Estimate(value, math.nan, math.inf, TOO_FEW, TOO_FEW), *won.shape)
    se = root(_covariance([won])[0, 0])
    found = estimate(value, se, null=0.5, confidence=confidence, within=(0.0, 1.0))
    return Area(unanimous(found, min(won.shape), null=0.5, confidence=confidence), *won.shape)


def difference(
    first: tuple[Any, Any], second: tuple[Any, Any], *, confidence: float = 0.95
) -> Estimate | NotComputable:
    """Of the areas of two scores (noise, signal) of the same cases in the same order: second less first, tested against 0."""
    won = [success(as_scores(noise), as_scores(signal)) for noise, signal in (first, second)]
    if won[0].shape != won[1].shape:
        raise ValueError("two scores of the same cases are compared")
    if not won[0].size:
        return ONE_KIND
    if min(won[0].shape) < 2:
        return TOO_FEW
    covariance = _covariance(won)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return estimate(float(won[1].mean() - won[0].mean()), root(variance), null=0.0, confidence=confidence, within=(-1.0, 1.0))


def components(won: Floats) -> tuple[Floats, Floats]:
    """How each case without (m,) and with the signal (n,) fares against all of the other kind; `won`: (m, n)."""
    return won.mean(axis=1), won.mean(axis=0)


def curve(noise: Any, signal: Any) -> Curve | NotComputable:
    """The empirical curve of one reader's scores, one point for each different score."""
    noises, signals = np.sort(as_scores(noise)), np.sort(as_scores(signal))
    if not len(noises) or not len(signals):
        return ONE_KIND
    thresholds = np.unique(np.concatenate([noises, signals]))[::-1]
    alarms, hits = (1 - np.searchsorted(kind, thresholds) / len(kind) for kind in (noises, signals))
    return Curve(np.concatenate([[0.0], alarms]), np.concatenate([[0.0], hits]))


def average_curve(curves: Sequence[Curve]) -> Curve | NotComputable:
    """The mean along lines of slope -1; the area under it is the mean of theirs (Chen and Samuelson, Br J Radiol 87, 2014)."""
    if not curves:
        return NotComputable("There is no curve to average.")
    lengths = [each.false_alarms + each.hits for each in curves]
    along = np.unique(np.concatenate(lengths))
    alarms = [np.interp(along, length, each.false_alarms) for length, each in zip(lengths, curves, strict=True)]
    hits = [np.interp(along, length, each.hits) for length, each in zip(lengths, curves, strict=True)]
    return Curve(np.mean(alarms, axis=0), np.mean(hits, axis=0))


def _covariance(won: Sequence[Floats]) -> Floats:
    """Of areas under curves of the same cases, (curves, curves)."""
    parts = [np.atleast_2d(np.cov(kind)) / len(kind[0]) for kind in zip(*map(components, won), strict=True)]
    total: Floats = parts[0] + parts[1]
    return total
