"""An evaluation as text for a terminal: conventions first, then tables of true translations and, apart, of cycles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctmri_core.evaluation.measure_words import words_of
from ctmri_core.evaluation.results import Comparison, Evaluation, Kind, Problem, ShownMetric, Summary

_HEADS: dict[Kind, str] = {
    "translation": "True translations: synthetic against the real picture of the same patient",
    "cycle": "Cycles: source against source → target → source. They do not tell whether the target is right",
}
_MOST_PROBLEMS, _MOST_NUMBERS = 12, 10
_ARROWS = {"higher": "↑", "lower": "↓", "nearer to 0": "→ 0"}


def lines_of(evaluation: Evaluation) -> Iterator[str]:
    """The whole answer, line by line."""
    yield from _head(evaluation)
    kinds: list[Kind] = ["translation", "cycle"]
    for kind in kinds:
        if any(one.kind == kind for one in evaluation.summaries):
            yield ""
            yield _HEADS[kind]
            yield from _definitions([metric for metric in evaluation.metrics if metric.kind == kind and not metric.set_level])
            yield ""
            for centre in ("", *evaluation.centres):
                yield from _table(evaluation, kind, centre)
            yield from _tests(evaluation, kind)
    yield from _sets(evaluation)
    yield from _calibrations(evaluation)
    yield from _problems(evaluation.problems)


def _definitions(metrics: Sequence[ShownMetric]) -> Iterator[str]:
    """What is measured alike, once."""
    alike: dict[str, list[str]] = {}
    for metric in metrics:
        alike.setdefault(metric.convention, []).append(metric.title)
    for convention, titles in alike.items():
        yield f"  {', '.join(titles)}: {convention}"


def _head(evaluation: Evaluation) -> Iterator[str]:
    counted = {one.case for one in evaluation.scores if one.counted}
    patients = {evaluation.case(number).patient for number in counted}
    side = f", {evaluation.data.side} side" if evaluation.data.side else ""
    whole = "" if evaluation.finished else " Stopped before its end: this is what was finished."
    count = f"{len(counted)} of {len(evaluation.cases)} cases of {len(patients)} patients count"
    yield f"{evaluation.data.what or 'data'}{side}: {count}.{whole}"
    yield from evaluation.conventions


def _table(evaluation: Evaluation, kind: Kind, centre: str) -> Iterator[str]:
    """A row for each metric, a column for each model."""
    rows = [one for one in evaluation.summaries if one.kind == kind and one.centre == centre]
    keys = list(dict.fromkeys(one.metric for one in rows))
    if not keys:
        return
    patients = max(one.patients for one in rows)
    cells = [[f"Centre {centre}" if centre else "All", *(f"{model.name}" for model in evaluation.models)]]
    for key in keys:
        found = {one.model: one for one in rows if one.metric == key}
        cells.append([_title(evaluation, key, kind), *(_cell(found.get(model.number)) for model in evaluation.models)])
    yield from _aligned(cells)
    yield f"  (mean ± SD [95 % interval] median; {patients} patient{'s' if patients != 1 else ''})"
    yield ""


def _title(evaluation: Evaluation, key: str, kind: Kind) -> str:
    title, unit, better = words_of(evaluation, key, kind)
    return f"{title}{f' ({unit})' if unit else ''} {_ARROWS[better]}"


def _cell(one: Summary | None) -> str:
    if one is None:
        return "-"
    if one.sd is None or one.low is None or one.high is None:
        return figures(one.mean)
    return f"{figures(one.mean)} ± {figures(one.sd)} [{figures(one.low)}, {figures(one.high)}] {figures(one.median)}"


def figures(value: float) -> str:
    """As many as a table needs: `112`, `31.4`, `0.952`."""
    size = abs(value)
    return f"{value:.0f}" if size >= 1000 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def _tests(evaluation: Evaluation, kind: Kind) -> Iterator[str]:
    tests = [one for one in evaluation.comparisons if one.kind == kind]
    if not tests:
        return
    yield "Differences on the same patients: Wilcoxon signed-rank, Holm-corrected for all of these; paired bootstrap intervals"
    cells = [["", "difference", "95 % interval", "p", "p (Holm)", "better"]]
    for one in tests:
        cells.append(_test_row(evaluation, one, kind))
    yield from _aligned(cells)
    yield ""


def _test_row(evaluation: Evaluation, one: Comparison, kind: Kind) -> list[str]:
    first, second = (evaluation.model(number).name for number in (one.first, one.second))
    span = "-" if one.low is None or one.high is None else f"[{figures(one.low)}, {figures(one.high)}]"
    better = "" if one.better is None else evaluation.model(one.better).name
    what = f"{_title(evaluation, one.metric, kind)}: {first} - {second}"
    said = better if one.clear or not better else f"{better}, may be chance"
    return [what, figures(one.difference), span, _p(one.p), _p(one.p_holm), said]


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _sets(evaluation: Evaluation) -> Iterator[str]:
    metrics: Sequence[ShownMetric] = [metric for metric in evaluation.metrics if metric.set_level]
    for metric in metrics:
        yield f"{metric.title}, of all slices: {metric.convention}"
        for model in evaluation.models:
            if metric.key in model.set_scores:
                yield f"  {model.name}: {figures(model.set_scores[metric.key])}"


def _calibrations(evaluation: Evaluation) -> Iterator[str]:
    for one in evaluation.curves:
        if one.calibration is not None:
            inside = ", ".join(f"{share:.0%}" for share in one.calibration.inside)
            yield (
                f"Uncertainty of {evaluation.model(one.model).name}: errors within 1, 2, 3 times the spread: {inside} (68, 95 and"
                f" 99.7 % where it is calibrated); rank correlation of spread and error {one.calibration.correlation:.2f}."
            )


def _problems(problems: Sequence[Problem]) -> Iterator[str]:
    alike: dict[tuple[str, bool], list[int]] = {}
    for one in problems:
        alike.setdefault((one.message, one.serious), []).extend([] if one.case is None else [one.case])
    for (message, serious), cases in list(alike.items())[:_MOST_PROBLEMS]:
        numbers = sorted(set(cases))
        shown = ", ".join(map(str, numbers[:_MOST_NUMBERS])) + (" ..." if len(numbers) > _MOST_NUMBERS else "")
        whose = f"case{'s' if len(numbers) > 1 else ''} {shown}: " if numbers else ""
        yield f"{'! ' if serious else '  '}{whose}{message}"
    if len(alike) > _MOST_PROBLEMS:
        yield f"  and {len(alike) - _MOST_PROBLEMS} more; all are in evaluation.json"


def _aligned(cells: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    for row in cells:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
