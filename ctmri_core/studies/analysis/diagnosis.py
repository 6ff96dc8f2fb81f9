"""A finding on real and on synthetic pictures: areas by arm, their difference against the margin, marks on the finding."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctmri_core.statistics import intervals
from ctmri_core.studies.analysis import pooled
from ctmri_core.studies.analysis.answered import Answered, Row, by_arm, grouped
from ctmri_core.studies.analysis.found import Diagnosis, Marked
from ctmri_core.studies.analysis.per_reader import average_of, reader_scores
from ctmri_core.studies.analysis.telling import counting
from ctmri_core.studies.analysis.values import value_of
from ctmri_core.studies.trials import Mark
from ctmri_core.studies.truth import REAL, Reference


def diagnosis(answered: Answered) -> Diagnosis | None:
    """None for other designs, and where nothing was answered."""
    if answered.design != "diagnosis" or not answered.first:
        return None
    asked = answered.protocol.analysis
    table = by_arm([(row.reader, row.item, row.score) for row in counting(answered)], answered.arms, answered.key)
    pairs = [(REAL, arm) for arm in table.modalities if arm != REAL] if REAL in table.modalities else []
    rows = {arm: grouped(row for row in answered.first if row.item.arm == arm) for arm in answered.arms}
    scores = [
        reader_scores(reader, own, answered.design, asked, arm).model_copy(update={"verdict": ""})
        for arm, readers in rows.items() for reader, own in readers.items()
    ]  # fmt: skip
    several = len(table.modalities) > 1
    return Diagnosis(
        readers=tuple(scores), areas=tuple(pooled.together(table, arm, "auc", asked) for arm in table.modalities),
        differences=pooled.between(table, "auc", asked, pairs, margin=bool(pairs)) if several else (),
        marked=tuple(_marked(answered, reader, arm, own) for arm, readers in rows.items() for reader, own in readers.items()),
        curves={arm: average_of(list(readers.items())) for arm, readers in rows.items()},
    )  # fmt: skip


def _marked(answered: Answered, reader: str, arm: str, rows: Sequence[Row]) -> Marked:
    confidence = 1 - answered.protocol.analysis.alpha
    present = [row for row in rows if row.signal]
    on_it = sum(any(is_on(mark, row.item.reference) for mark in row.answer.marks) for row in present)
    false = sum(not is_on(mark, row.item.reference) for row in rows for mark in row.answer.marks)
    share = value_of(intervals.proportion(on_it, len(present), confidence=confidence), confidence)
    return Marked(
        reader=reader, arm=arm, present=len(present), on_it=on_it, share=share.model_copy(update={"null": None, "p": None}),
        false_marks=false, pictures=len(rows),
    )  # fmt: skip


def is_on(mark: Mark, reference: Reference | None) -> bool:
    """Whether it lies within the radius of a place of the finding, in millimetres of all three directions."""
    if reference is None or not reference.present:
        return False
    return any(math.dist(mark.mm, place) <= reference.radius for place in reference.places)
