"""Reader studies: makes one from cases and models, checks what gives it away, opens it, sends it out, takes answers in.

What a reader gets holds no truth (docs/decisions/0022).
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import ctmri_core
from ctmri_core.cli import study_preparing, study_read, study_results
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.events import Finished, Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.studies.study_folder import StudyFolder

Lines = list[str]
_SAID = "opening the study"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    for name, (add, work, summary) in _ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        add(action)
        action.add_argument("--passphrase", action="store_true", help="the truth is locked by a passphrase, asked for here")
        action.add_argument("--json", action="store_true", help="print events as JSON lines")
        action.set_defaults(work=work)


def run(arguments: argparse.Namespace) -> int:
    terminal = Terminal(as_json=arguments.json)
    secret = getpass.getpass("Passphrase of the study: ") if arguments.passphrase else ""
    outcome = run_work(lambda stop: _told(arguments.work(arguments, secret, stop)), terminal)
    for line in outcome.result or ():
        terminal.say(line)
    return outcome.status


def _told(work: Work[Lines | None]) -> Work[Lines | None]:
    """Ends it with an event, as all work does."""
    lines = yield from work
    yield Finished(reason="stopped" if lines is None else "completed", message="Stopped; nothing was changed.")
    return lines


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=given_path, metavar="STUDY", help="the folder of the study")


def _add_open(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser)
    parser.add_argument("--override", default="", metavar="WHY", help="opens although the check blocks it; goes on record")


def _add_reader(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser)
    parser.add_argument("--reader", required=True, metavar="CODE", help="a code, never a name")


def _add_pack(parser: argparse.ArgumentParser) -> None:
    _add_reader(parser)
    parser.add_argument("--output", type=given_path, metavar="FILE", help="(default: CODE.ctmri-reader)")


def _add_merge(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser)
    parser.add_argument("answers", type=given_path, nargs="+", metavar="ANSWERS", help="files that readers sent back")


def _check(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    from ctmri_core.studies.checking import check

    study = _study(arguments)
    found = yield from check(study, study.truth(secret), stop)
    if found is None:
        return None
    lines = [found.audit.words, *(f"Not kept: {words}." for words in found.relaxed)]
    for one in found.audit.features[:5]:
        lines.append(f"  {one.title}: area {one.area:.2f}, real {one.real:g}, synthetic {one.synthetic:g}")
    return lines


def _open(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    from ctmri_core.studies.checking import check, may_open

    study = _study(arguments)
    study.refuse_if_open()
    found = yield from check(study, study.truth(secret), stop)
    if found is None:
        return None
    may_open(found.audit, arguments.override)
    said = {"audit": found.audit.model_dump(mode="json"), "override": arguments.override}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    opened = study.open(now, ctmri_core.__version__, said, secret)
    message = f"Open for {', '.join(opened.readers)}; fixed as {opened.file.sha256[:12]}, truth {opened.file.commitment[:12]}."
    return [found.audit.words, message]


def _reader(arguments: argparse.Namespace, secret: str, _stop: StopSignal) -> Work[Lines | None]:
    yield Progress(done=0, message=_SAID)
    _study(arguments).add_reader(arguments.reader, secret)
    return [f"{arguments.reader} may read; that he came later is on record."]


def _pack(arguments: argparse.Namespace, _secret: str, _stop: StopSignal) -> Work[Lines | None]:
    yield Progress(done=0, message=_SAID)
    from ctmri_core.studies.pack import pack
    from ctmri_core.studies.reading import PACKED

    target = arguments.output or Path(f"{arguments.reader}{PACKED}")
    pack(_study(arguments), arguments.reader, target)
    return [f"{target.name} holds pictures and questions, and no truth."]


def _merge(arguments: argparse.Namespace, _secret: str, _stop: StopSignal) -> Work[Lines | None]:
    yield Progress(done=0, message=_SAID)
    from ctmri_core.studies.pack import merge

    study = _study(arguments)
    lines = list[str]()
    for path in arguments.answers:
        merged = merge(study, path)
        lines += [f"{path.name}: {merged.answers} answers taken in", *(f"  {anchor}" for anchor in merged.anchors)]
    return lines


def _status(arguments: argparse.Namespace, _secret: str, _stop: StopSignal) -> Work[Lines | None]:
    yield Progress(done=0, message=_SAID)
    study = _study(arguments)
    if not study.opened:
        return [f"{study.protocol.title}: a draft, not open yet."]
    with study.record(writing=False) as record:
        faults, anchors = record.faults(), record.anchors
        counts = {reader: len(record.answers(reader)) for reader in study.readers}
    lines = [f"{study.protocol.title}: open since {study.file.opened}, fixed as {study.file.sha256[:12]}"]
    for reader, count in counts.items():
        lines.append(f"  {reader}: {count} of {len(study.order(reader).assignment.trials)} trials answered")
    lines += [f"  changed by other hands: {fault}" for fault in faults] + [f"  anchor {anchor}" for anchor in anchors]
    return lines


def _study(arguments: argparse.Namespace) -> StudyFolder:
    from ctmri_core.studies.study_folder import StudyFolder

    return StudyFolder(arguments.study)


_Add = Callable[[argparse.ArgumentParser], None]
_Run = Callable[[argparse.Namespace, str, StopSignal], Work[Lines | None]]
_ACTIONS: dict[str, tuple[_Add, _Run, str]] = {
    "plan": (study_preparing.add_plan, study_preparing.plan, "How many trials and patients are needed, and how long it takes."),
    "rehearse": (study_preparing.add_rehearse, study_preparing.rehearse, "Makes a study of digital heads to try all of it."),
    "create": (study_preparing.add_create, study_preparing.create, "Draws cases by lot and makes the pictures; a draft."),
    "check": (_add_folder, _check, "Looks whether trivial features give pictures away, and whether the order can be kept."),
    "harmonise": (study_preparing.add_harmonise, study_preparing.harmonise, "Takes away, on record, what check has found."),
    "open": (_add_open, _open, "Checks, draws the order of every reader, and fixes the study."),
    "reader": (_add_reader, _reader, "Adds a reader to an open study, on record."),
    "pack": (_add_pack, _pack, "Writes one file with all that a reader needs, without the truth."),
    "read": (study_read.add_read, study_read.read, "Opens the window in which a reader reads."),
    "merge": (_add_merge, _merge, "Takes in the answers that came back."),
    "close": (_add_folder, study_results.close, "Ends the reading: no answer comes in any more, and the study can be analysed."),
    "analyse": (study_results.add_analyse, study_results.analyse, "Writes results as JSON and the report as HTML and PDF."),
    "export": (study_results.add_export, study_results.export, "Writes answers as CSV or JSON lines, or scores for iMRMC."),
    "status": (_add_folder, _status, "Who has answered how much, and whether the record is as it was written."),
}
