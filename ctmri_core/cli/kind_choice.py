"""The flag that says what a volume shows, for files that cannot say so themselves."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ctmri_core.domain import PICTURES, Domain
from ctmri_core.errors import WrongInput
from ctmri_core.hints import nearest_hint

if TYPE_CHECKING:
    from ctmri_core.volume import Volume

KINDS = list(PICTURES)


def add_kind_argument(parser: argparse.ArgumentParser) -> None:
    """--modality, for `as_told`."""
    kinds = ",".join(KINDS)
    parser.add_argument(
        "--modality", type=_kind, metavar=f"{{{kinds}}}", help="what INPUT shows, where it cannot say so itself or is wrong"
    )


def as_told(volume: Volume, told: Domain | None) -> Volume:
    """`volume` as what the user says it is, if anything. Raises `WrongInput` when its DICOM header says otherwise."""
    if told is None:
        return volume
    from ctmri_core.io.second_opinion import contradicts_header, taken_for

    if contradicts_header(volume, told):
        raise WrongInput(f"--modality {told}: the DICOM header says that this is {volume.domain.label}. Leave the flag out.")
    return taken_for(volume, told)


def _kind(text: str) -> Domain:
    if text not in KINDS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(KINDS)}.{nearest_hint(text, KINDS)}")
    return Domain(text)
