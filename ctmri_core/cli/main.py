"""Reads the command line and hands it to one command."""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import ctmri_core
from ctmri_core.cli import align, body, convert, demo, evaluate, info, models, prepare, report, segment, study, train, translate
from ctmri_core.cli.interrupts import ended_at_once, terminated_as_interrupted
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.terminal import EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE
from ctmri_core.errors import CtmriError, crash_report

COMMANDS = {
    "translate": translate, "convert": convert, "prepare": prepare, "train": train, "models": models, "info": info, "demo": demo,
    "body": body, "align": align, "evaluate": evaluate, "report": report, "segment": segment, "study": study,
}  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(prog="ctmri", description=_WHAT, epilog=_EXAMPLES)
    top.add_argument("--version", action="version", version=f"CT-MRI Studio {ctmri_core.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped."""
    if getattr(sys, "frozen", False):  # one file without an interpreter starts itself anew for each scoring process
        multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # many terminals and pipes know no arrow
    try:
        return _run(arguments)
    except CtmriError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_STOPPED
    except BrokenPipeError:  # whoever read the output has gone; Python would complain of it once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  # the one funnel of the command line: a traceback might show a patient's data
        sys.stderr.write(f"{crash_report(error)}\n")
        return EXIT_FAILED


def _run(arguments: list[str]) -> int:
    if not arguments or (arguments[0] not in COMMANDS and all(Path(argument).exists() for argument in arguments)):
        return subprocess.call([sys.executable, "-m", "ctmri_gui", *arguments])
    if arguments[0] == "models":
        arguments = ["models", *models.completed(arguments[1:])]
    with ended_at_once():
        known = parser()
        parsed = known.parse_args(arguments)
    if parsed.command is None:
        known.print_help()
        return EXIT_USAGE
    with terminated_as_interrupted():
        status: int = parsed.run(parsed)
        return status


_WHAT = "See, make and judge synthetic MRI and CT. Without a command the window opens, on the scans that are named."
_EXAMPLES = """\
examples:
  ctmri ct.nii.gz mr.nii.gz                              the window on two scans
  ctmri info scans/                                      what is in there
  ctmri translate ct.nii.gz --output mr.nii.gz           a synthetic MR
  ctmri prepare scans/ --out prepared/                   scans, ready to learn from
  ctmri train cyclegan --data prepared/ --run runs/1     a model of one's own

exit status: 0 done, 1 failed, 2 wrong words, 130 stopped (Ctrl+C, SIGTERM). Messages go to stderr, answers to stdout.
"""
