"""Trains a method on a folder of cases, or on digital phantoms."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctmri_core.cli.terminal import EXIT_STOPPED, Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, flag_of, validated
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.events import StopSignal, Work
from ctmri_core.files import write_text
from ctmri_core.hints import nearest_hint
from ctmri_core.method import MethodCard, MethodConfig
from ctmri_core.registry import method_cards, method_problems
from ctmri_core.training.run_folder import RunFolder, run_config
from ctmri_core.training.settings import LENGTHS, ModelDescription, TrainingSettings, settings_for

DATA_HELP = "a folder with one folder per patient (ct.nii.gz, mr.nii.gz, mask.nii.gz), or phantom:COUNT[:SEED]"
RESUME_HELP = "go on with the run in DIR, with the settings it has; only its length can be given anew (--epochs, ...)"
CONFIG_HELP = "take what is not given here from FILE, as --save-config or an earlier run (its config.json) wrote it"
SAVE_HELP = "write everything that was chosen to FILE and end, without training"
_ALWAYS = {"command", "method", "run", "run_folder", "resume", "json", "usage_error", "config_file", "save_config"}
_PROCESS_NUMBERS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""Variables of the environment, any of which is not 0 in every process of a run but the first."""


@dataclass(frozen=True)
class _Chosen:
    config: MethodConfig
    settings: TrainingSettings
    about: ModelDescription
    data: str
    direction: Direction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = " ".join(method_problems()).replace("%", "%%") or None
    methods = parser.add_subparsers(dest="method", metavar="METHOD", required=True, parser_class=type(parser))
    for name, card in method_cards().items():
        method = methods.add_parser(name, help=card.summary, description=f"{card.summary} {card.citation}.")
        method.add_argument("--run", type=given_path, metavar="DIR", dest="run_folder", help="where everything is kept")
        method.add_argument("--data", metavar="DATA", default=argparse.SUPPRESS, help=DATA_HELP)
        method.add_argument(
            "--direction", type=_direction, metavar="SOURCE_to_TARGET", default=argparse.SUPPRESS, help="for example ct_to_mr_t1"
        )
        method.add_argument("--resume", action="store_true", help=RESUME_HELP)
        method.add_argument("--config", type=given_path, metavar="FILE", dest="config_file", help=CONFIG_HELP)
        method.add_argument("--save-config", type=given_path, metavar="FILE", help=SAVE_HELP)
        method.add_argument("--json", action="store_true", help="print events as JSON lines")
        add_config_arguments(method, card.config)
        add_config_arguments(method, TrainingSettings, card.settings)
        add_config_arguments(method, ModelDescription)
        method.set_defaults(usage_error=method.error)


def run(arguments: argparse.Namespace) -> int:
    card = method_cards()[arguments.method]
    given = [name for name in vars(arguments) if name not in _ALWAYS]
    if arguments.run_folder is None and (arguments.resume or not arguments.save_config):
        arguments.usage_error("--run is needed: the folder where everything is kept")
    if arguments.resume:
        files = {"--config": arguments.config_file, "--save-config": arguments.save_config}
        fixed = [flag_of(name) for name in given if name not in LENGTHS] + [flag for flag, path in files.items() if path]
        if fixed:
            arguments.usage_error(f"a run goes on with the settings it has: leave out {', '.join(fixed)}, or start a new run")
    elif not arguments.config_file and not {"data", "direction"}.issubset(given):
        arguments.usage_error("--data and --direction are needed to start a run (or --resume to go on with one)")
    if arguments.save_config:
        chosen = _chosen(arguments, card)
        content = run_config(card, chosen.config, chosen.data, chosen.direction, chosen.settings, chosen.about)
        write_text(arguments.save_config, json.dumps(content, indent=2))
        return 0
    with Path(os.devnull).open("w") as nowhere:
        heard = {"out": nowhere, "err": nowhere} if _is_helper() else {}
        terminal = Terminal(as_json=arguments.json, **heard)
        status = run_work(lambda stop: _work(arguments, card, stop), terminal).status
        if status == EXIT_STOPPED and RunFolder(arguments.run_folder).checkpoint.exists():
            folder = shlex.quote(str(arguments.run_folder))
            terminal.complain(f"Go on with: ctmri train {card.name} --run {folder} --resume")
    return status


def _work(arguments: argparse.Namespace, card: MethodCard, stop: StopSignal) -> Work[object]:
    if arguments.resume:
        from ctmri_core.training.train import resume_training

        length = {name: getattr(arguments, name) for name in LENGTHS if hasattr(arguments, name)}
        return (
            yield from resume_training(arguments.run_folder, method_name=card.name, length=length, stop=stop, may_launch=True)
        )
    chosen = _chosen(arguments, card)

    from ctmri_core.training.train import train

    return (
        yield from train(
            card.name, chosen.config, chosen.data, chosen.direction, arguments.run_folder, chosen.settings,
            stop=stop, about=chosen.about, may_launch=True,
        )
    )  # fmt: skip


def _chosen(arguments: argparse.Namespace, card: MethodCard) -> _Chosen:
    """The flags over the file of `--config` over the defaults. Raises `CtmriError` naming what is wrong."""
    stored = _stored(arguments.config_file, card) if arguments.config_file else {}
    settings, given = dict(stored.get("settings", {})), _given(arguments, TrainingSettings)
    if any(name in given for name in LENGTHS):
        settings = {name: value for name, value in settings.items() if name not in LENGTHS}
    data, direction = getattr(arguments, "data", stored.get("data")), getattr(arguments, "direction", None)
    if not direction and stored.get("direction"):
        direction = _stored_direction(arguments.config_file, str(stored["direction"]))
    if not data or not direction:
        raise CtmriError("Neither flags nor the file of --config name the data and the direction: give --data and --direction.")
    return _Chosen(
        config=validated(card.config, {**stored.get("config", {}), **_given(arguments, card.config)}),
        settings=settings_for(card, {**settings, **given}),
        about=validated(ModelDescription, {**stored.get("about", {}), **_given(arguments, ModelDescription)}),
        data=str(data),
        direction=direction,
    )


def _stored(path: Path, card: MethodCard) -> Mapping[str, Any]:
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FileRefused(path, "cannot be read as JSON.", "Choose a file that --save-config wrote.") from error
    known, tables = ("method", "config", "data", "direction", "settings", "about"), ("config", "settings", "about")
    if not isinstance(stored, dict) or not all(isinstance(stored.get(name, {}), dict) for name in tables):
        raise FileRefused(path, "does not hold settings.", "Choose a file that --save-config wrote.")
    for name in stored:
        if name not in known:
            raise FileRefused(path, f"holds {name!r}, which is no part of a run's settings.{nearest_hint(name, known)}")
    if stored.get("method", card.name) != card.name:
        raise FileRefused(path, f"holds settings of {stored['method']}, not of {card.name}.", "Name that method.")
    return stored


def _stored_direction(path: Path, text: str) -> Direction:
    try:
        return Direction.parse(text)
    except ValueError as error:
        raise FileRefused(path, f"names no direction: {error}") from None


def _given(arguments: argparse.Namespace, config_type: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in config_type.model_fields if hasattr(arguments, name)}


def _is_helper() -> bool:
    """Whether another process of the run speaks for this one."""
    return any(os.environ.get(name, "0") != "0" for name in _PROCESS_NUMBERS)


def _direction(text: str) -> Direction:
    try:
        return Direction.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
