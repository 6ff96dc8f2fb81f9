"""Numbers of evaluations as a person reads them."""

from __future__ import annotations

import math

from ctmri_core.evaluation.measure_words import words_of
from ctmri_core.evaluation.results import Comparison, Evaluation, Kind, Summary
from ctmri_core.evaluation.summary import metrics_of

_PLACES = {"HU": 1, "%": 1, "": 4}  # of other units: 2
_ARROWS = {"higher": "↑ higher is better", "lower": "↓ lower is better", "nearer to 0": "nearer to 0 is better"}
NOTHING = "–"


def number(value: float | None, unit: str = "") -> str:
    """With as many places as mean something in `unit`."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{_PLACES.get(unit, 2)}f}".replace("-", "−")


def spread(summary: Summary, unit: str) -> tuple[str, str]:
    """`46.2 ± 8.1` and `median 44.0, 95 % 41.0 to 52.3`: the second is short where there is one patient."""
    mean = number(summary.mean, unit)
    if summary.sd is None or summary.low is None or summary.high is None:
        return mean, "of one patient"
    interval = f"95 % {number(summary.low, unit)} to {number(summary.high, unit)}"
    return f"{mean} ± {number(summary.sd, unit)}", f"median {number(summary.median, unit)}, {interval}"


def difference(comparison: Comparison, unit: str) -> str:
    """`−3.20 (−5.10 to −1.40)`."""
    mean = number(comparison.difference, unit)
    if comparison.low is None or comparison.high is None:
        return mean
    return f"{mean} ({number(comparison.low, unit)} to {number(comparison.high, unit)})"


def probability(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def scored_keys(evaluation: Evaluation, kind: Kind) -> tuple[str, ...]:
    """Measures that have numbers, those of labels last."""
    return tuple(key for key in metrics_of(evaluation.scores, kind) if ":" in key or evaluation.metric(key, kind) is not None)


class Words:
    """Titles, units and conventions of the measures of one evaluation, those of single labels among them."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    def title(self, key: str, kind: Kind = "translation") -> str:
        """`MAE (HU)`, `Dice, bone`."""
        words, unit, _ = words_of(self._evaluation, key, kind)
        return f"{words} ({unit})" if unit else words

    def unit(self, key: str, kind: Kind = "translation") -> str:
        return words_of(self._evaluation, key, kind).unit

    def better(self, key: str, kind: Kind = "translation") -> str:
        return _ARROWS[words_of(self._evaluation, key, kind).better]

    def about(self, key: str, kind: Kind = "translation") -> str:
        """What it is and where it comes from."""
        metric = self._evaluation.metric(key, kind)
        if metric is None:
            return f"{self.title(key, kind)}: {self.better(key, kind)}"
        return f"{metric.title}: {_ARROWS[metric.better]}\n{metric.convention}\n{metric.source}"

    def is_better(self, key: str, kind: Kind, one: float, other: float) -> bool:
        """Whether `one` is the better number."""
        better = words_of(self._evaluation, key, kind).better
        if better == "nearer to 0":
            return abs(one) < abs(other)
        return one > other if better == "higher" else one < other
