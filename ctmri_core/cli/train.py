"""Trains a method on a folder of cases, or on digital phantoms."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctmri_core.cli.direction_choice import DIRECTION_HELP, direction_argument, told, usual_direction
from ctmri_core.cli.estimate_output import print_estimate
from ctmri_core.cli.orders_input import orders_from_input
from ctmri_core.cli.parser import Parser
from ctmri_core.cli.terminal import EXIT_STOPPED, Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, flag_of
from ctmri_core.domain import PICTURES, Domain
from ctmri_core.errors import CtmriError, FileRefused, TrainingFailed
from ctmri_core.events import Noted, StopSignal, Work
from ctmri_core.method import MethodCard
from ctmri_core.model_card import find_model
from ctmri_core.registry import method_cards, method_problems
from ctmri_core.resources_folder import model_folders
from ctmri_core.training.orders import ORDERS
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import LENGTHS, ModelDescription, TrainingSettings, settings_for
from ctmri_core.training.settings_file import read_settings, write_settings

_DATA_HELP = "prepared data (see ctmri prepare), a folder of scans in one of the layouts listed there, or phantom:COUNT[:SEED]"
_RESUME_HELP = (
    "go on with the run in DIR, with the settings it has; only its length can be given anew (--epochs, ...), and where its"
    " prepared data are now (--data)"
)
_CONFIG_HELP = "take what is not given here from FILE (JSON or TOML), as --save-config or an earlier run (config.json) wrote it"
_SAVE_HELP = "write everything that was chosen to FILE and end, without training"
_ORDERS_HELP = (
    "read orders from standard input while training, one to a line: " + ", ".join(ORDERS) + "; its end stops the run as well"
)
_ESTIMATE_HELP = "try a few steps on random pictures, say what the run would take of memory and time, and end, without training"
_ALWAYS = {
    "command", "method", "run", "run_folder", "resume", "json", "orders", "estimate", "usage_error", "config_file", "save_config",
}  # fmt: skip
_ANEW = (*LENGTHS, "data")
_PROCESS_NUMBERS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""Variables of the environment, any of which is not 0 in every process of a run but the first."""
_EXAMPLE = """\
examples:
  no scans needed, ten minutes:
    ctmri train {name} --data phantom:8 {direction}--run runs/try --minutes 10
  scans made ready once, then learnt from until the morning:
    ctmri prepare scans/ --out prepared/
    ctmri train {name} --data prepared/ {direction}--run runs/1 --until 7:00
  the same run once more, longer:
    ctmri train {name} --run runs/1 --resume --epochs 300
Ctrl+C stops at once and keeps the state; a second one ends without that. The models\nare in runs/1/models.
"""
_NEEDS = {
    "paired": "Learns from pairs: volumes or slices of one patient that lie on each other.",
    "masks": "Learns from scans with masks: files of what somebody outlined in each.",
    "unpaired": "Learns from unpaired scans: patients of the one kind need not be those of the other.",
    "multi_domain": "Learns from unpaired scans of two or more kinds.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "\n".join((_EXAMPLE.format(name="cyclegan", direction=""), *method_problems())).replace("%", "%%")
    methods = parser.add_subparsers(dest="method", metavar="METHOD", required=True, parser_class=type(parser))
    for name, card in method_cards().items():
        summary = card.summary.replace("%", "%%")
        direction = "" if card.both_ways else f"--direction {card.example} "
        method = methods.add_parser(
            name, help=summary, description=f"{summary} {_NEEDS[card.needs]}\n{card.citation}.".replace("%", "%%"),
            usage=f"ctmri train {name} --data DATA {direction}--run DIR [flags]\n       ctmri train {name} --run DIR --resume",
            epilog=_EXAMPLE.format(name=name, direction=direction).replace("%", "%%"),
        )  # fmt: skip
        method.add_argument("--run", type=given_path, metavar="DIR", dest="run_folder", help="where everything is kept")
        method.add_argument("--data", type=_data, metavar="DATA", default=argparse.SUPPRESS, help=_DATA_HELP)
        method.add_argument(
            "--direction", type=direction_argument, metavar="FROM_to_TO", default=argparse.SUPPRESS, help=DIRECTION_HELP
        )
        method.add_argument("--resume", action="store_true", help=_RESUME_HELP)
        method.add_argument("--config", type=given_path, metavar="FILE", dest="config_file", help=_CONFIG_HELP)
        method.add_argument("--save-config", type=given_path, metavar="FILE", help=_SAVE_HELP)
        method.add_argument("--estimate", action="store_true", help=_ESTIMATE_HELP)
        method.add_argument("--json", action="store_true", help="print events as JSON lines")
        method.add_argument("--orders", action="store_true", help=_ORDERS_HELP)
        add_config_arguments(method, card.config)
        add_config_arguments(method, TrainingSettings, card.settings)
        add_config_arguments(method, ModelDescription)
        method.set_defaults(usage_error=method.error)
        if isinstance(method, Parser):
            method.elsewhere = _elsewhere(name)


def _elsewhere(method: str) -> dict[str, str]:
    """The flags of other methods, with whose they are."""
    found: dict[str, list[str]] = {}
    for name, card in method_cards().items():
        for field in card.config.model_fields if name != method else ():
            found.setdefault(flag_of(field), []).append(name)
    return {flag: f"It is a setting of {', '.join(names)}." for flag, names in found.items()}


def run(arguments: argparse.Namespace) -> int:
    card = method_cards()[arguments.method]
    _check_words(arguments)
    note = ""
    plan: RunPlan | CtmriError | None = None
    if not arguments.resume:
        try:
            plan, note = _plan(arguments, card)
        except (FileRefused, TrainingFailed) as refusal:
            plan = refusal
        except CtmriError as error:
            arguments.usage_error(str(error))
    if arguments.save_config and isinstance(plan, RunPlan):
        write_settings(arguments.save_config, plan)
        return 0
    if arguments.estimate and isinstance(plan, RunPlan):
        return print_estimate(plan, as_json=arguments.json)
    with Path(os.devnull).open("w") as nowhere:
        heard = {"out": nowhere, "err": nowhere} if _is_helper() else {}
        terminal = Terminal(as_json=arguments.json, **heard)
        status = run_work(lambda stop: _work(arguments, plan, note, stop), terminal).status
        if status == EXIT_STOPPED and RunFolder(arguments.run_folder).checkpoint.exists():
            folder = shlex.quote(str(arguments.run_folder))
            terminal.complain(f"Go on with: ctmri train {card.name} --run {folder} --resume")
    return status


def _check_words(arguments: argparse.Namespace) -> None:
    """Refuses words that do not go together."""
    given = [name for name in vars(arguments) if name not in _ALWAYS]
    if arguments.run_folder is None and (arguments.resume or not (arguments.save_config or arguments.estimate)):
        arguments.usage_error("--run is needed: the folder where everything is kept")
    if arguments.resume:
        files = {"--config": arguments.config_file, "--save-config": arguments.save_config, "--estimate": arguments.estimate}
        fixed = [flag_of(name) for name in given if name not in _ANEW] + [flag for flag, path in files.items() if path]
        if fixed:
            arguments.usage_error(f"a run goes on with the settings it has: leave out {', '.join(fixed)}, or start a new run")
    elif not arguments.config_file and "data" not in given:
        arguments.usage_error("--data is needed to start a run (or --resume to go on with one)")


def _work(arguments: argparse.Namespace, plan: RunPlan | CtmriError | None, note: str, stop: StopSignal) -> Work[object]:
    if isinstance(plan, CtmriError):
        raise plan
    orders = orders_from_input() if arguments.orders and not _is_helper() else None
    if plan is None:
        from ctmri_core.training.train import resume_training

        length = {name: getattr(arguments, name) for name in LENGTHS if hasattr(arguments, name)}
        return (
            yield from resume_training(
                arguments.run_folder, method_name=arguments.method, length=length, stop=stop, orders=orders, may_launch=True,
                data=getattr(arguments, "data", ""),
            )
        )
    if note:
        yield Noted(message=note)

    from ctmri_core.training.train import train

    return (
        yield from train(
            plan.card.name, plan.config, plan.data, plan.direction, arguments.run_folder, plan.settings,
            stop=stop, orders=orders, about=plan.about, may_launch=True,
        )
    )  # fmt: skip


def _plan(arguments: argparse.Namespace, card: MethodCard) -> tuple[RunPlan, str]:
    """The flags over the file of `--config` over the defaults, and what is to be said of it.

    Raises `FileRefused` or `TrainingFailed` for files and data, another `CtmriError` for words that are wrong.
    """
    stored = _stored(arguments.config_file, card) if arguments.config_file else {}
    usual = settings_for(card, {}).model_dump(mode="json")  # a file holds these too; only the others were chosen
    settings = {name: value for name, value in stored.get("settings", {}).items() if name not in usual or value != usual[name]}
    given = _given(arguments, TrainingSettings)
    start = given.get("start_from", settings.get("start_from"))
    if start and isinstance(start, str):
        given["start_from"] = str(find_model(start, model_folders()))
    if any(name in given for name in LENGTHS):
        settings = {name: value for name, value in settings.items() if name not in LENGTHS}
    config = {**stored.get("config", {}), **_given(arguments, card.config)}
    words: dict[str, Any] = {
        "method": card.name, "data": getattr(arguments, "data", stored.get("data")), "direction": stored.get("direction"),
        "config": config, "settings": {**settings, **given},
        "about": {**stored.get("about", {}), **_given(arguments, ModelDescription)},
    }  # fmt: skip
    if not isinstance(words["data"], str) or not words["data"]:
        raise CtmriError("Neither flags nor the file of --config name the data: give --data.")
    if hasattr(arguments, "direction"):
        words["direction"] = arguments.direction.name
    if words["direction"] is not None:
        return RunPlan.read(words), ""
    RunPlan.read({**words, "direction": card.example.name})  # settings that are wrong are told before data are looked for
    from ctmri_core.data.domains_there import domains_there

    there = _learnt(card, config, domains_there(words["data"]))
    direction = usual_direction(card, there)
    if isinstance(direction, str):
        raise CtmriError(direction)
    if card.needs == "multi_domain":
        words["config"] = {**config, "domains": ",".join(domain for domain in there if domain in PICTURES)}
    return RunPlan.read({**words, "direction": direction.name}), told(card, there)


def _learnt(card: MethodCard, config: Mapping[str, Any], there: Sequence[Domain]) -> Sequence[Domain]:
    """The kinds of pictures to learn: those that the settings name, where they do, else those that are there."""
    named = str(config.get("domains", "")) if card.needs == "multi_domain" else ""
    return tuple(Domain(name.strip()) for name in named.split(",")) if named else there


def _stored(path: Path, card: MethodCard) -> Mapping[str, Any]:
    stored = read_settings(path)
    if stored.get("method", card.name) != card.name:
        raise FileRefused(path, f"holds settings of {stored['method']}, not of {card.name}.", "Name that method.")
    return stored


def _given(arguments: argparse.Namespace, config_type: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in config_type.model_fields if hasattr(arguments, name)}


def _data(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty")
    return text


def _is_helper() -> bool:
    """Whether another process of the run speaks for this one."""
    return any(os.environ.get(name, "0") != "0" for name in _PROCESS_NUMBERS)
