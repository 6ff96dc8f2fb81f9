"""Writes any volume that can be opened in another format, exactly, or gives it away under a pseudonym.

OUT ends in .nii, .nii.gz, .mha or .nrrd for a file; anything else is a new folder that will hold DICOM or PNG slices.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctmri_core.cli.input_choices import add_input_arguments, chosen_series
from ctmri_core.cli.kind_choice import add_kind_argument, as_told
from ctmri_core.cli.output_choices import add_output_arguments, check_output, noted, saved
from ctmri_core.cli.terminal import Terminal
from ctmri_core.cli.terminal import run as run_work
from ctmri_core.events import StopSignal, Work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input_arguments(parser)
    add_kind_argument(parser)
    add_output_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    outcome = run_work(lambda stop: _work(arguments, stop), Terminal(as_json=arguments.json))
    return outcome.status


def _work(arguments: argparse.Namespace, stop: StopSignal) -> Work[Path | None]:
    from ctmri_core.io.opening import load

    check_output(arguments, [arguments.input])
    series = chosen_series(arguments)
    check_output(arguments, series.files)
    volume = yield from load(series, stop)
    if volume is None:
        return None
    volume = as_told(volume, arguments.modality)
    yield from noted(volume.findings)
    return (yield from saved(arguments, volume, "written", stop))
