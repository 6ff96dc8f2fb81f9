"""Makes a model file of a checkpoint or an ONNX model of another program, and of a card that says what it does not."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.errors import CtmriError
from ctmri_core.events import StopSignal, Work
from ctmri_core.resources_folder import user_models_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=given_path, metavar="FILE", help="a .pth, .pt, .ckpt or .onnx file")
    parser.add_argument(
        "--card", type=given_path, metavar="CARD", help="JSON or TOML (default: the file beside it, FILE.json or FILE.toml)"
    )
    parser.add_argument(
        "--set", action="append", default=[], type=_assignment, metavar="FIELD=VALUE",
        help="a field of the card, as direction=mr_t1_to_ct or recipe.spacing_mm=1; before what the card says",
    )  # fmt: skip
    parser.add_argument("--into", type=given_path, metavar="FOLDER", help="where the model goes (default: your models)")
    parser.add_argument("--questions", action="store_true", help="only say what it is, and what a card has to say of it")
    parser.add_argument("--json", action="store_true", help="events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    terminal = Terminal(as_json=arguments.json)
    if arguments.questions:
        _ask(arguments.file, terminal)
        return 0
    outcome = run_work(lambda stop: _work(arguments, stop), terminal)
    if outcome.result is not None and not arguments.json:
        terminal.say(str(outcome.result))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.exchange.import_card import card_beside, read_card_file
    from ctmri_core.exchange.importing import import_model

    given = arguments.card or card_beside(arguments.file)
    table = read_card_file(given) if given is not None else {}
    for field, value in arguments.set:
        _put(table, field, value)
    return (yield from import_model(arguments.file, table, arguments.into or user_models_folder(), stop=stop))


def _ask(path: Path, terminal: Terminal) -> None:
    from ctmri_core.exchange.found_model import look
    from ctmri_core.exchange.import_card import SCALINGS, told

    found = look(path)
    lines = [f"{path.name}: {found.title}", *(f"  {fact}" for fact in found.facts), "A card has to say of it:"]
    terminal.say("\n".join([*lines, *map(told, (*found.questions, *SCALINGS.values()))]))


def _assignment(text: str) -> tuple[str, Any]:
    field, sign, value = text.partition("=")
    if not sign or not field:
        raise argparse.ArgumentTypeError(f"{text!r} is no FIELD=VALUE")
    try:
        return field, json.loads(value)
    except ValueError:
        return field, value


def _put(table: dict[str, Any], field: str, value: Any) -> None:
    *outer, last = field.split(".")
    for name in outer:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise CtmriError(f"--set {field}: {name} holds no fields.")
    table[last] = value
