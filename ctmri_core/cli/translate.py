"""Translates a CT to a synthetic MR, or an MR to a synthetic CT, on the source's own grid.

OUT ends in .nii, .nii.gz, .mha or .nrrd for a file; anything else is a folder that will hold a DICOM series.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.terminal import Terminal
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.events import Finished, StopSignal, Work
from ctmri_core.resources_folder import model_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT", help="a DICOM folder or file, NIfTI, MHA or NRRD")
    parser.add_argument("--output", type=Path, required=True, metavar="OUT", help="file (by its suffix) or folder (DICOM series)")
    parser.add_argument("--model", metavar="FILE_OR_NAME", help="a model file, or a name from `ctmri models`")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute (default: auto)")
    parser.add_argument("--batch", type=_positive, metavar="N", help="slices at a time (default: chosen by a short timing)")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    outcome = run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.inference.translate import translate
    from ctmri_core.io.opening import load, sole_series
    from ctmri_core.io.saving import check_target, save
    from ctmri_core.model_card import choose_model, find_model

    check_target(arguments.output)
    volume = yield from load(sole_series(arguments.input), stop)
    if volume is None or stop():
        yield Finished(reason="stopped", message="Stopped; nothing was written.")
        return None
    folders = model_folders()
    model = find_model(arguments.model, folders) if arguments.model else choose_model(volume.domain, folders)
    synthetic = yield from translate(volume, model, device=arguments.device, batch=arguments.batch, stop=stop)
    if synthetic is None:
        yield Finished(reason="stopped", message="Stopped; nothing was written.")
        return None
    written = yield from save(synthetic, arguments.output, source=volume, stop=stop)
    if written is None:
        yield Finished(reason="stopped", message="Stopped; nothing was written.")
        return None
    yield Finished(reason="completed", paths={"synthetic": str(written)})
    return written


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


