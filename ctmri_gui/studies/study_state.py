"""What is known of a study without its truth: how far it is, who has answered, whether its record is as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ctmri_core.errors import FileRefused
from ctmri_core.studies.analysis.results import RESULTS, StudyResults, read_results
from ctmri_core.studies.chain import Anchor
from ctmri_core.studies.closing import is_closed
from ctmri_core.studies.leak_audit import LeakAudit
from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.record import StudyRecord
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_gui.studies.places import is_rehearsal

Stage = Literal["draft", "open", "closed", "analysed"]
RESULTS_FOLDER = "results"


@dataclass(frozen=True)
class ReaderState:
    """`answered` of `trials`, practice included; `last`: when, as in the record, empty before; `late`: after the opening."""

    code: str
    answered: int
    trials: int
    last: str = ""
    late: bool = False
    consented: bool = False


@dataclass(frozen=True, eq=False)
class StudyState:
    """`audit`, `override`: as said at the opening, known once it is analysed; `faults`: what other hands changed; `interim`: how
    often results were looked at before the end; `merged`: names of files that were taken in; `results`: of the last analysis,
    None without."""

    folder: Path
    protocol: Protocol
    stage: Stage
    sha256: str
    commitment: str
    opened: str = ""
    locked: bool = False
    readers: tuple[ReaderState, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    faults: tuple[str, ...] = ()
    audit: LeakAudit | None = None
    override: str = ""
    interim: int = 0
    merged: tuple[str, ...] = ()
    results: StudyResults | None = None

    @property
    def rehearsal(self) -> bool:
        return is_rehearsal(self.folder)

    @property
    def complete(self) -> bool:
        """Whether every reader has answered everything."""
        return bool(self.readers) and all(one.answered >= one.trials for one in self.readers)


def state_of(folder: Path) -> StudyState:
    """Reads the study, never its truth. Raises `FileRefused`."""
    study = StudyFolder(folder)
    file = study.file
    known: dict[str, Any] = {"folder": folder, "protocol": file.protocol, "sha256": file.sha256, "commitment": file.commitment,
             "opened": file.opened, "locked": study.needs_passphrase}  # fmt: skip
    if not study.opened:
        return StudyState(stage="draft", **known)
    with study.record(writing=False) as record:
        entries, anchors, faults = record.entries(), record.anchors, record.faults()
        readers = _readers(study, record)
        own = [entry for entry in entries if entry.origin == record.origin]
        closed = is_closed(entries, record.origin)
    results = _results(folder)
    said: object = results.card.said if closed and results is not None else {}  # sealed with the truth until then
    stage: Stage = "open" if not closed else "analysed" if results is not None and results.closed else "closed"
    return StudyState(
        stage=stage, readers=readers, anchors=anchors, faults=faults, audit=_audit(said), override=_text(said, "override"),
        interim=sum(entry.kind == "unsealed" for entry in own), results=results,
        merged=tuple(_text(entry.payload, "file") for entry in own if entry.kind == "merged"),
        **known,
    )  # fmt: skip


def _readers(study: StudyFolder, record: StudyRecord) -> tuple[ReaderState, ...]:
    late = {entry.payload.get("reader") for entry in record.entries("changed")}
    consented = {entry.reader for entry in record.entries("consent")}
    found = []
    for code in study.readers:
        times = [entry.at for entry in record.entries("answer", reader=code)]
        found.append(ReaderState(
            code, len(record.answers(code)), len(study.order(code).assignment.trials), max(times, default=""), code in late,
            code in consented,
        ))  # fmt: skip
    return tuple(found)


def _audit(said: object) -> LeakAudit | None:
    try:
        return LeakAudit.model_validate(said.get("audit")) if isinstance(said, dict) else None
    except ValidationError:
        return None


def _text(said: object, key: str) -> str:
    return str(said.get(key, "")) if isinstance(said, dict) else ""


def _results(folder: Path) -> StudyResults | None:
    path = folder / RESULTS_FOLDER / RESULTS
    try:
        return read_results(path) if path.is_file() else None
    except FileRefused:  # of another version: it can be analysed again
        return None
