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
from ctmri_core.cli import study_results
from ctmri_core.cli.direction_choice import direction_argument
from ctmri_core.cli.input_choices import positive, spacing_choice, whole
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.events import Finished, Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.studies.making import StudyOrder
    from ctmri_core.studies.study_folder import StudyFolder

Lines = list[str]
_SAID = "opening the study"
_DESIGNS = ("yes_no", "two_alternatives", "rank", "grading", "diagnosis")


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


def _add_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=given_path, required=True, metavar="STUDY", help="a new folder for the study")
    parser.add_argument("--title", required=True, help="what readers see")
    parser.add_argument("--design", choices=_DESIGNS, default="yes_no", help="what is asked (default: yes_no)")
    parser.add_argument("--cases", type=positive, required=True, metavar="N", help="patients in the test")
    parser.add_argument("--readers", required=True, metavar="CODE[,CODE]", help="codes of the readers, never names")
    parser.add_argument("--model", dest="models", action="append", default=[], metavar="MODEL", help="makes synthetic pictures")
    parser.add_argument("--data", metavar="DIR", help="prepared data, a folder of scans, or phantom:COUNT")
    parser.add_argument("--split", choices=("train", "validation", "test", "all"), default="test", help="(default: test)")
    parser.add_argument("--predictions", type=given_path, action="append", default=[], metavar="DIR", help="finished pictures")
    parser.add_argument("--truth", type=given_path, metavar="DIR", help="the real ones to them, matched by name")
    parser.add_argument("--direction", type=direction_argument, metavar="A_to_B", help="such as ct_to_mr_t1, of finished ones")
    parser.add_argument("--slices", action="store_true", help="one slice of each instead of the volume")
    parser.add_argument("--unpaired", action="store_true", help="each patient is shown real or synthetic, not both")
    parser.add_argument("--practice", type=whole, default=6, metavar="N", help="practice trials (default: 6)")
    parser.add_argument("--repeats", type=float, default=0.1, metavar="SHARE", help="shown again (default: 0.1)")
    parser.add_argument("--spacing", type=spacing_choice, default=(3.0, 1.0, 1.0), metavar="K,J,I", help="mm of the pictures")
    parser.add_argument("--relax", action="store_true", help="take the nearest order that can be kept, where need be, on record")
    parser.add_argument("--seed", metavar="HEX", help="of all chance, 64 hex digits (default: drawn)")


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


def _create(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    from ctmri_core.studies.making import make_study

    study = yield from make_study(_order(arguments, secret), stop)
    if study is None:
        return None
    truth = study.truth(secret)
    said = f"{len(truth.items)} pictures of {len({item.patient for item in truth.items})} patients"
    return [f"{said}. Next: ctmri study check, and open."]


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


def _order(arguments: argparse.Namespace, secret: str) -> StudyOrder:
    from ctmri_core.model_card import find_model
    from ctmri_core.resources_folder import model_folders
    from ctmri_core.studies.protocol import Display
    from ctmri_core.studies.request import StudyRequest
    from ctmri_core.studies.truth import Order

    asked = StudyRequest(
        folder=arguments.output, title=arguments.title, design=arguments.design, cases=arguments.cases, seed=arguments.seed or "",
        models=tuple(find_model(name, model_folders()) for name in arguments.models), data=arguments.data or "",
        side=arguments.split, predictions=tuple(arguments.predictions), truth=arguments.truth,
        direction=arguments.direction.name if arguments.direction else "", paired=not arguments.unpaired,
        readers=tuple(word.strip() for word in arguments.readers.split(",") if word.strip()), spacing=arguments.spacing,
        repeats=arguments.repeats, practice=arguments.practice, order_kept=Order(may_relax=arguments.relax),
        display=Display(shown="slice" if arguments.slices else "volume"),
    )  # fmt: skip
    return asked.order(secret)


def _study(arguments: argparse.Namespace) -> StudyFolder:
    from ctmri_core.studies.study_folder import StudyFolder

    return StudyFolder(arguments.study)


_Add = Callable[[argparse.ArgumentParser], None]
_Run = Callable[[argparse.Namespace, str, StopSignal], Work[Lines | None]]
_ACTIONS: dict[str, tuple[_Add, _Run, str]] = {
    "create": (_add_create, _create, "Draws cases by lot, makes the synthetic pictures, writes a study that is not open yet."),
    "check": (_add_folder, _check, "Looks whether trivial features give pictures away, and whether the order can be kept."),
    "open": (_add_open, _open, "Checks, draws the order of every reader, and fixes the study."),
    "reader": (_add_reader, _reader, "Adds a reader to an open study, on record."),
    "pack": (_add_pack, _pack, "Writes one file with all that a reader needs, without the truth."),
    "merge": (_add_merge, _merge, "Takes in the answers that came back."),
    "close": (_add_folder, study_results.close, "Ends the reading: no answer comes in any more, and the study can be analysed."),
    "analyse": (study_results.add_analyse, study_results.analyse, "Writes results as JSON and the report as HTML and PDF."),
    "export": (study_results.add_export, study_results.export, "Writes answers as CSV or JSON lines, or scores for iMRMC."),
    "status": (_add_folder, _status, "Who has answered how much, and whether the record is as it was written."),
}
