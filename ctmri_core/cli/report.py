"""Writes the report of an evaluation again, as one HTML file or as PDF, from its folder alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.errors import WriteFailed
from ctmri_core.events import Finished, Progress, Work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=given_path, metavar="FOLDER", help="what `ctmri evaluate` wrote, with its evaluation.json")
    parser.add_argument("--pdf", action="store_true", help="a PDF instead of an HTML file")
    written = "the file to write (default: report.html or report.pdf in FOLDER, which is replaced)"
    parser.add_argument("--output", type=given_path, metavar="FILE", help=written)
    parser.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    return run_work(lambda _: _work(arguments), Terminal(as_json=arguments.json)).status


def _work(arguments: argparse.Namespace) -> Work[Path]:
    from ctmri_core.evaluation.report import write_pdf, write_report

    output, suffix = arguments.output, ".pdf" if arguments.pdf else ".html"
    if output is not None and output.suffix.lower() != suffix:
        raise WriteFailed(f"{output.name} does not end in {suffix}, as what is written would have to.")
    if output is not None and output.exists() and not arguments.overwrite:
        raise WriteFailed(f"{output.name} exists already. Choose another name or use --overwrite.")
    yield Progress(done=0, message="writing the report")
    written = (write_pdf if arguments.pdf else write_report)(arguments.folder, output)
    yield Finished(reason="completed", paths={"report": str(written)})
    return written
