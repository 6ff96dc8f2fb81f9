"""Whether readers are at chance within a margin, which no test of a difference shows: two one-sided tests (Schuirmann 1987)."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.statistics.answers import WITHOUT_VARIANCE, Estimate, Interval, NotComputable, t_above, t_quantile
from ctmri_core.statistics.intervals import NO_TRIALS, Proportion, binomial_chances, clopper_pearson


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Of a value to `null` within `margin`, at the level `alpha`.

    `p_above`: that the truth is null - margin or less, so small values speak for "no worse"; `p_below`: that it is null + margin
    or more; `p`: the larger. `interval`: of confidence 1 - 2 alpha; equivalent where it lies inside the margin.
    """

    value: float
    null: float
    margin: float
    alpha: float
    p_above: float
    p_below: float
    interval: Interval

    @property
    def p(self) -> float:
        return max(self.p_above, self.p_below)

    @property
    def equivalent(self) -> bool:
        return self.p < self.alpha

    @property
    def not_inferior(self) -> bool:
        """Not worse than `null` by `margin` or more, where higher is better: one of the two tests."""
        return self.p_above < self.alpha


def of_proportion(
    successes: int, trials: int, margin: float, *, null: float = 0.5, alpha: float = 0.05
) -> Equivalence | NotComputable:
    """Exact, of one reader's independent trials."""
    _margin(margin)
    if not trials:
        return NO_TRIALS
    bounds = clopper_pearson(successes, trials, 1 - 2 * alpha)
    above = float(binomial_chances(trials, max(null - margin, 0.0))[successes:].sum())
    below = float(binomial_chances(trials, min(null + margin, 1.0))[: successes + 1].sum())
    return Equivalence(successes / trials, null, margin, alpha, min(above, 1.0), min(below, 1.0), bounds)


def of_estimate(
    found: Estimate | NotComputable, margin: float, *, null: float = 0.5, alpha: float = 0.05
) -> Equivalence | NotComputable:
    """By Student's t, of a value with its standard error and degrees of freedom, such as several readers' mean accuracy."""
    _margin(margin)
    if isinstance(found, NotComputable):
        return found
    if not found.se > 0:
        return WITHOUT_VARIANCE
    above = t_above((found.value - null + margin) / found.se, found.df)
    below = t_above((null + margin - found.value) / found.se, found.df)
    reach = t_quantile(1 - alpha, found.df) * found.se
    return Equivalence(
        found.value, null, margin, alpha, above, below, Interval(found.value - reach, found.value + reach, 1 - 2 * alpha)
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of a study: `better` than chance, `equivalent` to it within `margin`, both of a small effect, or neither.

    `worse`: readers are beyond chance on the wrong side. They do see a difference, and take it for the opposite; no equivalence
    then makes the pictures alike, and `words` say neither.
    """

    better: bool
    worse: bool
    equivalent: bool
    margin: float

    @property
    def words(self) -> str:
        """The only ones a report may use."""
        said = ["better than chance"] if self.better else []
        if self.equivalent and not self.worse:
            said.append(f"equivalent to chance within ±{self.margin:g}")
        return ", and ".join(said) or "inconclusive"


def verdict(
    found: Estimate | Proportion | NotComputable, equivalence: Equivalence | NotComputable, margin: float, alpha: float = 0.05
) -> Verdict:
    """From the two-sided test of `found` against chance and the test of equivalence; what cannot be computed shows nothing.

    Raises `ValueError` where equivalence was tested with another margin or level than registered.
    """
    if isinstance(equivalence, Equivalence) and (equivalence.margin, equivalence.alpha) != (margin, alpha):
        raise ValueError("equivalence was tested with another margin or level")
    equivalent = isinstance(equivalence, Equivalence) and equivalence.equivalent
    test = found.test if isinstance(found, Estimate) else found
    if isinstance(test, NotComputable) or isinstance(found, NotComputable) or test.p >= alpha:
        return Verdict(False, False, equivalent, margin)
    better = found.value > test.null
    return Verdict(better, not better, equivalent, margin)


def _margin(margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"{margin} is no margin")
