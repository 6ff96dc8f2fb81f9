"""Models side by side: the rows of means, and of tests between two of them."""

from __future__ import annotations

from ctmri_core.evaluation.results import Comparison, Evaluation, Kind, Summary
from ctmri_gui.evaluation.figures import NOTHING, Words, difference, number, probability, spread
from ctmri_gui.evaluation.plain_table import Cell

Table = tuple[list[str], list[list[Cell]]]
_MODELS = "Models"
TESTS_HEAD = ("Measure", _MODELS, "Difference (95 %)", "p", "p, Holm", "Patients", "What it says")
_TESTS_SAID = (
    "of the same patients, with 95 % paired bootstrap intervals; p of the two-sided Wilcoxon"
    " signed-rank test over patients, and corrected for all tests of this table (Holm)."
)
BEST_SAID = "Bold: the best mean. Whether it is beyond chance say the tests."


def means(evaluation: Evaluation, kind: Kind, centre: str = "") -> Table:
    """A row for each measure, a column for each model: mean ± SD, median and 95 % interval of the mean over patients."""
    words = Words(evaluation)
    head = ["Measure", *(_model_head(evaluation, model.number, kind, centre) for model in evaluation.models)]
    rows = []
    for key in dict.fromkeys(one.metric for one in evaluation.summaries if one.kind == kind):
        found = [evaluation.summary(model.number, key, kind, centre) for model in evaluation.models]
        best = _best(found, words, key, kind)
        first = Cell(f"{words.title(key, kind)}\n{words.better(key, kind)}", words.about(key, kind))
        rows.append([first, *(_mean(one, words.unit(key, kind), one is not None and one is best) for one in found)])
    for metric in evaluation.metrics if kind == "translation" and not centre else ():
        if metric.set_level:
            values = [model.set_scores.get(metric.key) for model in evaluation.models]
            cells = [Cell(f"{number(value, metric.unit)}\nall slices", metric.convention) for value in values]
            title = f"{words.title(metric.key)}\n{words.better(metric.key)}"
            rows.append([Cell(title, words.about(metric.key)), *cells])
    return head, rows


def tests(evaluation: Evaluation, kind: Kind) -> Table:
    """A row for each measure and two models; which two is left to `tests_said` where these are the only ones."""
    words, several = Words(evaluation), len(evaluation.models) > 2
    rows = []
    for one in evaluation.comparisons:
        if one.kind == kind:
            rows.append([
                Cell(words.title(one.metric, kind), words.about(one.metric, kind)),
                *([Cell(_pair(evaluation, one.first, one.second))] if several else []),
                Cell(difference(one, words.unit(one.metric, kind))), Cell(probability(one.p)),
                Cell(probability(one.p_holm), strong=one.clear), Cell(str(one.patients)),
                Cell(_verdict(evaluation, one), strong=one.clear),
            ])  # fmt: skip
    return [head for head in TESTS_HEAD if several or head != _MODELS], rows


def tests_said(evaluation: Evaluation) -> str:
    """What stands above them."""
    which = _pair(evaluation, 1, 2) if len(evaluation.models) == 2 else "first − second"
    return f"Differences are {which}, {_TESTS_SAID}"


def _pair(evaluation: Evaluation, first: int, second: int) -> str:
    return " − ".join(evaluation.model(each).name for each in (first, second))


def _model_head(evaluation: Evaluation, model: int, kind: Kind, centre: str) -> str:
    of = [one for one in evaluation.summaries if (one.model, one.kind, one.centre) == (model, kind, centre)]
    patients = max((one.patients for one in of), default=0)
    return f"{evaluation.model(model).name} ({patients} {'patient' if patients == 1 else 'patients'})"


def _best(found: list[Summary | None], words: Words, key: str, kind: Kind) -> Summary | None:
    """None where there is one model, or two are alike."""
    there = [one for one in found if one is not None]
    best = there[0] if len(there) > 1 else None
    for one in there[1:]:
        if best is not None and words.is_better(key, kind, one.mean, best.mean):
            best = one
    return None if best is None or sum(one.mean == best.mean for one in there) > 1 else best


def _mean(summary: Summary | None, unit: str, best: bool) -> Cell:
    if summary is None:
        return Cell(NOTHING)
    mean, rest = spread(summary, unit)
    tip = (
        f"{summary.patients} patients, {summary.cases} cases, from {number(summary.least, unit)} to {number(summary.most, unit)}"
    )
    return Cell(f"{mean}\n{rest}", tip, strong=best, said="the best mean" if best else "")


def _verdict(evaluation: Evaluation, one: Comparison) -> str:
    if one.better is None:
        return "alike"
    name = evaluation.model(one.better).name
    if one.p_holm is None:
        return f"{name} is better here; too few patients for a test"
    return f"{name} is better, beyond chance" if one.clear else f"{name} is better here, but that may be chance"
