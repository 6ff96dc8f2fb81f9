"""What the header of an opened file says, as lines for people, each with whether it may tell who the patient is.

The files are read again: nothing of a header is kept for this while a volume is open. No native parser is asked; deflated DICOM
files are inflated in the reader process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.dicom_elements import looks_like_dicom
from ctmri_core.io.header_dicom import dicom_entries, is_deflated
from ctmri_core.io.header_entry import DEEPEST, Entries, HeaderEntry
from ctmri_core.io.header_pictures import is_picture, picture_entries
from ctmri_core.io.header_volumes import mgh_entries, nifti_entries, text_entries
from ctmri_core.io.inputs import INPUTS
from ctmri_core.io.nifti_header import plain_head
from ctmri_core.io.provenance import read_sidecar
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import Series
from ctmri_core.volume import Volume

_MGH_START = b"\0\0\0\1"


@dataclass(frozen=True)
class Header:
    """`entries` of slice `number` (from 0) of `count` that have headers of their own; one header of all slices counts 1."""

    entries: tuple[HeaderEntry, ...]
    number: int
    count: int


def header_entries(series: Series, number: int = 0) -> tuple[HeaderEntry, ...]:
    """The header of the file of slice `number`, from 0, or of the one file of all slices. Raises `FileRefused`."""
    return series_header(series, number).entries


def series_header(series: Series, number: int = 0) -> Header:
    """As `header_entries`, with how many headers there are. Raises `FileRefused`."""
    return _of_files(series.files, number)


def volume_header(volume: Volume, number: int = 0) -> Header:
    """The header of the file from which slice `number` of `volume` was read, before it how a model made it; of one made here that
    alone. Raises `FileRefused`."""
    if not volume.files:
        return Header(_made_here(volume), 0, 1)
    header = _of_files(volume.files, number)
    return header if volume.synthetic is None else replace(header, entries=(*_what_was_done(volume), *header.entries))


def _of_files(files: Sequence[Path], number: int) -> Header:
    """Of slices with a file each, that of `number`; a detached data file is no slice."""
    if not files:
        return Header((), 0, 1)
    try:
        head = preflight.head_of(files[0])
        count = len(files) if is_picture(head) or looks_like_dicom(head) else 1
        if number < 0 or (count > 1 and number >= count):
            problem = f"has no slice {number + 1}: there are {count}."
            raise FileRefused(files[0].parent, problem, f"Choose one from 1 to {count}.")
        place = number if count > 1 else 0
        return Header(_of_file(files[place]), place, count)
    except OSError as error:
        raise FileRefused(files[0], f"cannot be read: {error.strerror or 'input error'}.", "Copy it to this computer.") from None


def _of_file(path: Path) -> tuple[HeaderEntry, ...]:
    head = preflight.head_of(path)
    found = Entries()
    kind = preflight.kind(head)
    if kind == "dicom":  # some begin with the first bytes of a TIFF file, to be both
        found.extend(_of_dicom(path))
    elif is_picture(head):
        picture_entries(path, found)
    elif kind in ("nrrd", "metaimage"):
        text_entries(path, found)
    elif (plain := plain_head(path, head)[0] if kind == "gzip" else head).startswith(_MGH_START):
        mgh_entries(path, found)
    elif preflight.kind(plain) in ("nifti", "analyze"):
        nifti_entries(path, found)
    elif looks_like_dicom(head):
        found.extend(_of_dicom(path))
    else:
        raise FileRefused(path, "has no header that can be shown.", "Choose another volume.")
    _provenance(path, found)
    return found.done()


def _of_dicom(path: Path) -> tuple[HeaderEntry, ...]:
    if is_deflated(path):
        entries: tuple[HeaderEntry, ...] = shared_reader().call("ctmri_core.io.native_dicom:deflated_entries", path)
        return entries
    return dicom_entries(path)


def _provenance(path: Path, found: Entries) -> None:
    """Our own record beside the file. But for what leads back to the source it holds no patient data, being made of our own words
    and settings."""
    record = read_sidecar(path)
    if record is not None:
        found.add("provenance", "the record beside the file", "", identifying=False)
        _tree(record.model_dump(mode="json"), found, 1)


def _what_was_done(volume: Volume) -> tuple[HeaderEntry, ...]:
    """As it is known of a synthetic volume, be it from the file or from the record beside it."""
    made = volume.synthetic
    assert made is not None
    found = Entries()
    found.add("what was done", "as its record tells", "", identifying=False)
    facts = {"model": made.model_name, "SHA-256 of its weights": made.model_hash, "details": made.details}
    _tree(facts | {"history": list(volume.history)}, found, 1)
    return found.done()


def _made_here(volume: Volume) -> tuple[HeaderEntry, ...]:
    found = Entries()
    grid = volume.geometry
    facts: dict[str, Any] = {
        "kind": volume.label,
        "voxels along k, j, i": list(grid.shape),
        "mm along k, j, i": [round(value, 6) for value in grid.spacing],
        "origin, LPS mm": [round(value, 4) for value in grid.origin],
    }
    if volume.synthetic is not None:
        made = volume.synthetic
        facts |= {"model": made.model_name, "SHA-256 of its weights": made.model_hash, "details": made.details}
    facts |= {"history": list(volume.history), "findings": [finding.message for finding in volume.findings]}
    _tree(facts, found, 0)
    return found.done()


def _tree(values: dict[str, Any], found: Entries, depth: int, *, identifying: bool = False) -> None:
    """Identifiers of inputs are hidden as patient data are."""
    for key, value in values.items():
        hidden = identifying or key == INPUTS
        words = key.replace("_", " ")
        if isinstance(value, list) and any(isinstance(each, str | dict | list) for each in value):
            value = dict(enumerate(value, 1))
        if isinstance(value, dict) and value and depth < DEEPEST:
            found.add(words, "", "", depth=depth, identifying=False)
            _tree({str(name): each for name, each in value.items()}, found, depth + 1, identifying=hidden)
        elif value not in ("", None, [], {}):
            shown = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            found.add(words, "", shown, depth=depth, identifying=hidden)
