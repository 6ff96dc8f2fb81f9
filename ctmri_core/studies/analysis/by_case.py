"""Picture by picture: hardest and easiest, reasons that were ticked, and places to look at again in the viewer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ctmri_core.studies.analysis.answered import Answered, Row
from ctmri_core.studies.analysis.results import CaseScores, Flagged, Reason
from ctmri_core.studies.trials import Mark, Millimetres
from ctmri_core.studies.truth import REAL, ItemTruth


def by_case(answered: Answered) -> tuple[CaseScores, ...]:
    """The hardest first: fewest right answers, then the surest wrong ones. Empty for designs without right answers."""
    if answered.design in ("grading", "rank"):
        return ()
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in answered.first:
        rows[row.item.token].append(row)
    cases = [_case(own) for own in rows.values()]
    return tuple(sorted(cases, key=lambda one: (one.right / one.readers, _sureness(one), one.token)))


def _sureness(case: CaseScores) -> float:
    """Of the right answer: negative for those who were sure of the wrong one."""
    return case.mean_score if case.signal else -case.mean_score


def _case(rows: list[Row]) -> CaseScores:
    row = rows[0]
    item = row.item
    beside = next((other.token for other in row.items if other.token != item.token), "")
    return CaseScores(
        token=item.token, arm=item.arm, case=item.case, region=item.region, centre=item.centre, k=item.k, signal=row.signal,
        readers=len(rows), right=sum(one.right for one in rows), called=sum(one.called for one in rows),
        mean_score=float(np.mean([one.score for one in rows])), median_s=float(np.median([one.seconds for one in rows])),
        beside=beside,
    )  # fmt: skip


def reasons(answered: Answered) -> tuple[Reason, ...]:
    """Of the protocol's tags, those nobody ticked too."""
    if answered.design == "rank":
        return ()
    judged, tags = answered.design != "grading", answered.protocol.reasons
    return tuple(_reason(tag, [row for row in answered.first if tag in row.answer.reasons], judged) for tag in tags)


def _reason(tag: str, rows: list[Row], judged: bool) -> Reason:
    made, right = sum(row.item.arm != REAL for row in rows), sum(row.right for row in rows) if judged else 0
    return Reason(
        tag=tag, on_real=len(rows) - made, on_synthetic=made, when_right=right, when_wrong=len(rows) - right if judged else 0
    )


def flagged(answered: Answered) -> tuple[Flagged, ...]:
    """Marks and reasons on synthetic pictures, the recognised ones first, then by file. Repeats add what they add."""
    found = [one for row in (*answered.first, *answered.again) for one in _flagged(answered, row)]
    return tuple(sorted(found, key=lambda one: (not one.recognised, one.source, one.k or 0, one.mm or (), one.reader)))


def _flagged(answered: Answered, row: Row) -> Iterator[Flagged]:
    marked = False
    for mark in row.answer.marks:
        item = row.items[mark.place] if mark.place < len(row.items) else None
        if item is not None and item.arm != REAL:
            marked = True
            yield _place(answered, row, item, mark)
    if row.answer.reasons and not marked and row.item.arm != REAL and answered.design != "rank":
        yield _place(answered, row, row.item, None)


def _lps(item: ItemTruth, mark: Mark | None) -> Millimetres | None:
    """As shown, k rises to the head, j to the back, i to the left: the directions of LPS, in reverse order."""
    if mark is None or item.origin is None:
        return None
    x, y, z = (start + along for start, along in zip(item.origin, reversed(mark.mm), strict=True))
    return x, y, z


def _place(answered: Answered, row: Row, item: ItemTruth, mark: Mark | None) -> Flagged:
    shown = answered.gathered.items.get(item.token)
    at = None if mark is None or shown is None else min(max(round(mark.mm[0] / shown.spacing[0]), 0), shown.shape[0] - 1)
    return Flagged(
        reader=row.reader, token=item.token, arm=item.arm, case=item.case, source=item.source, k=item.k, slice_shown=at,
        mm=None if mark is None else mark.mm, lps=_lps(item, mark), label="" if mark is None else mark.label,
        reasons=row.answer.reasons, confidence=row.answer.confidence,
        recognised=row.right and answered.design in ("yes_no", "two_alternatives"),
    )  # fmt: skip
