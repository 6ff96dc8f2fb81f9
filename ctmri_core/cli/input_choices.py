"""Flags about the input that several commands share: which series, and what its files cannot say."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ctmri_core.cli.terminal import given_path
from ctmri_core.geometry import Triple

if TYPE_CHECKING:
    from ctmri_core.io.series import Series


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """INPUT with --series, --spacing and --correct-tilt, for `chosen_series`."""
    kinds = "a folder, or a file: DICOM, NIfTI, MHA, NRRD, MGZ, pictures, a zip of them"
    parser.add_argument("input", type=given_path, metavar="INPUT", help=kinds)
    parser.add_argument("--series", type=positive, metavar="N", help="which one, where INPUT holds several (see `ctmri info`)")
    parser.add_argument(
        "--spacing", type=_spacing, metavar="K,J,I", help="mm between slices, rows, columns where INPUT does not say or is wrong"
    )
    parser.add_argument("--correct-tilt", action="store_true", help="shift slices of a tilted gantry onto a straight grid")


def chosen_series(arguments: argparse.Namespace) -> Series:
    """The series that `add_input_arguments` named. Raises `FileRefused`, `AmbiguousInput`."""
    from ctmri_core.io.opening import sole_series
    from ctmri_core.io.series import straightened, with_spacing

    series = sole_series(arguments.input, arguments.series)
    if arguments.spacing is not None:
        series = with_spacing(series, arguments.spacing)
    return straightened(series) if arguments.correct_tilt else series


def positive(text: str) -> int:
    """The type of an argument that counts."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def _spacing(text: str) -> Triple:
    try:
        k, j, i = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers such as 3,0.5,0.5") from None
    return k, j, i
