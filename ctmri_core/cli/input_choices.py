"""Flags that several commands share: which series of an input, what its files cannot say, and the types of numbers."""

from __future__ import annotations

import argparse
import re
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
        "--spacing", type=spacing_choice, metavar="K,J,I", help="mm of slices, rows, columns where INPUT does not say or is wrong"
    )
    parser.add_argument("--correct-tilt", action="store_true", help="shift slices of a tilted gantry onto a straight grid")


def chosen_series(arguments: argparse.Namespace) -> Series:
    """The series that `add_input_arguments` named. Raises `FileRefused`, `AmbiguousInput`."""
    from ctmri_core.io.opening import sole_series

    return _as_wished(sole_series(arguments.input, arguments.series), arguments)


def listed_series(arguments: argparse.Namespace) -> list[tuple[int, Series]]:
    """All series in INPUT with their numbers from 1, or the one that --series names. Raises `FileRefused`."""
    from ctmri_core.io.opening import scan, sole_series

    if arguments.series is not None:
        return [(arguments.series, _as_wished(sole_series(arguments.input, arguments.series), arguments))]
    return [(number, _as_wished(series, arguments)) for number, series in enumerate(scan(arguments.input), 1)]


def ways_out(series: Series) -> list[str]:
    """What the flags can mend of what the files of a series lack."""
    from ctmri_core.io.series import ESTIMATED_SPACING, TILT

    flags = {
        ESTIMATED_SPACING: "give the voxel size in mm with --spacing K,J,I (between slices, rows, columns)",
        TILT: "shift the slices onto a straight grid with --correct-tilt",
    }
    return [text for kind, text in flags.items() if series.has(kind) and not (kind == TILT and series.straighten)]


def _as_wished(series: Series, arguments: argparse.Namespace) -> Series:
    from ctmri_core.io.series import straightened, with_spacing

    if arguments.spacing is not None:
        series = with_spacing(series, arguments.spacing)
    return straightened(series) if arguments.correct_tilt else series


def positive(text: str) -> int:
    """The type of an argument that counts."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def whole(text: str) -> int:
    """The type of an argument that may be 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 0 or more")
    return int(text)


def device(text: str) -> str:
    """The type of --device."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of auto, cpu, cuda, cuda:1 and the like")
    return text


def spacing_choice(text: str) -> Triple:
    try:
        k, j, i = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers such as 3,0.5,0.5") from None
    return k, j, i
