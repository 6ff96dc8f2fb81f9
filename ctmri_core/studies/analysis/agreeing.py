"""How far readers agree with each other, and each with himself on what he was shown twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ctmri_core.statistics import agreement, krippendorff
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.studies.analysis.answered import Answered, Row
from ctmri_core.studies.analysis.found import Agreed
from ctmri_core.studies.analysis.values import value_of

Judged = Callable[[Row], Any]
_KAPPA = "Cohen's kappa of first and second reading"


def agreed(answered: Answered) -> tuple[Agreed, ...]:
    """Of what the design asks, and of every scale in visual grading; rankings agree as `Ranking.among_readers` says."""
    if answered.design == "rank" or not answered.first:
        return ()
    found: list[Agreed] = []
    for of, judged, categories, ordered in _judgements(answered):
        found += _among(answered, of, judged, categories, ordered=ordered)
        found += (_with_oneself(answered, reader, of, judged, categories, ordered=ordered) for reader in answered.readers)
    return tuple(found)


def kappa_of(found: Sequence[Agreed], reader: str) -> Agreed | None:
    """Of the first thing judged."""
    return next((one for one in found if one.reader == reader), None)


def _judgements(answered: Answered) -> Iterator[tuple[str, Judged, tuple[Any, ...], bool]]:
    """What was judged, how to get it, its categories, and whether they are in order."""
    if answered.design != "grading":
        of = {"yes_no": "real or synthetic", "two_alternatives": "which is synthetic", "diagnosis": answered.protocol.finding}
        yield of[answered.design], lambda row: row.called, (False, True), False
        return
    for question in answered.protocol.questions:
        if question.kind == "likert":
            steps = tuple(float(step) for step in range(int(question.low), int(question.high) + 1))
            yield question.text, _grade(question.key), steps, True


def _grade(key: str) -> Judged:
    def judged(row: Row) -> float | None:
        given = row.answer.questions.get(key)
        return float(given) if isinstance(given, int | float) else None

    return judged


def _among(answered: Answered, of: str, judged: Judged, categories: Sequence[Any], *, ordered: bool) -> list[Agreed]:
    if len(answered.readers) < 2:
        return []
    confidence = 1 - answered.protocol.analysis.alpha
    by_picture: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in answered.first:
        by_picture[row.item.token][row.reader] = judged(row)
    table = [[given.get(reader) for reader in answered.readers] for given in by_picture.values()]
    whole = [row for row in table if None not in row]
    numbers = np.array([[np.nan if one is None else float(one) for one in row] for row in table]).T
    found: list[tuple[str, Any]] = []
    if not ordered:
        found += [("Fleiss' kappa", agreement.fleiss(agreement.counts(whole, categories), confidence=confidence))]
        found += [("Gwet's AC1", agreement.gwet_ac1(agreement.counts(table, categories), confidence=confidence))]
    level: krippendorff.Level = "ordinal" if ordered else "nominal"
    found += [(f"Krippendorff's alpha ({level})", krippendorff.alpha(numbers, level, confidence=confidence))]
    return [_shown(of, measure, "", one, confidence) for measure, one in found]


def _with_oneself(
    answered: Answered, reader: str, of: str, judged: Judged, categories: Sequence[Any], *, ordered: bool
) -> Agreed:
    first = {row.trial.token: row for row in answered.of(reader)}
    pairs = [(first[row.repeats], row) for row in answered.of(reader, answered.again) if row.repeats in first]
    table = agreement.crosstab([judged(one) for one, _ in pairs], [judged(other) for _, other in pairs], categories)
    confidence = 1 - answered.protocol.analysis.alpha
    found = agreement.cohen(table, weights="quadratic" if ordered else "none", confidence=confidence)
    measure, total = f"{_KAPPA}, squared weights" if ordered else _KAPPA, int(table.sum())
    same = float(np.trace(table) / total) if total else None
    return _shown(of, measure, reader, found, confidence, pairs=total, same=same)


def _shown(
    of: str, measure: str, reader: str, found: Any, confidence: float, *, pairs: int = 0, same: float | None = None
) -> Agreed:
    known = not isinstance(found, NotComputable)
    observed = found.observed if known and isinstance(found, agreement.Agreement) else same
    return Agreed(
        of=of, measure=measure, reader=reader, value=value_of(found, confidence), observed=observed,
        cases=found.cases if known else pairs,
    )  # fmt: skip
