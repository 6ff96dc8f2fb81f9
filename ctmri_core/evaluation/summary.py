"""From the scores of cases to what may be said of models: over patients, on the same cases, with what many tests cost."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from ctmri_core.evaluation.calibration import joint_agreement, mean_calibration
from ctmri_core.evaluation.measure_words import OF_LABELS
from ctmri_core.evaluation.results import (
    FEWEST_PATIENTS,
    CaseScores,
    Comparison,
    EvaluatedCase,
    Kind,
    ModelCurves,
    ShownMetric,
    Summary,
)
from ctmri_core.statistics.bootstrap import interval
from ctmri_core.statistics.multiplicity import holm
from ctmri_core.statistics.trends import signed_rank

KINDS: tuple[Kind, ...] = ("translation", "cycle")
Patients = dict[str, float]
"""By patient: the mean of its cases."""


def summaries(scores: Sequence[CaseScores], cases: Sequence[EvaluatedCase]) -> tuple[Summary, ...]:
    """Of every model, metric and centre (where there are several), over the cases that count."""
    centres = sorted({case.centre for case in cases if case.centre})
    groups = ["", *(centres if len(centres) > 1 else [])]
    found = []
    for model in sorted({one.model for one in scores}):
        for kind in KINDS:
            for metric in metrics_of(scores, kind):
                for centre in groups:
                    there = _values(scores, cases, model, kind, metric, centre)
                    if there:
                        found.append(_summary(model, kind, metric, centre, there))
    return tuple(found)


def comparisons(
    scores: Sequence[CaseScores], cases: Sequence[EvaluatedCase], metrics: Sequence[ShownMetric]
) -> tuple[Comparison, ...]:  # fmt: skip
    """Each two models on the patients that both have a score of. Probabilities are corrected for all tests of one kind."""
    better = {(metric.kind, metric.key): metric.better for metric in metrics}
    found: list[Comparison] = []
    for kind in KINDS:
        compared = [
            _comparison(first, second, kind, metric, pairs, better)
            for first, second in combinations(sorted({one.model for one in scores}), 2)
            for metric in metrics_of(scores, kind)
            if (pairs := _pairs(scores, cases, first, second, kind, metric))
        ]
        corrected = holm([one.p for one in compared])
        found += [one.model_copy(update={"p_holm": p}) for one, p in zip(compared, corrected, strict=True)]
    return tuple(found)


def curves(scores: Sequence[CaseScores]) -> tuple[ModelCurves, ...]:
    """What figures are made of, over the cases that count."""
    found = []
    for model in sorted({one.model for one in scores}):
        own = [one for one in scores if one.model == model and one.counted]
        calibrated = mean_calibration([one.calibration for one in own if one.calibration is not None])
        agreed = joint_agreement([one.agreement for one in own if one.agreement is not None])
        if calibrated is not None or agreed is not None:
            found.append(ModelCurves(model=model, calibration=calibrated, agreement=agreed))
    return tuple(found)


def metrics_of(scores: Iterable[CaseScores], kind: Kind) -> list[str]:
    """Keys of all that was scored, those of labels last."""
    found: dict[str, None] = {}
    for one in scores:
        found.update(dict.fromkeys(one.of(kind)))
    if kind == "translation":
        labels = dict.fromkeys(each.label for one in scores for each in one.labels)
        found.update(dict.fromkeys(f"{key}:{label}" for label in labels for key in OF_LABELS))
    return list(found)


def value_of(scores: CaseScores, kind: Kind, metric: str) -> float | None:
    """A number of one case, also of its labels; None where there is none."""
    key, _, label = metric.partition(":")
    if not label:
        return scores.of(kind).get(metric)
    found = next((one for one in scores.labels if one.label == label), None)
    if found is None:
        return None
    return {"dice": found.dice, "hausdorff_95": found.hausdorff_95, "label_mae": found.mae}[key]


def ranked(scores: Sequence[CaseScores], metric: ShownMetric) -> list[CaseScores]:
    """Cases that count, the best first."""
    there = [(value, one) for one in scores if one.counted and (value := one.values.get(metric.key)) is not None]
    ways: dict[str, Callable[[float], float]] = {"higher": lambda value: -value, "lower": lambda value: value, "nearer to 0": abs}
    return [one for _, one in sorted(there, key=lambda entry: ways[metric.better](entry[0]))]


def _values(
    scores: Sequence[CaseScores], cases: Sequence[EvaluatedCase], model: int, kind: Kind, metric: str, centre: str
) -> list[tuple[str, float]]:
    """(patient, number) of each case that counts."""
    return [
        (cases[one.case - 1].patient, value)
        for one in scores
        if one.model == model and one.counted and (not centre or cases[one.case - 1].centre == centre)
        and (value := value_of(one, kind, metric)) is not None and math.isfinite(value)
    ]  # fmt: skip


def by_patient(values: Iterable[tuple[str, float]]) -> Patients:
    """The mean of each patient's cases."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for patient, value in values:
        found[patient].append(value)
    return {patient: statistics.fmean(own) for patient, own in found.items()}


def _summary(model: int, kind: Kind, metric: str, centre: str, values: Sequence[tuple[str, float]]) -> Summary:
    means = list(by_patient(values).values())
    several = len(means) > 1
    low, high = interval(means) if several else (None, None)
    return Summary(
        model=model, kind=kind, metric=metric, centre=centre, patients=len(means), cases=len(values),
        mean=statistics.fmean(means), sd=statistics.stdev(means) if several else None, median=statistics.median(means), low=low,
        high=high, least=min(means), most=max(means),
    )  # fmt: skip


def _pairs(
    scores: Sequence[CaseScores], cases: Sequence[EvaluatedCase], first: int, second: int, kind: Kind, metric: str
) -> list[tuple[float, float]]:
    """Of each patient, over the cases of which both have a number."""
    numbers: list[dict[int, float]] = []
    for model in (first, second):
        own = {one.case: value_of(one, kind, metric) for one in scores if one.model == model and one.counted}
        numbers.append({case: value for case, value in own.items() if value is not None and math.isfinite(value)})
    both = sorted(numbers[0].keys() & numbers[1].keys())
    means = [by_patient((cases[case - 1].patient, own[case]) for case in both) for own in numbers]
    return [(means[0][patient], means[1][patient]) for patient in means[0]]


def _comparison(
    first: int, second: int, kind: Kind, metric: str, pairs: Sequence[tuple[float, float]],
    better: Mapping[tuple[Kind, str], str],
) -> Comparison:  # fmt: skip
    differences = [a - b for a, b in pairs]
    several = len(pairs) > 1
    low, high = interval(differences) if several else (None, None)
    way = OF_LABELS[metric.partition(":")[0]].better if ":" in metric else better.get((kind, metric))
    return Comparison(
        first=first, second=second, kind=kind, metric=metric, patients=len(pairs), difference=statistics.fmean(differences),
        low=low, high=high, p=signed_rank(differences) if several else None,
        better=_better_one(first, second, statistics.fmean(a for a, _ in pairs), statistics.fmean(b for _, b in pairs), way),
    )  # fmt: skip


def _better_one(first: int, second: int, a: float, b: float, way: str | None) -> int | None:
    if way == "nearer to 0":
        a, b, way = abs(a), abs(b), "lower"
    if way is None or a == b:
        return None
    return first if (a > b) == (way == "higher") else second


def few_patients(count: int) -> Iterator[str]:
    """What to say of so many patients."""
    if count == 1:
        yield "One patient says little: there are no intervals and no tests."
    elif 1 < count < FEWEST_PATIENTS:
        yield f"{count} patients say little: intervals are rough, and no paired test can come below p = 0.05 with fewer than 6."
