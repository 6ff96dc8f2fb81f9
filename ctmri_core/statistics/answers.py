"""What a statistic answers: a value with its interval and its test, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotComputable:
    """In place of a result that the data do not allow. `because`: one sentence for people."""

    because: str


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds in the unit of the value; `confidence` as a part of 1."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Significance:
    """`p`: two-sided, that the truth is `null`."""

    statistic: float
    p: float
    null: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` with its standard error; `df`: degrees of freedom of Student's t, infinite for the normal distribution."""

    value: float
    se: float
    df: float
    interval: Interval | NotComputable
    test: Significance | NotComputable


WITHOUT_VARIANCE = NotComputable(
    "The variance is estimated as 0: these data do not show how much the value would change with other readers or cases."
)


def estimate(
    value: float, se: float, *, null: float, df: float = math.inf, confidence: float = 0.95,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:  # fmt: skip
    """`value` with the symmetric interval and the two-sided test of Student's t, or of the normal distribution for infinite `df`.

    The interval is cut off at the values that are possible, `within`. Without variance there is neither interval nor test.
    """
    if not se > 0:
        return Estimate(value, max(se, 0.0), df, WITHOUT_VARIANCE, WITHOUT_VARIANCE)
    reach = t_quantile(0.5 + confidence / 2, df) * se
    low, high = max(value - reach, within[0]), min(value + reach, within[1])
    t = (value - null) / se
    return Estimate(value, se, df, Interval(low, high, confidence), Significance(t, 2 * t_above(abs(t), df), null))


def root(variance: float) -> float:
    """The standard error of a `variance`; 0 where rounding alone has left one, or one below 0."""
    return math.sqrt(variance) if variance > 1e-14 else 0.0


def t_above(t: float, df: float) -> float:
    """Probability that Student's t with `df` (real, or infinite) exceeds `t`."""
    from scipy.special import ndtr, stdtr

    return float(ndtr(-t) if math.isinf(df) else stdtr(df, -t))


def t_quantile(probability: float, df: float) -> float:
    """The value that Student's t with `df` (real, or infinite) stays below with `probability`."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(probability) if math.isinf(df) else stdtrit(df, probability))


def f_above(f: float, df1: float, df2: float) -> float:
    """Probability that F with `df1` and `df2` (real, the second perhaps infinite) exceeds `f`."""
    from scipy.special import chdtrc, fdtrc

    return float(chdtrc(df1, f * df1) if math.isinf(df2) else fdtrc(df1, df2, f))
