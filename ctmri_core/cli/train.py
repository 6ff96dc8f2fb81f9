"""Trains a method on a folder of cases, or on digital phantoms."""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.terminal import Terminal
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, config_from_arguments
from ctmri_core.domain import Direction
from ctmri_core.events import StopSignal, Work
from ctmri_core.method import MethodCard
from ctmri_core.registry import method_cards
from ctmri_core.training.settings import ModelDescription, TrainingSettings

DATA_HELP = "a folder with one folder per patient (ct.nii.gz, mr.nii.gz, mask.nii.gz), or phantom:COUNT[:SEED]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    methods = parser.add_subparsers(dest="method", metavar="METHOD", required=True, parser_class=type(parser))
    for name, card in method_cards().items():
        method = methods.add_parser(name, help=card.summary, description=f"{card.summary} {card.citation}.")
        method.add_argument("--run", type=Path, required=True, metavar="DIR", dest="run_folder", help="where everything is kept")
        method.add_argument("--data", metavar="DATA", help=DATA_HELP)
        method.add_argument("--direction", type=_direction, metavar="SOURCE_to_TARGET", help="for example ct_to_mr_t1")
        method.add_argument("--resume", action="store_true", help="go on with the run in DIR, with the settings it has")
        method.add_argument("--json", action="store_true", help="print events as JSON lines")
        add_config_arguments(method, card.config)
        add_config_arguments(method, TrainingSettings)
        add_config_arguments(method, ModelDescription)
        method.set_defaults(usage_error=method.error)


def run(arguments: argparse.Namespace) -> int:
    if not arguments.resume and not (arguments.data and arguments.direction):
        arguments.usage_error("--data and --direction are needed to start a run (or --resume to go on with one)")
    card = method_cards()[arguments.method]
    terminal = Terminal(as_json=arguments.json)
    return run_work(lambda stop: _work(arguments, card, stop), terminal).status


def _work(arguments: argparse.Namespace, card: MethodCard, stop: StopSignal) -> Work[object]:
    from ctmri_core.training.train import train

    if arguments.resume:
        from ctmri_core.training.train import resume_training

        return (yield from resume_training(arguments.run_folder, stop=stop))
    config = config_from_arguments(arguments, card.config)
    settings = config_from_arguments(arguments, TrainingSettings)
    about = config_from_arguments(arguments, ModelDescription)
    return (
        yield from train(
            card.name, config, arguments.data, arguments.direction, arguments.run_folder, settings, stop=stop, about=about
        )
    )


def _direction(text: str) -> Direction:
    try:
        return Direction.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
