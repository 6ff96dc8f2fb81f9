"""Turns a collection of scans into prepared slices that `ctmri train --data` takes at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, config_from_arguments
from ctmri_core.data.layouts.known import LAYOUTS
from ctmri_core.data.layouts.layout import LayoutOptions
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.recipe_flags import RecipeChoices
from ctmri_core.data.split import SplitChoices, SplitLists, SplitPlan
from ctmri_core.domain import Domain
from ctmri_core.events import Finished, Noted, StopSignal, Work

if TYPE_CHECKING:
    from ctmri_core.data.dataset import DatasetIndex

_FORMS = (LayoutOptions, RecipeChoices, SplitChoices, PreparationOptions)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a folder in one of the layouts below, or phantom:COUNT[:SEED]")
    parser.add_argument("--out", type=given_path, required=True, metavar="DIR", help="where the prepared slices are kept")
    parser.add_argument(
        "--domains", type=_domains, default=(Domain.CT, Domain.MR_T1), metavar="D,D[,D]",
        help="what to prepare, the first is what others are laid on (default: ct,mr_t1)",
    )  # fmt: skip
    names = [layout.name for layout in LAYOUTS]
    parser.add_argument(
        "--layout", default="", metavar="NAME", help=f"one of {', '.join(names)} (default: the one it looks like)"
    )
    parser.add_argument("--split", type=given_path, metavar="FILE", help='JSON: {"train": [names], "validation": [], "test": []}')
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    for form in _FORMS:
        add_config_arguments(parser, form)
    parser.epilog = "Layouts: " + "; ".join(f"{layout.name}: {layout.looks}" for layout in LAYOUTS)


def run(arguments: argparse.Namespace) -> int:
    return run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json)).status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[object]:
    from ctmri_core.data.case_sources import find_cases
    from ctmri_core.data.preparation import prepare_dataset

    choices = config_from_arguments(arguments, RecipeChoices)
    layout_options = config_from_arguments(arguments, LayoutOptions)
    options = config_from_arguments(arguments, PreparationOptions)
    split = config_from_arguments(arguments, SplitChoices)
    lists = SplitLists.read(arguments.split) if arguments.split else None
    plan = SplitPlan(**split.model_dump(), lists=lists)
    made_from = {"data": _named(arguments.source), "options": layout_options.model_dump_json(), "align": options.align}
    source = find_cases(arguments.source, arguments.domains, choices.spacing_mm, layout=arguments.layout, options=layout_options)
    yield Noted(message=f"{len(source.cases)} cases in the layout {source.layout}.")
    index = yield from prepare_dataset(
        source, arguments.domains, choices.recipe(), arguments.out, plan, stop, made_from=made_from, options=options
    )
    if index is None:
        yield Finished(reason="stopped", message="Stopped; what is prepared is kept, and the same command goes on.")
        return None
    yield Noted(message=_summary(index))
    yield Finished(reason="completed", paths={"dataset": str(arguments.out)})
    return index


def _summary(index: DatasetIndex) -> str:
    parts = []
    for side in ("train", "validation", "test"):
        own = [case for case in index.cases if case.side == side]
        slices = sum(case.pictures if case.chosen is None else len(case.chosen) for case in own)
        if own:
            parts.append(f"{side}: {slices} slices of {len({case.patient for case in own})} patients")
    return f"Prepared {', '.join(domain.label for domain in index.domains)}. {'; '.join(parts).capitalize()}."


def _named(source: str) -> str:
    return source if source.startswith("phantom:") else str(Path(source).absolute())


def _domains(text: str) -> tuple[Domain, ...]:
    try:
        domains = tuple(Domain(word.strip()) for word in text.split(","))
    except ValueError:
        known = ", ".join(domain.value for domain in Domain if domain is not Domain.UNKNOWN)
        raise argparse.ArgumentTypeError(f"{text!r} is no list of domains; they are {known}") from None
    if Domain.UNKNOWN in domains or len(set(domains)) < len(domains):
        raise argparse.ArgumentTypeError(f"{text!r}: name each kind of picture once")
    return domains
