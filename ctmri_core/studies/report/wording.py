"""How values, intervals and kinds of picture are written in the report of a study."""

from __future__ import annotations

from ctmri_core.reporting.document import Cell, Number, number
from ctmri_core.studies.analysis.found import ALL, MarginTest, Value
from ctmri_core.studies.truth import REAL

DESIGNS = {
    "yes_no": "real or synthetic, one picture at a time", "two_alternatives": "which of two pictures is synthetic",
    "rank": "pictures of one case in order", "grading": "visual grading", "diagnosis": "a finding on real and synthetic pictures",
}  # fmt: skip
FIGURES = {"accuracy": "share of right answers", "auc": "area under the ROC curve"}
REASONS = {
    "trained_on": "a model learnt from it", "geometry": "its geometry", "kind": "another kind of picture",
    "chance": "not drawn: more were there than asked for", "hand": "left out by hand", "failed": "could not be shown",
    "reference": "whether it has the finding is not known",
}  # fmt: skip


def arm_label(arm: str) -> str:
    return {REAL: "real", ALL: "all synthetic"}.get(arm, arm)


def value_cell(value: Value, decimals: int = 3) -> Number:
    """A dash where there is none; why stands below the table."""
    return number(value.value, decimals)


def span_cell(value: Value | MarginTest, decimals: int = 3) -> Number:
    """`0.41 to 0.59`."""
    if value.low is None or value.high is None:
        return Number("–")
    return Number(f"{number(value.low, decimals).text} to {number(value.high, decimals).text}", value.low)


def percent(confidence: float) -> str:
    return f"{100 * confidence:.4g} %"


def missing(*named: tuple[str, Value | MarginTest]) -> tuple[str, ...]:
    """Why numbers of a table are not there, each reason once with those it is of."""
    reasons: dict[str, list[str]] = {}
    for name, value in named:
        if value.because and name not in reasons.setdefault(value.because, []):
            reasons[value.because].append(name)
    return tuple(f"{', '.join(names)}: {because}" for because, names in reasons.items())


def margin_cell(test: MarginTest | None) -> Cell:
    """Of non-inferiority."""
    if test is None or test.low is None:
        return "–"
    return "not inferior" if test.not_inferior else "inconclusive"
