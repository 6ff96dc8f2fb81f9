"""Scores by patient, as they are drawn: of each patient the mean of its cases."""

from __future__ import annotations

import math
from statistics import fmean

from ctmri_core.evaluation.results import Evaluation, Kind


def patient_means(evaluation: Evaluation, model: int, metric: str, kind: Kind) -> list[float]:
    """Of counted cases whose score is known and finite, in the order of patients."""
    found: dict[str, list[float]] = {}
    for scores in evaluation.scores_of(model):
        value = scores.of(kind).get(metric)
        if scores.counted and value is not None and math.isfinite(value):
            found.setdefault(evaluation.case(scores.case).patient, []).append(value)
    return [fmean(values) for values in found.values()]


def patients(evaluation: Evaluation) -> int:
    """How many there are."""
    return len({case.patient for case in evaluation.cases})
