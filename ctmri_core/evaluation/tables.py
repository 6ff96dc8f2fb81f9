"""Tables of an evaluation as CSV: slices, cases, summary and comparisons, true translations and cycles apart."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ctmri_core.evaluation.measure_words import words_of
from ctmri_core.evaluation.results import CaseScores, Evaluation, Kind, SliceScores
from ctmri_core.evaluation.summary import metrics_of, value_of
from ctmri_core.files import write_bytes

Cell = str | int | float | None
SLICES, CASES, SUMMARY, COMPARISONS = TABLES = "slices.csv", "cases.csv", "summary.csv", "comparisons.csv"
CYCLE = "cycle_"
"""What names of tables of cycles begin with."""


def write_tables(folder: Path, evaluation: Evaluation) -> tuple[Path, ...]:
    """The files that were written: UTF-8, one heading line, numbers in full; `#` lines above say the conventions. Slices count
    from 1, as on screens and in reports.

    Raises `WriteFailed`.
    """
    written = []
    kinds: list[Kind] = ["translation"]
    if any(one.cycle for one in evaluation.scores):
        kinds.append("cycle")
    for kind in kinds:
        begin = CYCLE if kind == "cycle" else ""
        tables = {
            SLICES: _slices(evaluation, kind), CASES: _cases(evaluation, kind), SUMMARY: _summary(evaluation, kind),
            COMPARISONS: _comparisons(evaluation, kind),
        }  # fmt: skip
        for name, rows in tables.items():
            path = folder / f"{begin}{name}"
            write_bytes(path, _csv(evaluation.conventions, rows).encode(), private=True)
            written.append(path)
    return tuple(written)


def _csv(conventions: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    for sentence in conventions:
        text.write(f"# {sentence}\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _slices(evaluation: Evaluation, kind: Kind) -> Iterator[Sequence[Cell]]:
    keys = list(dict.fromkeys(key for one in evaluation.scores for key in _slices_of(one, kind).values))
    yield ("model", "case", "slice", *keys)
    for one in evaluation.scores:
        slices = _slices_of(one, kind)
        for n, k in enumerate(slices.k):
            numbers = (slices.values[key][n] if key in slices.values else None for key in keys)
            yield (_model(evaluation, one), one.case, k + 1, *numbers)


def _slices_of(scores: CaseScores, kind: Kind) -> SliceScores:
    return scores.slices if kind == "translation" else scores.cycle_slices


def _cases(evaluation: Evaluation, kind: Kind) -> Iterator[Sequence[Cell]]:
    keys = metrics_of(evaluation.scores, kind)
    yield ("model", "case", "name", "key", "patient", "centre", "voxels", "worst_slice", "seconds", "left_out", *keys)
    for one in evaluation.scores:
        case = evaluation.case(one.case)
        worst = None if one.worst_slice is None else one.worst_slice + 1
        facts = (case.name, case.key, case.patient, case.centre, case.voxels, worst, one.seconds, one.left_out)
        yield (_model(evaluation, one), one.case, *facts, *(value_of(one, kind, key) for key in keys))


def _summary(evaluation: Evaluation, kind: Kind) -> Iterator[Sequence[Cell]]:
    yield ("model", "metric", "unit", "centre", "patients", "cases", "mean", "sd", "median", "low_95", "high_95", "least", "most")
    for one in evaluation.summaries:
        if one.kind == kind:
            name = evaluation.model(one.model).name
            numbers = (one.mean, one.sd, one.median, one.low, one.high, one.least, one.most)
            yield (name, one.metric, words_of(evaluation, one.metric, kind).unit, one.centre, one.patients, one.cases, *numbers)


def _comparisons(evaluation: Evaluation, kind: Kind) -> Iterator[Sequence[Cell]]:
    yield ("first", "second", "metric", "unit", "patients", "difference", "low_95", "high_95", "p", "p_holm", "better")
    for one in evaluation.comparisons:
        if one.kind == kind:
            first, second = (evaluation.model(number).name for number in (one.first, one.second))
            better = "" if one.better is None else evaluation.model(one.better).name
            numbers = (one.difference, one.low, one.high, one.p, one.p_holm)
            yield (first, second, one.metric, words_of(evaluation, one.metric, kind).unit, one.patients, *numbers, better)


def _model(evaluation: Evaluation, scores: CaseScores) -> str:
    return evaluation.model(scores.model).name
