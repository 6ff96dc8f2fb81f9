"""Answers of `ctmri_core.statistics` as they stand in results: what is infinite or not a number becomes None."""

from __future__ import annotations

import math

from ctmri_core.statistics.agreement import Agreement
from ctmri_core.statistics.answers import Estimate, Interval, NotComputable, Significance
from ctmri_core.statistics.equivalence import Equivalence
from ctmri_core.statistics.intervals import Proportion
from ctmri_core.statistics.krippendorff import Alpha
from ctmri_core.statistics.roc import Area
from ctmri_core.studies.analysis.found import MarginTest, Value

Found = Estimate | Proportion | Agreement | Area | Alpha | NotComputable


def value_of(found: Found, confidence: float) -> Value:
    """`confidence`: that was asked for, told also where there is no interval."""
    match found:
        case NotComputable(because=because):
            return Value(confidence=confidence, because=because)
        case Agreement():
            return value_of(found.coefficient, confidence)
        case Area():
            return value_of(found.area, confidence)
        case Alpha():
            return Value(value=found.value, low=found.interval.low, high=found.interval.high, confidence=confidence)
        case Proportion():
            bounds = found.interval
            return Value(
                value=found.value, low=bounds.low, high=bounds.high, confidence=confidence, null=found.null, p=min(found.p, 1.0)
            )
        case Estimate():
            return _of_estimate(found, confidence)


def _of_estimate(found: Estimate, confidence: float) -> Value:
    interval, test = found.interval, found.test
    missing = next((part.because for part in (interval, test) if isinstance(part, NotComputable)), "")
    low, high = (interval.low, interval.high) if isinstance(interval, Interval) else (None, None)
    null, p = (test.null, test.p) if isinstance(test, Significance) else (None, None)
    return Value(
        value=finite(found.value), low=low, high=high, confidence=confidence, se=finite(found.se), df=finite(found.df), null=null,
        p=p, because=missing,
    )  # fmt: skip


def within(value: Value, low: float, high: float) -> Value:
    """Its interval cut off at the ends of a scale."""
    if value.low is None or value.high is None:
        return value
    return value.model_copy(update={"low": max(value.low, low), "high": min(value.high, high)})


def test_of(found: Significance | NotComputable, confidence: float) -> Value:
    """Of a test alone: its statistic as the value."""
    if isinstance(found, NotComputable):
        return Value(confidence=confidence, because=found.because)
    return Value(value=finite(found.statistic), confidence=confidence, null=found.null, p=found.p)


def margin_of(found: Equivalence | NotComputable, margin: float, alpha: float, null: float) -> MarginTest:
    if isinstance(found, NotComputable):
        return MarginTest(margin=margin, alpha=alpha, null=null, because=found.because)
    return MarginTest(
        margin=margin, alpha=alpha, null=null, low=found.interval.low, high=found.interval.high, p=min(found.p, 1.0),
        p_inferior=min(found.p_above, 1.0), equivalent=found.equivalent, not_inferior=found.not_inferior,
    )  # fmt: skip


def finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
