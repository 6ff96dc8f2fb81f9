"""Several readers, several cases, not all read by all: areas under ROC curves and their variance by U-statistics.

Gallas, Acad Radiol 13, 2006; Gallas, Bandos, Samuelson and Wagner, Commun Stat Theory 38, 2009; incomplete designs: Gallas and
Brown, Neural Netw 21, 2008. Every pair of cases that a reader has read counts the same. The variance of a mean area is its
square less the unbiased estimate of the squared truth, which comes from answers that share neither reader nor case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ctmri_core.statistics.answers import Estimate, NotComputable, estimate, root
from ctmri_core.statistics.intervals import unanimous
from ctmri_core.statistics.kernels import Floats, both_read, success, sums_apart
from ctmri_core.statistics.readings import Readings


@dataclass(frozen=True, slots=True)
class UStatistic:
    """`variance`: over readers and cases. `by_normal` and `by_t` differ in the reference distribution only; report `by_t`.

    Its degrees of freedom are Satterthwaite's over the mean squares of readers, cases without and cases with the signal
    (Obuchowski, Gallas and Hillis, Acad Radiol 19, 2012), real-valued and at least the fewest of the three (Gaylor and Hopper,
    Technometrics 11, 1969). iMRMC cuts them down to whole numbers, which makes its p a little larger.
    """

    variance: float
    by_normal: Estimate
    by_t: Estimate


@dataclass(frozen=True, eq=False)
class _Kernel:
    """Of one modality with its `sign` in the figure: `won` and `read`, (readers, m, n) each."""

    sign: int
    won: Floats
    read: Floats

    @property
    def area(self) -> float:
        return float(self.won.sum() / self.read.sum())

    def influence(self, axis: int) -> Floats:
        """How much each reader (0) or case (1, 2) moves the figure."""
        others = tuple(each for each in range(3) if each != axis)
        moved: Floats = self.sign * (self.won - self.area * self.read).sum(axis=others) / self.read.sum()
        return moved

    def units(self, axis: int) -> float:
        """How many readers or cases there are; where they did not do equally much, how many equal ones would weigh as much."""
        others = tuple(each for each in range(3) if each != axis)
        weights = self.read.sum(axis=others) / self.read.sum()
        return float(1 / (weights**2).sum())


def mean_area(readings: Readings, modality: str, *, confidence: float = 0.95) -> UStatistic | NotComputable:
    """Of one modality over readers and cases, tested against 0.5; of perfect readers as `intervals.unanimous` says."""
    found = _statistic(readings, {modality: 1}, 0.5, (0.0, 1.0), confidence)
    if isinstance(found, NotComputable):
        return found
    kinds = (np.isfinite(kind[readings.modalities.index(modality)]).sum(axis=1) for kind in readings.kinds())
    pairs = int(np.minimum(*kinds).max())
    ends = [unanimous(each, pairs, null=0.5, confidence=confidence) for each in (found.by_normal, found.by_t)]
    return UStatistic(found.variance, ends[0], ends[1])


def area_difference(readings: Readings, first: str, second: str, *, confidence: float = 0.95) -> UStatistic | NotComputable:
    """The mean area of `second` less that of `first`, tested against 0."""
    return _statistic(readings, {first: -1, second: 1}, 0.0, (-1.0, 1.0), confidence)


def _statistic(
    readings: Readings, signs: dict[str, int], null: float, within: tuple[float, float], confidence: float
) -> UStatistic | NotComputable:
    noise, signal = readings.kinds()
    kernels = [
        _Kernel(sign, success(noise[place], signal[place]), both_read(noise[place], signal[place]))
        for place, sign in ((readings.modalities.index(name), sign) for name, sign in signs.items())
    ]
    if not all(kernel.read.any() for kernel in kernels):
        return NotComputable("No reader has read cases of both kinds.")
    covariances = [_covariance(first, second) for first in kernels for second in kernels]
    if any(math.isnan(each) for each in covariances):
        return NotComputable("The variance over readers and cases needs two readers and two cases of each kind.")
    variance = sum(covariances)
    if variance < -1e-14:  # rounding apart
        return NotComputable("The unbiased estimate of the variance is below 0: too few readers or cases for this analysis.")
    value, se = sum(kernel.sign * kernel.area for kernel in kernels), root(variance)
    by_normal, by_t = (
        estimate(value, se, null=null, df=df, confidence=confidence, within=within)
        for df in (math.inf, _degrees_of_freedom(kernels, se**2))
    )
    return UStatistic(se**2, by_normal, by_t)


def _covariance(first: _Kernel, second: _Kernel) -> float:
    """Of signed areas; NaN where no two answers share neither reader nor case."""
    apart, count = _apart(first.won, second.won), _apart(first.read, second.read)
    return first.sign * second.sign * (first.area * second.area - apart / count) if count > 0.5 else math.nan


def _apart(first: Floats, second: Floats) -> float:
    """Sum of products over pairs of answers that share neither reader nor case."""
    everyone = sums_apart(first.sum(axis=0, keepdims=True), second.sum(axis=0, keepdims=True))
    alone = sum(sums_apart(first[reader, None], second[reader, None]) for reader in range(len(first)))
    return float((everyone - alone)[0, 0])


def _degrees_of_freedom(kernels: list[_Kernel], variance: float) -> float:
    below, fewest = 0.0, math.inf
    for axis in range(3):
        freedom = min(kernel.units(axis) for kernel in kernels) - 1
        if freedom <= 0:
            continue
        squares = float((np.sum([kernel.influence(axis) for kernel in kernels], axis=0) ** 2).sum())
        below += (squares * (freedom + 1) / freedom) ** 2 / freedom
        fewest = min(fewest, freedom)
    return max(variance**2 / below, fewest) if below else math.inf
