"""How numbers, measures, models and kinds of pictures are written in a report."""

from __future__ import annotations

from ctmri_core.domain import Domain
from ctmri_core.evaluation.results import EvaluatedModel, Evaluation, ShownMetric
from ctmri_core.reporting.document import Number, number

_DECIMALS = {"HU": 1, "dB": 2, "mm": 2, "bit": 3, "% of range": 2, "%": 1, "": 4}
ARROWS = {"higher": "↑", "lower": "↓", "nearer to 0": "→ 0"}
_BETTER = {"higher": "↑ higher is better", "lower": "↓ lower is better", "nearer to 0": "→ 0 is best"}


def domain_label(text: str) -> str:
    return Domain(text).label if text in set(Domain) else text


def way(evaluation: Evaluation) -> str:
    """`CT → T1 MR`."""
    return f"{domain_label(evaluation.source)} → {domain_label(evaluation.target)}"


def model_label(model: EvaluatedModel) -> str:
    """Models of one name are told apart by their numbers."""
    return f"{model.number} · {model.name}"


def unit_and_better(unit: str, better: str) -> str:
    """The second line of a column's head."""
    return ", ".join(filter(None, (unit, _BETTER.get(better, better))))


def decimals(unit: str) -> int | None:
    """Places that figures of a unit are worth; None for four significant figures."""
    return _DECIMALS.get(unit)


def shown(value: float | None, unit: str, *, signed: bool = False) -> Number:
    places = decimals(unit)
    if value is not None and unit == "" and abs(value) >= 10:
        places = None
    return number(value, places, signed=signed)


def span(low: float | None, high: float | None, unit: str) -> Number:
    """`12.3 to 15.6`, sorted by its lower end."""
    if low is None or high is None:
        return Number("–")
    return Number(f"{shown(low, unit).text} to {shown(high, unit).text}", low)


def badness(metric: ShownMetric | None, value: float | None) -> float:
    """By which cases are ranked, the worst highest; what is not known is worst."""
    if value is None:
        return float("inf")
    if metric is None or metric.better == "lower":
        return value
    return -value if metric.better == "higher" else abs(value)
