"""Lists the models that can be used by name, or prints the card of one."""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.terminal import Terminal
from ctmri_core.resources_folder import model_folders, user_models_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="FILE_OR_NAME", help="print the whole card of this model")


def run(arguments: argparse.Namespace) -> int:
    from ctmri_core.model_card import find_model, list_models, read_card

    terminal = Terminal(as_json=False)
    if arguments.model:
        terminal.say(read_card(find_model(arguments.model, model_folders())).model_dump_json(indent=2))
        return 0
    entries = list_models(model_folders())
    for entry in entries:
        if entry.card is None:
            terminal.say(f"{entry.path.name}  cannot be used: {entry.problem}")
        else:
            terminal.say(f"{entry.card.name}  ({entry.card.direction})  {_megabytes(entry.path)}\n    {entry.card.summary}")
    if not entries:
        terminal.say(f"No models found. Put model files (.safetensors) into {user_models_folder()}.")
    return 0


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
