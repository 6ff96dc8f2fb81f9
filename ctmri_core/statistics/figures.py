"""One figure of merit for each modality and reader, and how the cases make these figures vary together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.kernels import Floats, success, sums_apart
from ctmri_core.statistics.readings import Readings, lacking
from ctmri_core.statistics.roc import ONE_KIND, TOO_FEW, components

Figure = Literal["auc", "mean"]
"""Area under the empirical ROC curve, or the mean score: accuracy of `Readings.correct`, or a mean grade."""

Covariance = Literal["jackknife", "delong", "unbiased"]
"""Leaving out one case at a time; DeLong et al. 1988; U-statistics (Gallas 2006). All the same for mean scores."""


@dataclass(frozen=True, eq=False)
class Figures:
    """`values`: (modalities, readers). `covariance`: of the same over cases, (modalities, readers, modalities, readers).

    `limits`: of possible values; `pairs`: of cases without using one twice, of mean scores the cases.
    """

    values: Floats
    covariance: Floats
    limits: tuple[float, float]
    cases: int
    pairs: int


def figures(readings: Readings, figure: Figure, covariance: Covariance) -> Figures | NotComputable:
    """Of complete readings of at least two cases, of each kind for areas."""
    problem = lacking(readings)
    if problem:
        return problem
    noise, signal = readings.kinds()
    counts = [noise.shape[2], signal.shape[2]] if figure == "auc" else [len(readings.cases)]
    if min(counts) < 2:
        several = NotComputable("The variance of a mean needs two cases.")
        return several if figure == "mean" else TOO_FEW if min(counts) else ONE_KIND
    shape = readings.scores.shape[:2]
    if figure == "mean":
        scores = readings.scores.reshape(-1, counts[0])
        values, matrix = scores.mean(axis=1), np.cov(scores) / counts[0]
    else:
        pairs = [success(*kinds) for kinds in zip(noise.reshape(-1, counts[0]), signal.reshape(-1, counts[1]), strict=True)]
        values, matrix = np.array([won.mean() for won in pairs]), _OF_AREAS[covariance](pairs)
    known = figure == "auc" or bool(np.isin(readings.scores, (0.0, 0.5, 1.0)).all())
    limits = (0.0, 1.0) if known else (-np.inf, np.inf)
    return Figures(values.reshape(shape), np.reshape(matrix, shape * 2), limits, len(readings.cases), min(counts))


def _jackknife(pairs: list[Floats]) -> Floats:
    m, n = pairs[0].shape
    without_noise = [(won.sum() - won.sum(axis=1)) / ((m - 1) * n) for won in pairs]
    without_signal = [(won.sum() - won.sum(axis=0)) / (m * (n - 1)) for won in pairs]
    values = np.concatenate([without_noise, without_signal], axis=1)
    apart = values - values.mean(axis=1, keepdims=True)
    cases = m + n
    matrix: Floats = (cases - 1) / cases * apart @ apart.T
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


_OF_AREAS = {"jackknife": _jackknife, "delong": _delong, "unbiased": _unbiased}
