"""DICOMDIR: the list of the images on a disk. What it names is opened only where it lies in the folder of the list itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pydicom

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_elements import PARSE_ERRORS
from ctmri_core.io.reader_process import shared_reader

DICOMDIR = "DICOMDIR"
_MOST_IMAGES = 50_000
_TIMEOUT_S = 10.0
_WAY_OUT = "Open its folder."

Reference = tuple[str, ...]
"""The parts of a path below the folder of the list (ReferencedFileID)."""


def is_directory_list(path: Path) -> bool:
    return path.name.upper().startswith(DICOMDIR) and path.is_file()


def listed_files(path: Path) -> tuple[list[Path], list[FileRefused]]:
    """The images that a DICOMDIR lists, and refusals for those that are not there or would lie outside of its folder.

    Raises `FileRefused` when it lists nothing that is there.
    """
    references = shared_reader().call("ctmri_core.io.native_dicom:directory_references", path, timeout_s=_TIMEOUT_S)
    listings: dict[Path, dict[str, str]] = {}
    files: list[Path] = []
    refusals: list[FileRefused] = []
    for reference in references:
        found = _found(path.parent, reference, listings)
        if found is not None:
            files.append(found)
        else:
            refusals.append(FileRefused(_missing(path, reference, listings), "is listed in DICOMDIR, but not there."))
    if not files:
        problem = f"lists {len(references)} images, none of which is there." if references else "lists no images."
        raise FileRefused(path, problem, "Copy the whole disk, or open the folder of the images.")
    return list(dict.fromkeys(files)), refusals


def references_of(path: Path) -> list[Reference]:
    """What the image records that are in use refer to. Raises `FileRefused`. To be called in the reader process."""
    try:
        listing = pydicom.dcmread(path, force=True, specific_tags=["DirectoryRecordSequence"])
        if "DirectoryRecordSequence" not in listing:
            raise FileRefused(path, "is no list of images (DirectoryRecordSequence is missing).", _WAY_OUT)
        records = listing.DirectoryRecordSequence or []
        values = [
            record.get("ReferencedFileID")
            for record in records
            if record.get("DirectoryRecordType") == "IMAGE" and record.get("RecordInUseFlag") != 0
        ]
    except (*PARSE_ERRORS, OSError):  # pydicom's own OSError, for an element that leads out of the file
        raise FileRefused(path, "its list of images is damaged.", _WAY_OUT) from None
    if len(values) > _MOST_IMAGES:
        raise FileRefused(path, f"lists more than {_MOST_IMAGES} images.", "Open the folder of one study.")
    return [(value,) if isinstance(value, str) else tuple(map(str, value)) for value in values if value]


def _found(folder: Path, reference: Sequence[str], listings: dict[Path, dict[str, str]]) -> Path | None:
    """The ordinary file below `folder`, whose names may differ in capitals, or in the version numbers that some disks add."""
    root, place = folder.resolve(), folder
    for part in reference:
        if part in ("", ".", "..") or not part.isprintable() or any(mark in part for mark in "/\\:"):
            return None
        if place not in listings:
            listings[place] = _listing(place)
        name = part if part in listings[place].values() else listings[place].get(_plain(part))
        if name is None:
            return None
        place = place / name
    return place if place.is_file() and place.resolve().is_relative_to(root) else None


def _missing(path: Path, reference: Sequence[str], listings: dict[Path, dict[str, str]]) -> Path:
    """A name for what is not there, in the folder in which it should be if that is known."""
    parent = _known_folder(path.parent, reference[:-1], listings)
    return parent / path.name


def _known_folder(folder: Path, parts: Sequence[str], listings: dict[Path, dict[str, str]]) -> Path:
    for part in parts:
        name = listings.get(folder, {}).get(_plain(part))
        if name is None:
            break
        folder = folder / name
    return folder


def _listing(folder: Path) -> dict[str, str]:
    """Names in `folder` by their plain form."""
    try:
        return {_plain(name): name for name in sorted(entry.name for entry in folder.iterdir())}
    except OSError:
        return {}


def _plain(name: str) -> str:
    return name.split(";")[0].rstrip(". ").casefold()
