"""Several readers, several cases: Obuchowski and Rockette's analysis with Hillis's degrees of freedom.

Obuchowski and Rockette, Commun Stat Simul 24, 1995; Hillis, Stat Med 26, 2007 and 33, 2014. Figures of merit are areas under
the ROC curve or mean scores (accuracy). Covariances between readers that estimate below 0 count as 0 where the formulas say so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from ctmri_core.statistics.answers import WITHOUT_VARIANCE, Estimate, NotComputable, Significance, estimate, f_above, root
from ctmri_core.statistics.figures import Covariance, Figure, figures
from ctmri_core.statistics.intervals import unanimous
from ctmri_core.statistics.kernels import Floats
from ctmri_core.statistics.readings import Readings

HoldsFor = Literal["readers and cases", "cases", "readers"]
"""What the result is said of: other readers and cases; other cases with these readers; other readers with these cases."""

LITTLE_FREEDOM = 2
"""Of readers, where their spread is not believed if it is below what cases alone make (decision 0025)."""
ONE_READER = NotComputable("One reader does not show how readers differ: the result can hold for other cases only.")


@dataclass(frozen=True, slots=True)
class Components:
    """Over all modalities. `variance` of a figure over cases; `cov1`: other modality, same reader; `cov2`: same modality, other
    reader; `cov3`: both others. `ms_...`: mean squares of modality, reader and both together; NaN of one reader or modality.
    """

    variance: float
    cov1: float
    cov2: float
    cov3: float
    ms_modality: float
    ms_reader: float
    ms_interaction: float

    @property
    def between_readers(self) -> float:
        """cov2 - cov3, at least 0."""
        return max(self.cov2 - self.cov3, 0.0)


@dataclass(frozen=True, slots=True)
class ModalityComponents:
    """Of one modality alone, as in `Components`."""

    variance: float
    cov2: float
    ms_reader: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """`values`: one tuple for each modality, one figure for each reader. `cases`, `pairs`, `limits`, `patients`: as in
    `Figures`."""

    figure: Figure
    covariance: Covariance
    modalities: tuple[str, ...]
    readers: tuple[str, ...]
    cases: int
    pairs: int
    limits: tuple[float, float]
    values: tuple[tuple[float, ...], ...]
    components: Components
    single: tuple[ModalityComponents, ...]
    patients: int | None = None

    def mean(self, modality: str) -> float:
        """Over readers."""
        return float(np.mean(self.values[self.modalities.index(modality)]))


@dataclass(frozen=True, slots=True)
class Difference:
    """`second` less `first`, tested against 0."""

    first: str
    second: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """`test`: that all modalities have the same mean figure, F with `df1` and `df2`, or chi-squared with `df1` where `df2` is
    infinite.

    `differences`: of all pairs; with three modalities or more their p want Holm's correction.
    """

    holds_for: HoldsFor
    test: Significance | NotComputable
    df1: int
    df2: float
    differences: tuple[Difference, ...]


def analyse(readings: Readings, figure: Figure = "auc", covariance: Covariance = "jackknife") -> Analysis | NotComputable:
    """Of complete readings. Of `Readings.correct()` with `figure` "mean": accuracy."""
    found = figures(readings, figure, covariance)
    if isinstance(found, NotComputable):
        return found
    modalities, readers = found.values.shape
    single = tuple(
        ModalityComponents(
            *_same_and_other(found.covariance[place, :, place, :]),
            float(found.values[place].var(ddof=1)) if readers > 1 else math.nan,
        )
        for place in range(modalities)
    )
    return Analysis(
        figure, covariance, readings.modalities, readings.readers, found.cases, found.pairs, found.limits,
        tuple(map(tuple, found.values.tolist())), _components(found.values, found.covariance), single, found.patients,
    )  # fmt: skip


def against(
    analysis: Analysis, modality: str, *, null: float = 0.5, holds_for: HoldsFor = "readers and cases", confidence: float = 0.95
) -> Estimate | NotComputable:
    """The mean figure of one modality over readers, tested against `null`: whether readers together do better than chance.

    Two or three readers (`LITTLE_FREEDOM`) are taken to differ at least as cases make them: their own spread is often small by
    luck, and of studies at chance up to 12 % would be called beyond it. Readers who are all perfect: see `intervals.unanimous`.
    """
    parts, readers = analysis.single[analysis.modalities.index(modality)], len(analysis.readers)
    if readers < 2 and holds_for != "cases":
        return ONE_READER
    cov2 = max(parts.cov2, 0.0)
    total, df = _error(parts.ms_reader, parts.variance, cov2, readers, readers - 1, holds_for, analysis.patients)
    se = root(total / readers)
    found = estimate(analysis.mean(modality), se, null=null, df=df, confidence=confidence, within=analysis.limits)
    return unanimous(found, analysis.pairs, null=null, confidence=confidence) if analysis.limits == (0.0, 1.0) else found


def compare(
    analysis: Analysis, *, holds_for: HoldsFor = "readers and cases", confidence: float = 0.95
) -> Comparison | NotComputable:
    """Whether modalities differ in their mean figure over readers."""
    parts, modalities, readers = analysis.components, len(analysis.modalities), len(analysis.readers)
    if modalities < 2:
        return NotComputable("There is only one modality, so nothing to compare.")
    if readers < 2 and holds_for != "cases":
        return ONE_READER
    freedom = (modalities - 1) * (readers - 1)
    own = parts.variance - parts.cov1
    error, df2 = _error(parts.ms_interaction, own, parts.between_readers, readers, freedom, holds_for, analysis.patients)
    width = analysis.limits[1] - analysis.limits[0]
    se = root(2 * error / readers)
    differences = tuple(
        Difference(
            first, second,
            estimate(
                analysis.mean(second) - analysis.mean(first), se, null=0.0, df=df2, confidence=confidence, within=(-width, width)
            ),
        )
        for first, second in combinations(analysis.modalities, 2)
    )  # fmt: skip
    return Comparison(holds_for, _test(parts.ms_modality, error, modalities - 1, df2, se), modalities - 1, df2, differences)


def _error(
    mean_square: float, own: float, shared: float, readers: int, freedom: int, holds_for: HoldsFor, patients: int | None
) -> tuple[float, float]:
    """Variance of a mean over readers, times their number, and its degrees of freedom, which a few patients limit.

    `mean_square`: of readers, with `freedom`; `own`: what cases give it; `shared`: covariance of two readers.
    """
    if holds_for == "readers":
        return mean_square, freedom
    over_cases, most = own + (readers - 1) * shared, math.inf if patients is None else patients - 1
    if holds_for == "cases":
        return over_cases, most
    total = mean_square + readers * shared
    df = min(_ratio(freedom * total**2, mean_square**2), most)
    return (max(total, over_cases) if freedom <= LITTLE_FREEDOM else total), df


def _test(mean_square: float, error: float, df1: int, df2: float, se: float) -> Significance | NotComputable:
    if not se:
        return WITHOUT_VARIANCE
    f = mean_square / error
    return Significance(f * df1 if math.isinf(df2) else f, f_above(f, df1, df2), 0.0)


def _components(values: Floats, covariance: Floats) -> Components:
    modalities, readers = values.shape
    same = [_same_and_other(covariance[place, :, place, :]) for place in range(modalities)]
    other = [_same_and_other(covariance[a, :, b, :]) for a in range(modalities) for b in range(modalities) if a != b]
    variance, cov2 = np.mean(same, axis=0)
    cov1, cov3 = np.mean(other, axis=0) if other else (math.nan, math.nan)
    of_modality, of_reader = values.mean(axis=1), values.mean(axis=0)
    rest = values - of_modality[:, None] - of_reader + values.mean()
    several = modalities > 1, readers > 1
    freedom = (modalities - 1) * (readers - 1)
    return Components(
        float(variance), float(cov1), float(cov2), float(cov3),
        readers * float(of_modality.var(ddof=1)) if several[0] else math.nan,
        modalities * float(of_reader.var(ddof=1)) if several[1] else math.nan,
        float((rest**2).sum()) / freedom if all(several) else math.nan,
    )  # fmt: skip


def _same_and_other(block: Floats) -> tuple[float, float]:
    """Means of the diagonal and beside it of (readers, readers); beside it 0 of one reader."""
    readers = len(block)
    diagonal = float(np.trace(block))
    return diagonal / readers, (float(block.sum()) - diagonal) / (readers * (readers - 1)) if readers > 1 else 0.0


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.inf
