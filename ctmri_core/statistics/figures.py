"""One figure of merit for each modality and reader, and how the cases make these figures vary together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.kernels import Floats, success, sums_apart
from ctmri_core.statistics.readings import Readings, lacking
from ctmri_core.statistics.roc import ONE_KIND, TOO_FEW, components

Figure = Literal["auc", "mean"]
"""Area under the empirical ROC curve, or the mean score: accuracy of `Readings.correct`, or a mean grade."""

Units = NDArray[np.intp]
"""Number of each case's patient."""
Covariance = Literal["jackknife", "delong", "unbiased"]
"""Leaving out one case at a time; DeLong et al. 1988; U-statistics (Gallas 2006). All the same for mean scores."""


@dataclass(frozen=True, eq=False)
class Figures:
    """`values`: (modalities, readers). `covariance`: of the same over cases, (modalities, readers, modalities, readers).

    `limits`: of possible values; `pairs`: of cases (of different patients) without using one twice, of mean scores the cases;
    `patients`: None where each case stands for itself.
    """

    values: Floats
    covariance: Floats
    limits: tuple[float, float]
    cases: int
    pairs: int
    patients: int | None = None


def figures(readings: Readings, figure: Figure, covariance: Covariance) -> Figures | NotComputable:
    """Of complete readings of at least two cases, of each kind for areas. Where several cases are of one patient, by the
    jackknife over patients (as Obuchowski, Biometrics 53, 1997, counts clusters): raises `ValueError` for another covariance.
    """
    problem = lacking(readings)
    if problem:
        return problem
    noise, signal = readings.kinds()
    units = readings.units
    of_kinds = [units[~readings.signal], units[readings.signal]] if figure == "auc" else [units]
    counts, single = [len(np.unique(kind)) for kind in of_kinds], len(np.unique(units))
    clustered = single < len(units)
    if clustered and covariance != "jackknife":
        raise ValueError("several cases of one patient are for the jackknife")
    problem = _too_few(readings, figure, counts, single)
    if problem:
        return problem
    shape = readings.scores.shape[:2]
    if figure == "mean":
        scores = readings.scores.reshape(-1, len(units))
        values, matrix = scores.mean(axis=1), _of_means(scores, units)
    else:
        kinds = (kind.reshape(-1, kind.shape[2]) for kind in (noise, signal))
        pairs = [success(*each) for each in zip(*kinds, strict=True)]
        values = np.array([won.mean() for won in pairs])
        matrix = _jackknife(pairs, *of_kinds) if covariance == "jackknife" else _OF_AREAS[covariance](pairs)
    known = figure == "auc" or bool(np.isin(readings.scores, (0.0, 0.5, 1.0)).all())
    limits = (0.0, 1.0) if known else (-np.inf, np.inf)
    patients = single if clustered else None
    return Figures(values.reshape(shape), np.reshape(matrix, shape * 2), limits, len(units), min(counts), patients)


def _too_few(readings: Readings, figure: Figure, counts: list[int], patients: int) -> NotComputable | None:
    """`counts`: patients with cases of each kind."""
    if min(counts) >= 2:
        return None
    if figure == "auc" and (readings.signal.all() or not readings.signal.any()):
        return ONE_KIND
    if readings.patients and patients < 2 and len(readings.cases) > 1:
        return NotComputable("All cases are of one patient: they do not show how others would differ.")
    return TOO_FEW if figure == "auc" else NotComputable("The variance of a mean needs two cases.")


def _jackknife(pairs: list[Floats], of_noise: Units, of_signal: Units) -> Floats:
    """Leaving out all cases of one patient at a time, of one kind or of both."""
    most = int(max(of_noise.max(), of_signal.max())) + 1
    m, n = (len(kind) - np.bincount(kind, minlength=most) for kind in (of_noise, of_signal))
    own = of_noise[:, None] == of_signal
    there = np.unique(np.concatenate([of_noise, of_signal]))
    without = []
    for won in pairs:
        lost = np.bincount(of_noise, (won - own * won).sum(axis=1), most) + np.bincount(of_signal, won.sum(axis=0), most)
        without.append(((won.sum() - lost) / (m * n))[there])
    return _spread(np.array(without))


def _of_means(scores: Floats, units: Units) -> Floats:
    """Of (figures, cases), by the same; where each case stands for itself, the covariance over the number of cases."""
    sums = np.array([np.bincount(units, each) for each in scores])
    return _spread((scores.sum(axis=1, keepdims=True) - sums) / (len(units) - np.bincount(units)))


def _spread(values: Floats) -> Floats:
    """Covariance of figures, from (figures, what was left out)."""
    apart = values - values.mean(axis=1, keepdims=True)
    count = values.shape[1]
    matrix: Floats = (count - 1) / count * apart @ apart.T
    return matrix


def _delong(pairs: list[Floats]) -> Floats:
    kinds = [np.array(kind) for kind in zip(*map(components, pairs), strict=True)]
    matrix: Floats = np.sum([np.atleast_2d(np.cov(kind)) / kind.shape[1] for kind in kinds], axis=0)
    return matrix


def _unbiased(pairs: list[Floats]) -> Floats:
    m, n = pairs[0].shape
    kernels, areas = np.stack(pairs), np.array([won.mean() for won in pairs])
    matrix: Floats = np.outer(areas, areas) - sums_apart(kernels, kernels) / (m * (m - 1) * n * (n - 1))
    return matrix


_OF_AREAS = {"delong": _delong, "unbiased": _unbiased}
