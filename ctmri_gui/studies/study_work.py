"""The work on reader studies that the window starts; heavy modules load when it runs.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import ctmri_core
from ctmri_core.errors import CtmriError, WriteFailed
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_gui.evaluation.evaluation_work import quietly
from ctmri_gui.studies.places import is_rehearsal
from ctmri_gui.studies.study_state import RESULTS_FOLDER, StudyState, state_of

if TYPE_CHECKING:
    from ctmri_core.studies.chain import Anchor
    from ctmri_core.studies.checking import Checked
    from ctmri_core.studies.harmonise import Harmonising, Step
    from ctmri_core.studies.pack import Merged
    from ctmri_core.studies.protocol import Design
    from ctmri_core.studies.request import StudyRequest
    from ctmri_core.studies.truth import Truth

ExportFormat = Literal["csv", "jsonl", "imrmc"]
REPORT, PDF = "report.html", "report.pdf"
_MY_SKILL = 0.7


@dataclass(frozen=True, eq=False)
class Looked:
    """A draft with its truth, which nobody reads yet: what is to be known before it opens."""

    truth: Truth
    checked: Checked
    harmonised: str = ""


@dataclass(frozen=True)
class Listed:
    """A study in a line. `problem`: why it cannot be read, empty where it can."""

    folder: Path
    title: str = ""
    design: Design = "yes_no"
    stage: str = ""
    opened: str = ""
    rehearsal: bool = False
    problem: str = ""


def make(request: StudyRequest, passphrase: str, stop: StopSignal) -> Work[Path | None]:
    """Makes the draft; its folder. Raises `CtmriError`."""
    yield Progress(done=0, message="starting the engine")
    from ctmri_core.studies.making import make_study

    made = yield from quietly(make_study(request.order(passphrase), stop))
    return None if made is None else made.path


def look(folder: Path, _stop: StopSignal) -> Work[StudyState]:
    """Raises `FileRefused`."""
    yield Progress(done=0, message="reading the study")
    return state_of(folder)


def check(folder: Path, passphrase: str, stop: StopSignal) -> Work[Looked | None]:
    """The leak audit of a draft, and what of its order cannot be kept."""
    yield Progress(done=0, message="reading the pictures")
    from ctmri_core.studies.checking import check as checked
    from ctmri_core.studies.study_folder import StudyFolder

    study = StudyFolder(folder)
    truth = study.truth(passphrase)
    found = yield from checked(study, truth, stop)
    return None if found is None else Looked(truth, found)


def harmonise(folder: Path, steps: Sequence[Step], passphrase: str, stop: StopSignal) -> Work[Looked | None]:
    """Takes away what gives pictures of a draft away, on record, and looks again."""
    yield Progress(done=0, message="reading the pictures")
    from ctmri_core.studies.harmonise import harmonised
    from ctmri_core.studies.study_folder import StudyFolder

    done: Harmonising | None = yield from harmonised(StudyFolder(folder), steps, passphrase, stop)
    return None if done is None else Looked(done.study.truth(passphrase), done.after, done.words)


def open_study(folder: Path, override: str, passphrase: str, stop: StopSignal) -> Work[StudyState | None]:
    """Checks once more, draws the orders, and fixes it. Raises `CtmriError` where it may not open."""
    from ctmri_core.studies.checking import may_open
    from ctmri_core.studies.study_folder import StudyFolder

    looked = yield from check(folder, passphrase, stop)
    if looked is None:
        return None
    audit = looked.checked.audit
    may_open(audit, override)
    said = {"audit": audit.model_dump(mode="json"), "override": override if audit.verdict == "blocks" else ""}
    StudyFolder(folder).open(datetime.now(UTC).isoformat(timespec="seconds"), ctmri_core.__version__, said, passphrase)
    return state_of(folder)


def add_reader(folder: Path, code: str, passphrase: str, _stop: StopSignal) -> Work[StudyState]:
    yield Progress(done=0, message="drawing an order")
    from ctmri_core.studies.study_folder import StudyFolder

    StudyFolder(folder).add_reader(code, passphrase)
    return state_of(folder)


def pack(folder: Path, code: str, target: Path, _stop: StopSignal) -> Work[Path]:
    yield Progress(done=0, message="packing pictures and questions")
    from ctmri_core.studies.pack import pack as packed
    from ctmri_core.studies.study_folder import StudyFolder

    packed(StudyFolder(folder), code, target)
    return target


def merge(folder: Path, answers: Sequence[Path], _stop: StopSignal) -> Work[tuple[StudyState, tuple[Merged, ...]]]:
    """Takes in what came back, file by file; what was taken in before a file is refused stays."""
    yield Progress(done=0, message="taking in answers")
    from ctmri_core.studies.pack import merge as merged
    from ctmri_core.studies.study_folder import StudyFolder

    study = StudyFolder(folder)
    taken = tuple(merged(study, path) for path in answers)
    return state_of(folder), taken


def compare(folder: Path, anchors: Sequence[Anchor], _stop: StopSignal) -> Work[tuple[str, ...]]:
    """What of anchors that were written down is not in the record, in words."""
    yield Progress(done=0, message="reading the record")
    from ctmri_core.studies.study_folder import StudyFolder

    with StudyFolder(folder).record(writing=False) as record:
        return record.faults(anchors)


def close(folder: Path, _stop: StopSignal) -> Work[tuple[StudyState, tuple[Anchor, ...]]]:
    """No answer comes in after it."""
    yield Progress(done=0, message="closing the study")
    from ctmri_core.studies.closing import close_study
    from ctmri_core.studies.study_folder import StudyFolder

    anchors = close_study(StudyFolder(folder))
    return state_of(folder), anchors


def analyse(folder: Path, interim: bool, passphrase: str, stop: StopSignal) -> Work[StudyState | None]:
    """Writes results and report. `interim`: before the study is closed, which goes on record."""
    yield Progress(done=0, total=3, message="analysing the answers")
    from ctmri_core.studies.analysis.analyse import analyse as analysed
    from ctmri_core.studies.analysis.gather import gather
    from ctmri_core.studies.analysis.results import RESULTS, write_results
    from ctmri_core.studies.report.write import write_pdf, write_report
    from ctmri_core.studies.study_folder import StudyFolder

    study = StudyFolder(folder)
    results = analysed(gather(study, passphrase, interim=interim))
    if stop():
        return None
    place = folder / RESULTS_FOLDER
    yield Progress(done=1, total=3, message="writing the report")
    write_report(results, place / REPORT, study.pictures)
    yield Progress(done=2, total=3, message="writing the report as PDF")
    write_pdf(results, place / PDF, study.pictures)
    write_results(results, place / RESULTS)  # last: where it is, all is
    return state_of(folder)


def export(folder: Path, form: ExportFormat, target: Path, passphrase: str, _stop: StopSignal) -> Work[Path]:
    """Of a study that is not closed without a word of what the pictures are. Raises `CtmriError`."""
    yield Progress(done=0, message="exporting the answers")
    from ctmri_core.studies.analysis.gather import gather, gather_blind
    from ctmri_core.studies.exports import write_csv, write_json_lines
    from ctmri_core.studies.imrmc import imrmc_front, imrmc_readings, write_imrmc
    from ctmri_core.studies.study_folder import StudyFolder

    study = StudyFolder(folder)
    blind = gather_blind(study)
    if form == "imrmc" and not blind.closed:
        raise CtmriError("Scores for iMRMC say what every picture is. Close the study first, or export a table.")
    whole = gather(study, passphrase) if blind.closed else blind
    if form == "imrmc":
        return write_imrmc(imrmc_readings(whole), target, imrmc_front(whole))
    (write_csv if form == "csv" else write_json_lines)(whole, target)
    return target


def rehearse(folder: Path, design: Design, seed: int, stop: StopSignal) -> Work[StudyState | None]:
    """A study of digital heads with simulated readers and one free place."""
    yield Progress(done=0, message="drawing heads")
    from ctmri_core.studies.rehearsal import make_rehearsal

    made = yield from make_rehearsal(folder, design, seed=seed, stop=stop)
    return None if made is None else state_of(made.path)


def finish_rehearsal(folder: Path, seed: int, stop: StopSignal) -> Work[StudyState | None]:
    """Answers what nobody has answered by simulation, closes and analyses."""
    if not is_rehearsal(folder):
        raise CtmriError("Answers are simulated in rehearsals alone.")
    from ctmri_core.studies.rehearsal import simulate

    state = state_of(folder)
    for reader in state.readers:
        if state.stage == "open" and reader.answered < reader.trials:
            yield Progress(done=0, message=f"{reader.code} reads")
            simulate(folder, reader.code, _MY_SKILL, seed)
    if state.stage == "open":
        yield from close(folder, stop)
    return (yield from analyse(folder, False, "", stop))


def delete_rehearsal(folder: Path, _stop: StopSignal) -> Work[Path]:
    """Raises `WriteFailed` for anything but a rehearsal, and where the disk refuses."""
    yield Progress(done=0, message="deleting a rehearsal")
    from ctmri_core.studies.sealing import key_file

    if not is_rehearsal(folder):
        raise WriteFailed("Only rehearsals are deleted here.")
    study = state_of(folder).protocol.study
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise WriteFailed(f"{folder.name} could not be deleted whole. Close what reads it, and try again.") from error
    key_file(study).unlink(missing_ok=True)
    return folder


def list_studies(folders: Sequence[Path], stop: StopSignal) -> Work[tuple[Listed, ...] | None]:
    """In this order."""
    found: list[Listed] = []
    for folder in folders:
        yield Progress(done=len(found), message="reading studies")
        if stop():
            return None
        try:
            state = state_of(folder)
        except CtmriError as refusal:
            found.append(Listed(folder, problem=str(refusal), rehearsal=is_rehearsal(folder)))
        else:
            asked = state.protocol
            found.append(Listed(folder, asked.title, asked.design, state.stage, state.opened, state.rehearsal))
    return tuple(found)
