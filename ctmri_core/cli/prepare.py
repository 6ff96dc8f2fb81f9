"""Turns a collection of scans into prepared slices that `ctmri train --data` takes at once."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.config_flags import add_config_arguments, config_from_arguments
from ctmri_core.data.layouts.known import LAYOUTS, layout_named
from ctmri_core.data.layouts.layout import LayoutOptions, Side
from ctmri_core.data.preparation_options import PreparationOptions
from ctmri_core.data.recipe_flags import RecipeChoices
from ctmri_core.data.split import SplitChoices, SplitLists, SplitPlan
from ctmri_core.domain import PICTURES, Domain
from ctmri_core.errors import CtmriError, TrainingFailed
from ctmri_core.events import Finished, Noted, Progress, StopSignal, Work
from ctmri_core.hints import nearest_hint

if TYPE_CHECKING:
    from ctmri_core.body_models import BodyModel
    from ctmri_core.data.dataset import DatasetIndex

_FORMS: tuple[type[BaseModel], ...] = (LayoutOptions, RecipeChoices, SplitChoices, PreparationOptions)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a folder in one of the layouts below, or phantom:COUNT[:SEED]")
    parser.add_argument("--out", type=given_path, required=True, metavar="DIR", help="where the prepared slices are kept")
    parser.add_argument(
        "--domains", type=_domains, default=(Domain.CT, Domain.MR_T1), metavar="D,D[,D]",
        help="what to prepare, the first is what others are laid on (default: ct,mr_t1)",
    )  # fmt: skip
    names = [layout.name for layout in LAYOUTS]
    parser.add_argument(
        "--layout", type=_layout, metavar="NAME", help=f"one of {', '.join(names)} (default: the one it looks like)"
    )
    parser.add_argument("--split", type=given_path, metavar="FILE", help='JSON: {"train": [names], "validation": [], "test": []}')
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    for form in _FORMS:
        add_config_arguments(parser, form)
    layouts = "\n".join(f"{layout.name}:\n    {layout.looks}" for layout in LAYOUTS)
    parser.epilog = f"{_EXAMPLES}\nlayouts of SOURCE:\n{layouts}".replace("%", "%%")
    parser.usage = "ctmri prepare SOURCE --out DIR [flags]"
    parser.set_defaults(usage_error=parser.error)


def run(arguments: argparse.Namespace) -> int:
    try:
        forms = {form: config_from_arguments(arguments, form) for form in _FORMS}
    except CtmriError as error:
        arguments.usage_error(str(error))
    return run_work(lambda stop: _work(arguments, forms, stop), Terminal(as_json=arguments.json)).status


def _work(arguments: argparse.Namespace, forms: Mapping[type[BaseModel], Any], stop: StopSignal) -> Work[object]:
    from ctmri_core.data.case_sources import find_cases
    from ctmri_core.data.preparation import prepare_dataset
    from ctmri_core.data.prepared_place import check_place, full_name

    choices, options, layout_options = (forms[form] for form in (RecipeChoices, PreparationOptions, LayoutOptions))
    data = full_name(arguments.source)
    check_place(arguments.out, arguments.source)
    lists = SplitLists.read(arguments.split) if arguments.split else None
    plan = SplitPlan(**forms[SplitChoices].model_dump(), lists=lists)
    made_from = {"data": data, "options": layout_options.model_dump_json(), "align": options.registering}
    layout = arguments.layout or ""
    outliner = _outliner(options.body_model, arguments.domains)
    yield Progress(done=0, message="looking for cases")
    source = find_cases(
        arguments.source, arguments.domains, choices.spacing_mm, layout=layout, options=layout_options, stop=stop
    )
    yield Noted(message=f"{_counted(len(source.cases), 'case')} in the layout {source.layout}.")
    index = yield from prepare_dataset(
        source, arguments.domains, choices.recipe(), arguments.out, plan, stop, made_from=made_from, options=options,
        outliner=outliner,
    )  # fmt: skip
    if index is None:
        yield Finished(reason="stopped", message="Stopped; what is prepared is kept, and the same command goes on.")
        return None
    yield Noted(message=_summary(index))
    yield Finished(reason="completed", paths={"dataset": str(arguments.out)})
    return index


def _outliner(named: str, domains: tuple[Domain, ...]) -> BodyModel | None:
    """Raises `CtmriError`."""
    if not named:
        return None
    from ctmri_core.body_models import body_model

    return body_model(named, domains)


def _summary(index: DatasetIndex) -> str:
    parts = []
    sides: tuple[Side, ...] = ("train", "validation", "test")
    for side in sides:
        if patients := index.patients(side):
            slices = sum(case.counted for case in index.cases if case.side == side)
            parts.append(f"{side}: {_counted(slices, 'slice')} of {_counted(patients, 'patient')}")
    said = "; ".join(parts)
    there = [domain.label for domain in index.domains if any(case.counted and domain in case.domains for case in index.cases)]
    return f"Prepared {', '.join(there)}. {said[:1].upper()}{said[1:]}."


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _domains(text: str) -> tuple[Domain, ...]:
    known = [domain.value for domain in (*PICTURES, Domain.MASK)]
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}.{nearest_hint(word, known)}")
    if len(set(words)) < len(words):
        raise argparse.ArgumentTypeError(f"{text!r}: name each kind of picture once")
    if words[0] == Domain.MASK:
        raise argparse.ArgumentTypeError(f"{text!r}: name the pictures first that the masks belong to, such as ct,mask")
    return tuple(map(Domain, words))


def _layout(text: str) -> str:
    try:
        return layout_named(text).name
    except TrainingFailed as error:
        raise argparse.ArgumentTypeError(str(error)) from None


_EXAMPLES = """\
examples:
  scans that lie on each other, as SynthRAD2023's do:
    ctmri prepare scans/ --out prepared/ --domains ct,mr_t1 --test-share 0.1
  CT and MR of one patient in two spaces, registered first:
    ctmri prepare scans/ --out prepared/ --domains ct,mr_t2 --align needed
  no scans at all:
    ctmri prepare phantom:8 --out prepared/
  then: ctmri train cyclegan --data prepared/ --run runs/1
The same command goes on where it was stopped. What was found of the cases is in DIR/check.json and DIR/check.png.
What was decided by hand in the window (positions that were accepted, cases left out) is in DIR/decisions.json and is heeded.
"""
