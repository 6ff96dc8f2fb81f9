"""The one sentence of a study.

Of chance it says "better than chance", "equivalent to chance within" the margin, or "inconclusive"; that pictures cannot be told
apart does not follow from a test that found nothing, and is never said.
"""

from __future__ import annotations

from ctmri_core.reporting.document import number
from ctmri_core.studies.analysis.found import Difference, Pooled, Value
from ctmri_core.studies.analysis.results import StudyResults

_FIGURES = {"accuracy": "share of right answers", "auc": "area under the ROC curve"}
_WORSE = " Readers were beyond chance on the wrong side: they see a difference and take it for the opposite."
NOTHING = "Nothing was answered, so nothing can be said."


def sentence(results: StudyResults) -> str:
    """With its numbers, for the top of the report."""
    if results.telling is not None:
        pairs = results.card.protocol.design == "two_alternatives"
        return _of_chance(results.telling.pooled[0], "pairs" if pairs else "pictures")
    if results.diagnosis is not None:
        return _of_margin(results.diagnosis.differences, results.card.protocol.analysis.margin, "area under the ROC curve")
    if results.scales and any(scale.arms for scale in results.scales):
        margin = results.card.protocol.analysis.margin
        said = [f"{scale.text}: {_of_margin(scale.differences, margin, 'mean grade')}" for scale in results.scales]
        return " ".join(said)
    if results.ranking is not None:
        return _of_ranks(results)
    return NOTHING


def _of_chance(pooled: Pooled, shown: str) -> str:
    told = f"Readers together: {pooled.verdict}. The {_FIGURES[pooled.figure]} was {numbers(pooled.estimate)}"
    crowd = f", of {len(pooled.readers)} reader{'s' if len(pooled.readers) != 1 else ''} and {pooled.cases} {shown}."
    return told + crowd + (_WORSE if pooled.worse else "")


def _of_margin(differences: tuple[Difference, ...], margin: float, figure: str) -> str:
    tested = [one for one in differences if one.margin is not None]
    if not tested:
        return "Real and synthetic pictures were not both read, so nothing can be said of the margin."
    said = [
        f"{one.second} against {one.first}: {'not inferior' if one.margin and one.margin.not_inferior else 'inconclusive'} within"
        f" a margin of {margin:g}; difference of the {figure} {numbers(one.estimate)}."
        for one in tested
    ]
    return " ".join(said)


def _of_ranks(results: StudyResults) -> str:
    found = results.ranking
    if found is None or found.friedman.p is None:
        return "Whether one kind of picture is preferred cannot be computed."
    best = min((arm for arm in found.arms if arm.mean.value is not None), key=lambda arm: arm.mean.value or 0.0, default=None)
    shown = found.friedman.p < results.card.protocol.analysis.alpha
    first = f" Best on average: {best.arm}, mean rank {numbers(best.mean)}." if best is not None else ""
    return f"A preference beyond chance was {'' if shown else 'not '}shown (Friedman, p = {found.friedman.p:.3g}).{first}"


def numbers(value: Value) -> str:
    """`0.53 (95 % interval 0.48 to 0.58)`."""
    if value.value is None:
        return f"not computable: {value.because[:1].lower()}{value.because[1:].rstrip('.')}"
    told = number(value.value, 3).text
    if value.low is None or value.high is None:
        return f"{told}, without an interval"
    return f"{told} ({100 * value.confidence:.4g} % interval {number(value.low, 3).text} to {number(value.high, 3).text})"
