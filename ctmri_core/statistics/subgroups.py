"""Whether groups of readers (experts, residents) or of cases (regions, scanners) differ in their mean figure of merit.

Obuchowski and Rockette's components with readers, or cases, nested in groups (Hillis, Stat Med 33, 2014; Obuchowski, Gallas and
Hillis, Acad Radiol 19, 2012); degrees of freedom by Satterthwaite. With several groups, correct by `multiplicity.holm`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics.answers import Estimate, NotComputable, estimate, root
from ctmri_core.statistics.figures import Covariance, Figure, figures
from ctmri_core.statistics.kernels import Floats
from ctmri_core.statistics.mrmc import ONE_READER
from ctmri_core.statistics.readings import Readings

FEW_READERS = NotComputable("Each group needs two readers to show how readers differ.")


def reader_groups(
    readings: Readings, modality: str, first: Sequence[str], second: Sequence[str], figure: Figure = "auc",
    covariance: Covariance = "jackknife", *, confidence: float = 0.95,
) -> Estimate | NotComputable:  # fmt: skip
    """The mean figure of the readers `second` less that of `first`, of the same cases; said of other readers and cases."""
    if set(first) & set(second):
        raise ValueError("a reader belongs to one group")
    if min(len(first), len(second)) < 2:
        return FEW_READERS
    found = figures(readings.of_modalities(modality).of_readers(*first, *second), figure, covariance)
    if isinstance(found, NotComputable):
        return found
    values, matrix, cut = found.values[0], found.covariance[0, :, 0, :], len(first)
    groups = [(values[:cut], matrix[:cut, :cut]), (values[cut:], matrix[cut:, cut:])]
    own = [float(group.var(ddof=1)) / len(group) for group, _ in groups]
    shared = sum(_between(block) for _, block in groups) - 2 * float(matrix[:cut, cut:].mean())
    variance = sum(own) + max(shared, 0.0)
    below = sum(part**2 / (len(group) - 1) for part, (group, _) in zip(own, groups, strict=True))
    return _difference(groups[0][0], groups[1][0], variance, below, found.limits, confidence)


def case_groups(
    readings: Readings, modality: str, first: NDArray[np.bool_], second: NDArray[np.bool_], figure: Figure = "auc",
    covariance: Covariance = "jackknife", *, confidence: float = 0.95,
) -> Estimate | NotComputable:  # fmt: skip
    """The mean figure of the cases `second` less that of the cases `first`, bool (cases,), by the same readers."""
    if (first & second).any():
        raise ValueError("a case belongs to one group")
    one = readings.of_modalities(modality)
    if len(one.readers) < 2:
        return ONE_READER
    found = [figures(one.of_cases(chosen), figure, covariance) for chosen in (first, second)]
    groups = []
    for each in found:
        if isinstance(each, NotComputable):
            return each
        groups.append(each)
    before, after = (each.values[0] for each in groups)
    own = float((after - before).var(ddof=1)) / len(one.readers)
    shared = sum(max(_between(each.covariance[0, :, 0, :]), 0.0) for each in groups)
    return _difference(before, after, own + shared, own**2 / (len(one.readers) - 1), groups[0].limits, confidence)


def _difference(
    first: Floats, second: Floats, variance: float, below: float, limits: tuple[float, float], confidence: float
) -> Estimate:
    width = limits[1] - limits[0]
    df = variance**2 / below if below > 0 else math.inf
    value = float(second.mean() - first.mean())
    return estimate(value, root(variance), null=0.0, df=df, confidence=confidence, within=(-width, width))


def _between(block: Floats) -> float:
    """Mean covariance of two different readers, of (readers, readers)."""
    return float(block.sum() - np.trace(block)) / (len(block) * (len(block) - 1))
