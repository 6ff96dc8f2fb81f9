"""Outlines the body of a CT or MR and writes it as a mask, to be looked at, changed and given to `ctmri translate --body`.

Classically, or by a model that learnt it; one that learnt several labels writes them by number.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.input_choices import add_input_arguments, chosen_series
from ctmri_core.cli.kind_choice import add_kind_argument, as_told
from ctmri_core.cli.output_choices import noted
from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed, WrongInput
from ctmri_core.events import Finished, Noted, Progress, StopSignal, Work
from ctmri_core.volume import Volume

_SUFFIXES = (".nii", ".nii.gz", ".mha", ".nrrd")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input_arguments(parser)
    add_kind_argument(parser)
    written = "the mask: .nii, .nii.gz, .mha or .nrrd; 1 in the body, 0 elsewhere"
    parser.add_argument("--output", type=given_path, required=True, metavar="MASK", help=written)
    brighter = "what is brighter is looked at: HU of CT, of MR the share (0 to 1) of its range (default: found)"
    parser.add_argument("--threshold", type=float, metavar="X", help=brighter)
    by = "a model that outlines: a file, a name of `ctmri models list`, or the folder of a run (default: found without one)"
    parser.add_argument("--model", metavar="MODEL", help=by)
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="for the model: auto, cpu, cuda, or one card: cuda:1")
    parser.add_argument("--overwrite", action="store_true", help="replace MASK where it exists (never INPUT)")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    outcome = run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.io.opening import load
    from ctmri_core.io.saving import check_target, save

    target: Path = arguments.output
    if not target.name.lower().endswith(_SUFFIXES):
        raise WriteFailed(f"{target.name}: a mask is written as one of {', '.join(_SUFFIXES)}.")
    if arguments.model is not None and arguments.threshold is not None:
        raise WrongInput("--model and --threshold both say how to outline. Leave one of them out.")
    check_target(target, sources=[arguments.input], overwrite=arguments.overwrite)
    series = chosen_series(arguments)
    check_target(target, sources=series.files, overwrite=arguments.overwrite)
    volume = yield from load(series, stop)
    if volume is None:
        return None
    volume = as_told(volume, arguments.modality)
    yield from noted(volume.findings)
    mask = yield from (_found(volume, arguments) if arguments.model is None else _by_model(volume, arguments, stop))
    if mask is None:
        return None
    written = yield from save(mask, target, overwrite=arguments.overwrite, stop=stop)
    if written is not None:
        yield Finished(reason="completed", paths={"mask": str(written)})
    return written


def _found(volume: Volume, arguments: argparse.Namespace) -> Work[Volume | None]:
    """The classical mask."""
    from ctmri_core.preprocess.body_mask import body_mask, own_threshold
    from ctmri_core.preprocess.given_body import mask_volume

    _check_threshold(volume, arguments.threshold)
    yield Progress(done=0, message="looking for the body")
    body = body_mask(volume, arguments.threshold)
    if not body.any():
        raise WrongInput(f"No body is seen in {volume.name or 'the input'}. Say with --threshold what is bright enough.")
    threshold = own_threshold(volume) if arguments.threshold is None else arguments.threshold
    where = f"{threshold:.0f} HU" if volume.domain is Domain.CT else f"{100 * threshold:.3g} % of the range"
    yield Noted(message=f"The body fills {100 * body.mean():.3g} % of the scan; outlined at {where}.")
    return mask_volume(body, volume)


def _by_model(volume: Volume, arguments: argparse.Namespace, stop: StopSignal) -> Work[Volume | None]:
    """The body as the model outlines it; all its labels where it has several."""
    from ctmri_core.inference.order import Order
    from ctmri_core.inference.outlining import label_volume, outline
    from ctmri_core.model_card import find_model
    from ctmri_core.model_card.terms import terms_notes
    from ctmri_core.model_file import load_model
    from ctmri_core.preprocess.given_body import mask_volume
    from ctmri_core.resources_folder import model_folders

    model = load_model(find_model(arguments.model, model_folders()))
    yield from terms_notes([model.card])
    found = yield from outline(volume, model, Order(device=arguments.device), stop)
    if found is None:
        return None
    if not found.labels.any():
        raise WrongInput(f"{model.card.name} outlines nothing in {volume.name or 'the input'}. Choose another model, or none.")
    if len(found.names) == 1:
        yield Noted(message=f"The body fills {100 * found.body.mean():.3g} % of the scan, as {model.card.name} outlines it.")
        return mask_volume(found.body, volume)
    for number, name in enumerate(found.names, 1):
        yield Noted(message=f"{number}: {name}, {100 * (found.labels == number).mean():.3g} % of the scan")
    return label_volume(found, volume)


def _check_threshold(volume: Volume, threshold: float | None) -> None:
    """Raises `WrongInput` for HU of an MR, and for what is no number."""
    if threshold is None:
        return
    low, high = (-1024.0, 32767.0) if volume.domain is Domain.CT else (0.0, 1.0)
    if not low <= threshold <= high:
        what = "HU of a CT" if volume.domain is Domain.CT else "the share of an MR's range that it begins at"
        raise WrongInput(f"--threshold {threshold:g}: it is {what}, from {low:g} to {high:g}.")
