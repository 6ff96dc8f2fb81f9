"""Trains a method on a folder of cases, or on digital phantoms."""

from __future__ import annotations

import argparse
import shlex

from ctmri_core.cli.terminal import EXIT_STOPPED, Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, config_from_arguments, flag_of
from ctmri_core.domain import Direction
from ctmri_core.events import StopSignal, Work
from ctmri_core.method import MethodCard
from ctmri_core.registry import method_cards
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import LENGTHS, ModelDescription, TrainingSettings

DATA_HELP = "a folder with one folder per patient (ct.nii.gz, mr.nii.gz, mask.nii.gz), or phantom:COUNT[:SEED]"

RESUME_HELP = "go on with the run in DIR, with the settings it has; only its length can be given anew (--epochs, ...)"
_ALWAYS = {"command", "method", "run", "run_folder", "resume", "json", "usage_error"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    methods = parser.add_subparsers(dest="method", metavar="METHOD", required=True, parser_class=type(parser))
    for name, card in method_cards().items():
        method = methods.add_parser(name, help=card.summary, description=f"{card.summary} {card.citation}.")
        method.add_argument(
            "--run", type=given_path, required=True, metavar="DIR", dest="run_folder", help="where everything is kept"
        )
        method.add_argument("--data", metavar="DATA", default=argparse.SUPPRESS, help=DATA_HELP)
        method.add_argument(
            "--direction", type=_direction, metavar="SOURCE_to_TARGET", default=argparse.SUPPRESS, help="for example ct_to_mr_t1"
        )
        method.add_argument("--resume", action="store_true", help=RESUME_HELP)
        method.add_argument("--json", action="store_true", help="print events as JSON lines")
        add_config_arguments(method, card.config)
        add_config_arguments(method, TrainingSettings)
        add_config_arguments(method, ModelDescription)
        method.set_defaults(usage_error=method.error)


def run(arguments: argparse.Namespace) -> int:
    given = [name for name in vars(arguments) if name not in _ALWAYS]
    if arguments.resume:
        fixed = [flag_of(name) for name in given if name not in LENGTHS]
        if fixed:
            arguments.usage_error(f"a run goes on with the settings it has: leave out {', '.join(fixed)}, or start a new run")
    elif not {"data", "direction"}.issubset(given):
        arguments.usage_error("--data and --direction are needed to start a run (or --resume to go on with one)")
    card = method_cards()[arguments.method]
    terminal = Terminal(as_json=arguments.json)
    status = run_work(lambda stop: _work(arguments, card, stop), terminal).status
    if status == EXIT_STOPPED and RunFolder(arguments.run_folder).checkpoint.exists():
        terminal.complain(f"Go on with: ctmri train {card.name} --run {shlex.quote(str(arguments.run_folder))} --resume")
    return status


def _work(arguments: argparse.Namespace, card: MethodCard, stop: StopSignal) -> Work[object]:
    from ctmri_core.training.train import train

    if arguments.resume:
        from ctmri_core.training.train import resume_training

        length = {name: getattr(arguments, name) for name in LENGTHS if hasattr(arguments, name)}
        return (yield from resume_training(arguments.run_folder, method_name=card.name, length=length, stop=stop))
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
