"""What comes back from readers is looked at before it is taken in: the record keeps for ever what it took."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ctmri_core.errors import FileRefused
from ctmri_core.studies.chain import Entry
from ctmri_core.studies.reading import what_is_missing
from ctmri_core.studies.trials import Answer, ReaderFacts, Trial

if TYPE_CHECKING:
    from ctmri_core.studies.study_folder import StudyFolder

_BY_READERS = {"consent", "monitor", "session", "shown", "answer", "pause", "left", "closed"}


def check_coming(study: StudyFolder, entries: Iterable[Entry], file: Path) -> None:
    """Raises `FileRefused` where one of `entries` is none that a reader of `study` writes: of somebody else, about the study
    itself, or an answer to no trial of his. One such would end every analysis."""
    known = set(study.readers)
    trials: dict[str, dict[str, Trial]] = {}
    for entry in entries:
        if entry.kind not in _BY_READERS or not entry.reader:
            raise _refused(file, "holds an entry that readers do not write")
        if entry.reader not in known:
            raise _refused(file, "holds entries of somebody who is no reader of this study")
        if entry.reader not in trials:
            trials[entry.reader] = {trial.token: trial for trial in study.order(entry.reader).assignment.trials}
        if not _fits(study, entry, trials[entry.reader]):
            raise _refused(file, f"holds an entry of {entry.reader} that is no answer to a trial of this study")


def _fits(study: StudyFolder, entry: Entry, trials: dict[str, Trial]) -> bool:
    try:
        if entry.kind == "consent":
            return ReaderFacts.model_validate(entry.payload).reader == entry.reader
        if entry.kind != "answer":
            return True
        answer = Answer.model_validate(entry.payload)
    except ValidationError:
        return False
    trial = trials.get(answer.trial)
    return trial is not None and answer.reader == entry.reader and not what_is_missing(study.protocol, trial, answer)


def _refused(file: Path, problem: str) -> FileRefused:
    return FileRefused(file, f"{problem}.", "Nothing of it was taken in. Ask for the file once more.")
