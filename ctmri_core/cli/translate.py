"""Translates a CT to a synthetic MR, or an MR to a synthetic CT, on the source's own grid.

OUT ends in .nii, .nii.gz, .mha or .nrrd for a file; anything else is a folder that will hold a DICOM series.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from ctmri_core.cli.input_choices import add_input_arguments, chosen_series, positive
from ctmri_core.cli.terminal import Terminal, given_path
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.events import Event, Finished, Noted, StopSignal, Work, relayed
from ctmri_core.hints import nearest_hint
from ctmri_core.resources_folder import model_folders
from ctmri_core.volume import Finding, Volume

Result = TypeVar("Result")

_KINDS = [domain for domain in Domain if domain is not Domain.UNKNOWN]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input_arguments(parser)
    kinds = ",".join(_KINDS)
    parser.add_argument(
        "--modality", type=_kind, metavar=f"{{{kinds}}}", help="what INPUT shows, where it cannot say so itself or is wrong"
    )
    parser.add_argument(
        "--output", type=given_path, required=True, metavar="OUT", help="file (by its suffix) or folder (DICOM series)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT where it is a file that exists (never INPUT)")
    parser.add_argument("--model", metavar="FILE_OR_NAME", help="a model file, or a name from `ctmri models`")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (default: auto)")
    parser.add_argument("--batch", type=positive, metavar="N", help="slices at a time (default: chosen by a short timing)")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    outcome = run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.inference.precision import choose_device
    from ctmri_core.inference.translate import translate
    from ctmri_core.io.opening import load
    from ctmri_core.io.saving import check_target, save
    from ctmri_core.model_card import choose_model, find_model, read_card

    check_target(arguments.output, sources=[arguments.input], overwrite=arguments.overwrite)
    choose_device(arguments.device)
    folders = model_folders()
    model = find_model(arguments.model, folders) if arguments.model else None
    if model is not None:
        read_card(model)
    series = chosen_series(arguments)
    check_target(arguments.output, sources=series.files, overwrite=arguments.overwrite)
    volume = yield from load(series, stop)
    if volume is None:
        return None
    volume = _of_kind(volume, arguments.modality)
    yield from _noted(volume.findings)
    model = model or choose_model(volume.domain, folders)
    said: set[str] = {finding.message for finding in volume.findings}
    work = translate(volume, model, device=arguments.device, batch=arguments.batch, stop=stop)
    synthetic = yield from _remembering(work, said)
    if synthetic is None:
        return None
    yield from _noted(finding for finding in synthetic.findings if finding.message not in said)
    written = yield from save(synthetic, arguments.output, source=volume, overwrite=arguments.overwrite, stop=stop)
    if written is None:
        return None
    yield Finished(reason="completed", paths={"synthetic": str(written)})
    return written


def _remembering(work: Work[Result], said: set[str]) -> Work[Result]:
    """Passes `work` on and keeps what it noted, so that nothing is said twice."""

    def hear(event: Event) -> Event:
        if isinstance(event, Noted):
            said.add(event.message)
        return event

    return relayed(work, hear)


def _of_kind(volume: Volume, told: Domain | None) -> Volume:
    """`volume` as what the user says it is. Raises `WrongInput` when nobody says, or when its DICOM header says otherwise."""
    if told is None:
        if volume.domain is Domain.UNKNOWN:
            choices = ", ".join(_KINDS)
            raise WrongInput(f"{volume.name or 'The input'} does not say what it shows. Say which it is: --modality {choices}.")
        return volume
    if volume.dicom is not None and volume.domain.modality not in (told.modality, Domain.UNKNOWN.modality):
        raise WrongInput(f"--modality {told}: the DICOM header says that this is {volume.domain.label}. Leave the flag out.")
    answered = tuple(finding for finding in volume.findings if finding.kind != "guessed_domain")
    return volume.with_history(f"taken for {told.label}, as the user said", domain=told, findings=answered)


def _noted(findings: Iterable[Finding]) -> Iterator[Noted]:
    for finding in findings:
        yield Noted(message=finding.message, serious=finding.serious)


def _kind(text: str) -> Domain:
    if text not in _KINDS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(_KINDS)}.{nearest_hint(text, _KINDS)}")
    return Domain(text)
