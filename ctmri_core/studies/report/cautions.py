"""What there is to know before the numbers are believed."""

from __future__ import annotations

from collections.abc import Iterator

from ctmri_core.reporting.document import Block, Caution, Paragraph
from ctmri_core.reporting.wording import plural, sentence
from ctmri_core.statistics.mrmc import LITTLE_FREEDOM
from ctmri_core.studies.analysis.results import StudyResults

_FEW_READERS = 5


def cautions(results: StudyResults) -> tuple[Block, ...]:
    """Boxes, the serious ones first, or one sentence where nothing was found."""
    boxes = sorted(_found(results), key=lambda box: not box.serious)
    return tuple(boxes) or (Paragraph("Nothing was found that would make these numbers mean something else than they say."),)


def _found(results: StudyResults) -> Iterator[Caution]:
    if results.faults:
        yield Caution("The record was changed by other hands", f"{'; '.join(results.faults)}. No number here can be relied on.")
    if not results.closed:
        told = "More answers can come. Looking at results before the end makes chance findings likelier; it stands on record."
        yield Caution("Interim analysis of an open study", told)
    unfinished = [one for one in results.readers if not one.finished]
    if unfinished:
        names = sentence(f"{one.reader} ({one.answered} of {one.trials})" for one in unfinished)
        rule = "Those who finished are analysed together." if results.pooled_readers and all(
            one.reader not in results.pooled_readers for one in unfinished
        ) else "Fewer than two readers finished, so all are analysed on what all have read."  # fmt: skip
        yield Caution("Not all readers finished", f"{names}. {rule}")
    if 0 < len(results.pooled_readers) < _FEW_READERS:
        readers = plural(len(results.pooled_readers), "reader")
        told = f"{readers} say little of other readers, and tests err more often than they say."
        if 1 < len(results.pooled_readers) <= LITTLE_FREEDOM + 1:
            told = f"{readers} say little of other readers. They are taken to differ at least as chance makes readers differ."
        yield Caution("Few readers", told, serious=len(results.pooled_readers) < 3)
    blind = [one.reader for one in results.readers if one.patches is False]
    if blind:
        told = f"{sentence(blind)} did not see both patches."
        yield Caution("Monitors that did not show the test pattern", told, serious=False)
    late = [one.reader for one in results.readers if one.late]
    if late:
        yield Caution("Readers who were added later", f"{sentence(late)}, on record.", serious=False)
    if results.card.relaxed:
        yield Caution("The order could not be kept as asked", "; ".join(results.card.relaxed) + ".", serious=False)
    yield from _of_patients(results)


def _of_patients(results: StudyResults) -> Iterator[Caution]:
    shown, patients = results.flow.shown.get("test", {}), results.flow.patients.get("test", 0)
    several = [arm for arm, pictures in shown.items() if pictures > patients]
    if several:
        told = (
            f"There are more pictures ({sentence(several)}) than patients ({patients}). Readers together are judged by patients;"
            " intervals of single readers count pictures and are too narrow."
        )
        yield Caution("Several pictures of one patient", told, serious=False)
