"""Translates a CT to a synthetic MR, or an MR to a synthetic CT, on the source's own grid.

OUT ends in .nii, .nii.gz, .mha or .nrrd for a file; anything else is a new folder that will hold DICOM or PNG slices. Where INPUT
holds several scans and OUT is a folder, all of them are translated into it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ctmri_core.cli import translate_many
from ctmri_core.cli.body_choice import add_body_argument, given_body
from ctmri_core.cli.input_choices import add_input_arguments, chosen_series
from ctmri_core.cli.kind_choice import KINDS, add_kind_argument, as_told
from ctmri_core.cli.order_flags import add_order_arguments, files_beside, order_of, with_way_back
from ctmri_core.cli.output_choices import add_output_arguments, check_output, noted, saved
from ctmri_core.cli.terminal import Terminal
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.domain import Domain
from ctmri_core.errors import AmbiguousInput, WrongInput
from ctmri_core.events import Event, Noted, StopSignal, Work, never, relayed
from ctmri_core.inference.model_choice import chosen_model
from ctmri_core.resources_folder import model_folders
from ctmri_core.volume import Volume

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ctmri_core.batch.run import BatchOutcome
    from ctmri_core.inference.translate import Translation

Result = TypeVar("Result")

_KEPT = "Stopped. What was translated until then is kept, and says that it is not all."
DECIDE = "Say what it shows with --modality, or which model to use with --model (`ctmri models` lists them)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input_arguments(parser)
    add_kind_argument(parser)
    add_output_arguments(parser)
    names = "a model file, or a name from `ctmri models` (default: by what INPUT shows)"
    parser.add_argument("--model", metavar="FILE_OR_NAME", help=names)
    parser.add_argument("--strict", action="store_true", help="refuse what the model was not made for, instead of warning of it")
    add_body_argument(parser)
    add_order_arguments(parser)
    translate_many.add_many_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if translate_many.is_wanted(arguments):
        return translate_many.run(arguments)
    outcome = run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | BatchOutcome | None]:
    from ctmri_core.inference.precision import choose_device
    from ctmri_core.inference.translate import translate_as
    from ctmri_core.io.deidentify import check_pseudonym
    from ctmri_core.io.opening import load
    from ctmri_core.model_card import find_model, read_card
    from ctmri_core.model_card.listing import SHOW_HIDDEN
    from ctmri_core.model_card.terms import hides_noncommercial, terms_notes

    check_output(arguments, [arguments.input], [path for _, path in files_beside(arguments)])
    choose_device(arguments.device)
    order = order_of(arguments)
    folders = model_folders()
    model = find_model(arguments.model, folders) if arguments.model else None
    if model is not None:
        read_card(model)
    try:
        series = chosen_series(arguments)
    except AmbiguousInput:
        if not translate_many.may_be(arguments):
            raise
        return (yield from translate_many.work(arguments, stop))
    check_output(arguments, series.files, [path for _, path in files_beside(arguments)])
    volume = yield from load(series, stop)
    if volume is None:
        return None
    volume = _of_kind(volume, arguments.modality)
    check_pseudonym(arguments.pseudonym, volume)
    yield from noted(volume.findings)
    if arguments.body is not None:
        body = yield from given_body(arguments.body, volume, stop)
        if body is None:
            return None
        order = replace(order, body=body)
    model = model or chosen_model(volume, arguments.modality, folders, DECIDE)
    if arguments.model is None and read_card(model).only_phantoms and not volume.phantom and hides_noncommercial():
        yield Noted(message=f"Models that may not be used commercially are hidden; {SHOW_HIDDEN}")
    order = with_way_back(order, arguments, model)
    used = (model, *order.beside, order.back, order.body_model)
    yield from terms_notes(read_card(path) for path in used if isinstance(path, Path))
    if arguments.strict:
        _refuse_far_off(volume, model, order.body)
    said: set[str] = {finding.message for finding in volume.findings}
    made = yield from _remembering(translate_as(volume, model, order, stop), said)
    if made is None:
        return None
    yield from noted(finding for finding in made.volume.findings if finding.message not in said)
    yield from (Noted(message=told.sentence) for told in (made.uncertainty, made.cycle) if told is not None)
    words, waits = ("", stop) if made.finished else (_KEPT, never)  # who asked to stop wants what there is to be written
    return (yield from saved(arguments, made.volume, "synthetic", waits, volume, _beside(arguments, made), words))


def _beside(arguments: argparse.Namespace, made: Translation) -> list[tuple[str, Path, Volume]]:
    """What was asked for and is known, with where it goes."""
    maps = {told.kind: told.as_volume(made.volume) for told in (made.uncertainty, made.cycle) if told is not None}
    known = maps | {f"draw{number}": draw for number, draw in enumerate(made.draws, 1)}
    return [(word, path, known[word]) for word, path in files_beside(arguments) if word in known]


def _refuse_far_off(volume: Volume, model: Path, body: NDArray[np.bool_] | None) -> None:
    """Raises `WrongInput` for what would be a warning."""
    from ctmri_core.inference.input_doubts import doubts_before
    from ctmri_core.inference.translate import check_input
    from ctmri_core.model_card import read_card

    card = read_card(model)
    check_input(volume, card)
    doubts = [doubt.message for doubt in doubts_before(volume, card, body=body) if doubt.kind != "window"]
    if doubts:
        raise WrongInput(f"{' '.join(doubts)} Choose another model with --model, or leave --strict out.")


def _remembering(work: Work[Result], said: set[str]) -> Work[Result]:
    """Passes `work` on and keeps what it noted, so that nothing is said twice."""

    def hear(event: Event) -> Event:
        if isinstance(event, Noted):
            said.add(event.message)
        return event

    return relayed(work, hear)


def _of_kind(volume: Volume, told: Domain | None) -> Volume:
    """`volume` as what the user says it is. Raises `WrongInput` when nobody says, or when its DICOM header says otherwise."""
    if told is None and volume.domain is Domain.UNKNOWN:
        name, choices = volume.name or "The input", ", ".join(KINDS)
        raise WrongInput(f"{name} is not known to show CT or MR. If it does, say which it is: --modality {choices}.")
    return as_told(volume, told)
