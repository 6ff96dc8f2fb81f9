"""The end of a study: from here on no answer comes in, and its truth may be held against those that are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ctmri_core.errors import CtmriError
from ctmri_core.studies.chain import Anchor, Entry

if TYPE_CHECKING:
    from ctmri_core.studies.study_folder import StudyFolder


def close_study(study: StudyFolder) -> tuple[Anchor, ...]:
    """Closes it on record; the anchors to be written down. Raises `CtmriError` where it is closed, or was never opened."""
    with study.record() as record:
        if is_closed(record.entries("closed"), record.origin):
            raise CtmriError("This study is closed already.")
        answered: dict[str, int] = {}
        for answer in record.answers():
            answered[answer.reader] = answered.get(answer.reader, 0) + 1
        record.append("closed", "", {"answers": answered, "anchors": [str(anchor) for anchor in record.anchors]})
        return record.anchors


def is_closed(entries: Iterable[Entry], origin: str) -> bool:
    """Whether the study whose own chain is `origin` was closed. Readers close their own reading, other files nothing."""
    return any(entry.kind == "closed" and not entry.reader and entry.origin == origin for entry in entries)
