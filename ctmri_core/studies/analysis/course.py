"""How a reading went on: time for both kinds of picture, and whether readers got better or tired."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from ctmri_core.statistics import trends
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.studies.analysis.answered import Answered, Row
from ctmri_core.studies.analysis.found import Value
from ctmri_core.studies.analysis.results import Course, OrderPart, Times
from ctmri_core.studies.analysis.values import test_of, value_of
from ctmri_core.studies.truth import REAL

_PARTS = 8
_FEWEST_IN_PART = 5
QUANTILES = (5, 25, 50, 75, 95)
REAL_PICTURES, SYNTHETIC_PICTURES = "real", "synthetic"


def course(answered: Answered) -> Course | None:
    """None where nothing was answered."""
    rows = answered.first
    if not rows:
        return None
    confidence = 1 - answered.protocol.analysis.alpha
    judged = answered.design not in ("grading", "rank")
    slope, odds = _learning(rows, confidence) if judged else (_NO_RIGHT, _NO_RIGHT)
    kinds = answered.design not in ("rank", "two_alternatives")
    against = {reader: _against(answered.of(reader), confidence) for reader in answered.readers} if kinds else {}
    return Course(
        times=tuple(_times(answered, kinds=kinds)), parts=tuple(_parts(rows, judged=judged)), slope=slope, odds_of_ten=odds,
        real_against_synthetic=against, over_readers=_over_readers(answered, confidence) if kinds else _NO_KINDS,
    )  # fmt: skip


_NO_RIGHT = Value(because="This design has no right answers.")
_NO_KINDS = Value(because="Each trial shows pictures of several kinds.")


def kind_of(row: Row) -> str:
    return REAL_PICTURES if row.item.arm == REAL else SYNTHETIC_PICTURES


def _learning(rows: Sequence[Row], confidence: float) -> tuple[Value, Value]:
    right, number, reader = ([row.right for row in rows], [row.trial.number for row in rows], [row.reader for row in rows])
    found = trends.trend(right, number, reader, confidence=confidence)
    if isinstance(found, NotComputable):
        return (missing := value_of(found, confidence)), missing
    slope = value_of(found.slope, confidence)
    ends = (None if end is None else math.exp(10 * end) for end in (slope.value, slope.low, slope.high))
    value, low, high = ends
    return slope, Value(value=value, low=low, high=high, confidence=confidence, null=1.0, p=slope.p)


def _times(answered: Answered, *, kinds: bool) -> Iterable[Times]:
    for reader in ("", *answered.readers):
        own = list(answered.first) if not reader else answered.of(reader)
        for of in ("", REAL_PICTURES, SYNTHETIC_PICTURES) if kinds else ("",):
            seconds = [row.seconds for row in own if not of or kind_of(row) == of]
            if seconds:
                quantiles = tuple(float(one) for one in np.percentile(seconds, QUANTILES))
                yield Times(reader=reader, of=of, trials=len(seconds), quantiles=quantiles)


def _parts(rows: Sequence[Row], *, judged: bool) -> Iterable[OrderPart]:
    last = max(row.trial.number for row in rows)
    parts = max(1, min(_PARTS, last // _FEWEST_IN_PART))
    ends = [round(place * last / parts) for place in range(parts + 1)]
    for before, end in pairwise(ends):
        own = [row for row in rows if before < row.trial.number <= end]
        if own:
            right = sum(row.right for row in own) / len(own) if judged else None
            yield OrderPart(
                first=before + 1, last=end, trials=len(own), right=right, median_s=float(np.median([row.seconds for row in own]))
            )


def _against(rows: Sequence[Row], confidence: float) -> Value:
    real, made = _seconds(rows)
    return test_of(trends.rank_sum(real, made), confidence)


def _over_readers(answered: Answered, confidence: float) -> Value:
    """Median of the readers' differences, synthetic less real, in seconds."""
    both = [_seconds(answered.of(reader)) for reader in answered.readers]
    apart = [float(np.median(made) - np.median(real)) for real, made in both if real and made]
    if len(apart) < 2:
        return Value(confidence=confidence, because="Two readers of both kinds of picture are needed.")
    return Value(value=float(np.median(apart)), confidence=confidence, null=0.0, p=trends.signed_rank(apart))


def _seconds(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    real = [row.seconds for row in rows if kind_of(row) == REAL_PICTURES]
    return real, [row.seconds for row in rows if kind_of(row) == SYNTHETIC_PICTURES]
