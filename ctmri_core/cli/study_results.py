"""The end of a reader study at the command line: closes it, analyses it, exports its answers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.terminal import given_path
from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.studies.study_folder import StudyFolder

Lines = list[str]
_RESULTS = "results"
_FORMATS = {"csv": "answers.csv", "jsonl": "answers.jsonl", "imrmc": "scores.imrmc"}


def add_analyse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=given_path, metavar="STUDY", help="the folder of the study")
    parser.add_argument("--output", type=given_path, metavar="DIR", help="(default: results inside of the study)")
    parser.add_argument("--interim", action="store_true", help="before the study is closed, on record")


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=given_path, metavar="STUDY", help="the folder of the study")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="csv", help="(default: csv)")
    parser.add_argument("--output", type=given_path, metavar="FILE", help=f"(default: {', '.join(_FORMATS.values())})")


def close(arguments: argparse.Namespace, _secret: str, _stop: StopSignal) -> Work[Lines | None]:
    """No answer comes in after it."""
    yield Progress(done=0, message="closing the study")
    from ctmri_core.studies.closing import close_study

    anchors = close_study(_study(arguments))
    return ["Closed: no answer comes in any more. Write these down:", *(f"  {anchor}" for anchor in anchors)]


def analyse(arguments: argparse.Namespace, secret: str, stop: StopSignal) -> Work[Lines | None]:
    """Results as JSON, the report as HTML and PDF."""
    from ctmri_core.studies.analysis.analyse import analyse as analysed
    from ctmri_core.studies.analysis.gather import gather
    from ctmri_core.studies.analysis.results import RESULTS, write_results
    from ctmri_core.studies.report.write import PDF_REPORT, REPORT, write_pdf, write_report

    study = _study(arguments)
    folder: Path = arguments.output or study.path / _RESULTS
    yield Progress(done=0, total=3, message="analysing the answers")
    results = analysed(gather(study, secret, interim=arguments.interim))
    if stop():
        return None
    write_results(results, folder / RESULTS)
    yield Progress(done=1, total=3, message="writing the report")
    write_report(results, folder / REPORT, study.pictures)
    yield Progress(done=2, total=3, message="writing the report as PDF")
    write_pdf(results, folder / PDF_REPORT, study.pictures)
    return [results.verdict, f"{folder.name}: {RESULTS}, {REPORT}, {PDF_REPORT}"]


def export(arguments: argparse.Namespace, secret: str, _stop: StopSignal) -> Work[Lines | None]:
    """Of a study that is not closed without a word of what the pictures are."""
    from ctmri_core.studies.analysis.gather import gather, gather_blind
    from ctmri_core.studies.exports import write_csv, write_json_lines
    from ctmri_core.studies.imrmc import imrmc_front, imrmc_readings, write_imrmc

    study = _study(arguments)
    yield Progress(done=0, message="exporting the answers")
    blind = gather_blind(study)
    target = arguments.output or Path(_FORMATS[arguments.format])
    whole = gather(study, secret) if blind.closed else blind
    if arguments.format == "imrmc":
        if not blind.closed:
            raise CtmriError("Scores for iMRMC say what every picture is. Close the study first, or export a CSV.")
        write_imrmc(imrmc_readings(whole), target, imrmc_front(whole))
    else:
        (write_csv if arguments.format == "csv" else write_json_lines)(whole, target)
    told = "" if blind.closed else " What the pictures are is left out: the study is not closed."
    return [f"{target.name}: {len(whole.answers)} answers.{told}"]


def _study(arguments: argparse.Namespace) -> StudyFolder:
    from ctmri_core.studies.study_folder import StudyFolder

    return StudyFolder(arguments.study)
