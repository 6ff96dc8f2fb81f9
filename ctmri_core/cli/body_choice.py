"""The flag that gives the outline of the body, in the place of the one that is found."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ctmri_core.cli.terminal import given_path
from ctmri_core.errors import FileRefused, WrongInput
from ctmri_core.events import StopSignal, Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ctmri_core.volume import Volume


def add_body_argument(parser: argparse.ArgumentParser) -> None:
    """--body, for `given_body`."""
    words = "a mask on INPUT's grid (see `ctmri body`): what is outside of it is left out, and background in OUT"
    parser.add_argument("--body", type=given_path, metavar="MASK", help=words)


def given_body(path: Path, source: Volume, stop: StopSignal) -> Work[NDArray[np.bool_] | None]:
    """The mask in the file `path`, on the grid of `source`; None when stopped. Raises `FileRefused`, which says what it lacks."""
    from ctmri_core.io.opening import load, sole_series
    from ctmri_core.preprocess.given_body import body_in

    mask = yield from load(sole_series(path, None), stop)
    if mask is None:
        return None
    try:
        return body_in(mask, source)
    except WrongInput as error:
        raise FileRefused(path, f"cannot be the body. {error}") from error
