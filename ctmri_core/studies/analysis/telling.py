"""Real against synthetic: one picture at a time, or which of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ctmri_core.statistics import intervals, u_statistics
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis import pooled
from ctmri_core.studies.analysis.answered import Answered, Row, all_together, by_model, grouped
from ctmri_core.studies.analysis.found import ALL, Called, Difference, Naive, Pooled, Primary, Telling, Value
from ctmri_core.studies.analysis.per_reader import average_of, of_model, reader_scores
from ctmri_core.studies.analysis.values import value_of
from ctmri_core.studies.truth import REAL


def telling(answered: Answered) -> Telling | None:
    """None where nobody has answered anything."""
    if not answered.first:
        return None
    asked, design = answered.protocol.analysis, answered.design
    by_reader = grouped(answered.first)
    scores = [reader_scores(reader, rows, design, asked) for reader, rows in by_reader.items()]
    if len(answered.models) > 1:
        scores += [
            reader_scores(reader, of_model(rows, model), design, asked, model)
            for model in answered.models for reader, rows in by_reader.items()
        ]  # fmt: skip
    pairs = design == "two_alternatives"
    return Telling(
        readers=tuple(scores), pooled=_pooled(answered), naive=_naive(answered),
        incomplete=None if pairs else _incomplete(answered),
        by_model=_by_model(answered), differences=_differences(answered), called=() if pairs else tuple(_called(answered)),
        curves=() if pairs else average_of(list(by_reader.items())),
    )  # fmt: skip


def figures(answered: Answered) -> tuple[Primary, ...]:
    """The primary one first. The area of two alternatives is the share of right pairs: one figure then."""
    if answered.design == "two_alternatives":
        return ("accuracy",)
    return ("accuracy", "auc") if answered.protocol.analysis.primary == "accuracy" else ("auc", "accuracy")


def as_figure(answered: Answered, scores: Readings, figure: Primary) -> Readings:
    """1 and 0 for accuracy; scores of two alternatives are that already."""
    return scores if figure == "auc" or answered.design == "two_alternatives" else scores.correct()


def counting(answered: Answered) -> list[Row]:
    """Answers of the readers who are analysed together."""
    return [row for row in answered.first if row.reader in answered.pooled]


def _pooled(answered: Answered) -> tuple[Pooled, ...]:
    scores, asked = all_together(counting(answered)), answered.protocol.analysis
    kinds = answered.design != "two_alternatives"
    return tuple(pooled.together(as_figure(answered, scores, one), ALL, one, asked, two_kinds=kinds) for one in figures(answered))


def _naive(answered: Answered) -> Naive | None:
    scores = all_together(answered.first)
    return pooled.naive(as_figure(answered, scores, "accuracy"), answered.protocol.analysis)


def _incomplete(answered: Answered) -> Value:
    confidence = 1 - answered.protocol.analysis.alpha
    found = u_statistics.mean_area(all_together(answered.first), ALL, confidence=confidence)
    return value_of(found if isinstance(found, NotComputable) else found.by_t, confidence)


def _by_model(answered: Answered) -> tuple[Pooled, ...]:
    if len(answered.models) < 2:
        return ()
    scores, asked = by_model(counting(answered), answered.models, answered.key), answered.protocol.analysis
    kinds = answered.design != "two_alternatives"
    found: list[Pooled] = []
    for one in figures(answered):
        table = as_figure(answered, scores, one)
        each = [pooled.together(table, model, one, asked, two_kinds=kinds) for model in scores.modalities]
        found += pooled.models_together(each, asked)
    return tuple(found)


def _differences(answered: Answered) -> tuple[Difference, ...]:
    """Of the share of synthetic pictures that were recognised: what readers say of the real ones is the same for all models."""
    made = [row for row in counting(answered) if row.item.arm != REAL]
    if len({row.item.arm for row in made}) < 2:
        return ()
    scores = by_model(made, answered.models, answered.key)
    return pooled.between(as_figure(answered, scores, "accuracy"), "accuracy", answered.protocol.analysis)


def _called(answered: Answered) -> list[Called]:
    asked, made = answered.protocol.analysis, list[Called]()
    for arm in answered.arms:
        rows = [row for row in answered.first if row.item.arm == arm]
        for reader, own in grouped(rows).items():
            real = sum(not row.called for row in own)
            share = value_of(intervals.proportion(real, len(own), confidence=1 - asked.alpha), 1 - asked.alpha)
            made.append(Called(arm=arm, reader=reader, called_real=real, trials=len(own), share=share))
        if rows:
            made.append(_called_by_all(answered, arm, rows))
    return made


def _called_by_all(answered: Answered, arm: str, rows: Sequence[Row]) -> Called:
    counting_rows = [row for row in rows if row.reader in answered.pooled]
    share = Value(because="No reader has finished.")
    if counting_rows:
        scores = all_together(counting_rows)
        said = replace(scores, signal=np.zeros_like(scores.signal), scores=0.5 - 0.5 * np.sign(scores.scores))
        asked = answered.protocol.analysis
        share = value_of(pooled.mean_of(said, ALL, "accuracy", asked)[0], 1 - asked.alpha)
    return Called(arm=arm, reader="", called_real=sum(not row.called for row in rows), trials=len(rows), share=share)
