"""Writes a model as ONNX for other programs, with its recipe inside and in a card beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.events import StopSignal, Work
from ctmri_core.resources_folder import model_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model file, a name from the list, or the folder of a run")
    parser.add_argument("out", type=given_path, metavar="OUT", help="the file to write, as model.onnx")
    parser.add_argument("--format", choices=("onnx",), default="onnx", help="the format (default: onnx)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT and its card if they exist")
    parser.add_argument("--json", action="store_true", help="events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    terminal = Terminal(as_json=arguments.json)
    outcome = run_work(lambda stop: _work(arguments, stop), terminal)
    if outcome.result is not None and not arguments.json:
        terminal.say(str(outcome.result))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.exchange.onnx_export import export_onnx
    from ctmri_core.model_card import find_model

    model = find_model(arguments.model, model_folders())
    return (yield from export_onnx(model, arguments.out, overwrite=arguments.overwrite, stop=stop))
