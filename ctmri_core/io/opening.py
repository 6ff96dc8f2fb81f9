"""Opening files and folders of any format: what is in there, and one volume of it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ctmri_core.errors import AmbiguousInput, FileRefused, Stopped
from ctmri_core.events import StopSignal, Work, finish, never
from ctmri_core.io import preflight
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_directory import DICOMDIR
from ctmri_core.io.dicom_scan import DICOM_SUFFIXES
from ctmri_core.io.formats import FILE_SUFFIXES, READERS, VOLUME_SUFFIXES, reader_named
from ctmri_core.io.header_files import header_of
from ctmri_core.io.pictures import PICTURE_READER
from ctmri_core.io.series import ESTIMATED_SPACING, Reader, Series
from ctmri_core.volume import Finding, Volume

_MOST_FILES = 100_000
_MOST_LISTED = 8
_LARGE = 8 << 20  # voxels; smaller volumes are there before a slice of them could be looked at
_MOST_TRIED = 20
_READABLE_SUFFIXES = (*FILE_SUFFIXES, *DICOM_SUFFIXES, *VOLUME_SUFFIXES, ".png")
_AFNI = ("an AFNI volume without its header", "Put the .HEAD file beside it.")
_PHILIPS = ("a Philips volume without its header", "Put the .PAR file beside it.")
_PICTURE = ("a picture", "Save it as PNG without loss.")
_FOREIGN = {
    ".brik": _AFNI, ".brik.gz": _AFNI, ".rec": _PHILIPS,
    ".jpg": _PICTURE, ".jpeg": _PICTURE, ".tif": _PICTURE, ".tiff": _PICTURE, ".bmp": _PICTURE,
}  # fmt: skip
"""What files of other formats are, by the end of their names, and how they are brought into one of ours."""
_READABLE = "DICOM, NIfTI, MHA / MHD, NRRD and PNG can be opened."


def scan(path: str | Path) -> tuple[Series, ...]:
    """The volumes in a file or a folder (subfolders included), headers only.

    Raises `FileRefused` when there is none, with the cause. Files of a folder that had to be passed over are told as a
    finding of every series.
    """
    path = Path(path)
    if os.path.isdir(path):  # noqa: PTH112  # unlike pathlib, false for names that are too long
        return _scan_folder(path)
    head = preflight.head_of(path)
    for reader in READERS:
        if reader.recognises(path, head):
            return _scanned(reader, path)
    raise _unknown(path, head)


def load(series: Series, stop: StopSignal = never, show: Callable[[Volume], None] | None = None) -> Work[Volume | None]:
    """Reads one series that `scan` returned. The result is None exactly when `stop` ended it. Raises `FileRefused`.

    `show` is given one slice of a large series at once, to be looked at until the volume is there.
    """
    try:
        reader = reader_named(series.format_name)
        if show is not None and math.prod(series.shape or ()) > _LARGE and (first := preview(series)) is not None:
            show(first)
        volume = yield from reader.load(series, stop)
        return _as_told(series, volume)
    except Stopped:
        return None
    except OSError as error:
        raise _unreadable(series.path, error) from error


def preview(series: Series) -> Volume | None:
    """One slice from the middle of `series`; None where it costs as much as loading. Raises `FileRefused`."""
    if series.refusal is not None:
        return None
    try:
        volume = reader_named(series.format_name).preview(series)
    except OSError as error:
        raise _unreadable(series.path, error) from error
    return None if volume is None else _as_told(series, volume)


def _as_told(series: Series, volume: Volume) -> Volume:
    """`volume` with its files, the voxel size that the user gave and the findings that the series had."""
    volume = replace(volume, files=series.files)
    if series.given_spacing is not None:
        geometry = replace(volume.geometry, spacing=series.given_spacing)
        kept = tuple(finding for finding in volume.findings if finding.kind != ESTIMATED_SPACING)
        volume = replace(volume, geometry=geometry, findings=kept)
    told = tuple(finding for finding in series.findings if finding not in volume.findings)
    return replace(volume, findings=(*told, *volume.findings)) if told else volume


def _scanned(reader: Reader, path: Path) -> tuple[Series, ...]:
    try:
        return reader.scan(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> FileRefused:
    problem = f"cannot be read: {error.strerror or 'input error'}."
    return FileRefused(path, problem, "Copy it to this computer and try again.")


def sole_series(path: str | Path, number: int | None = None) -> Series:
    """The only volume in `path` that can be opened and is no localizer, or the one at place `number` of `scan`, from 1.

    Series that are refused are passed over, which a finding tells. Raises `AmbiguousInput` with the numbered list when there
    are several, `FileRefused` when there is none or not that many.
    """
    path = Path(path)
    found = scan(path)
    if number is not None:
        if not 1 <= number <= len(found):
            raise FileRefused(path, f"holds {len(found)} series, so there is no number {number}.", "`ctmri info` lists them.")
        return found[number - 1]
    usable = [(n, series) for n, series in enumerate(found, 1) if series.refusal is None]
    chosen = [(n, series) for n, series in usable if not series.localizer] or usable
    if not chosen:
        return found[0]  # to be refused with its own reason when it is loaded
    if len(chosen) > 1:
        names = "; ".join(f"{n}: {series.label}" for n, series in chosen[:_MOST_LISTED])
        more = f"; and {len(chosen) - _MOST_LISTED} more" if len(chosen) > _MOST_LISTED else ""
        way_out = f"Name one by its number (--series {chosen[0][0]}), or give it a folder of its own."
        raise AmbiguousInput(path, f"holds {len(chosen)} volumes ({names}{more}).", way_out)
    return _with_passed_over(chosen[0][1], [series.refusal for series in found if series.refusal is not None])


def open_volume(path: str | Path) -> Volume:
    """The sole volume in a file or folder. Raises `FileRefused`, and `AmbiguousInput` when there are several."""
    volume = finish(load(sole_series(path)))
    assert volume is not None  # nobody can stop it
    return volume


def _scan_folder(folder: Path) -> tuple[Series, ...]:
    found: list[Series] = []
    refusals: list[FileRefused] = []
    for reader, path in _claims(folder):
        try:
            found += _scanned(reader, path)
        except FileRefused as refusal:
            refusals.append(refusal)
    if found:
        return tuple(_with_passed_over(series, [refusal.problem for refusal in refusals]) for series in found)
    refusals = refusals or _refusals_by_name(folder)
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        problem = f"holds nothing that can be opened; {len(refusals)} files were refused, the first: {refusals[0]}"
        raise FileRefused(folder, problem) from refusals[0]
    raise FileRefused(folder, "holds no image files.", _READABLE)


def _refusals_by_name(folder: Path) -> list[FileRefused]:
    """Why the files that no reader recognises, but whose names are those of images, cannot be opened."""
    refusals: list[FileRefused] = []
    names = (*_READABLE_SUFFIXES, *_FOREIGN, DICOMDIR.lower())
    for path in islice((path for path in _files(folder) if path.name.lower().endswith(names)), _MOST_TRIED):
        try:
            scan(path)
        except FileRefused as refusal:
            refusals.append(refusal)
    return refusals


def _claims(folder: Path) -> Iterator[tuple[Reader, Path]]:
    """Which reader is to scan what: single files, folders with pictures, and once the whole folder for DICOM."""
    picture_folders: dict[Path, None] = {}
    dicom = False
    for path in _files(folder):
        if dicom and path.suffix.lower() in DICOM_SUFFIXES:  # the DICOM reader will look at it anyway
            continue
        try:
            head = preflight.head_of(path)
        except FileRefused:  # a FIFO, an empty or locked file beside the images
            continue
        reader = next((reader for reader in READERS if reader.recognises(path, head)), None)
        if reader is PICTURE_READER:
            picture_folders[path.parent] = None
        elif reader is DICOM_READER:
            dicom = True
        elif reader is not None and header_of(path) == path:
            yield reader, path
    yield from ((PICTURE_READER, pictures) for pictures in picture_folders)
    if dicom:
        yield DICOM_READER, folder


def _files(folder: Path) -> Iterator[Path]:
    """All that are not hidden and no links to other folders, in order."""
    root, count = folder.resolve(), 0
    for parent, folders, names in os.walk(folder, onerror=None):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            count += 1
            if count > _MOST_FILES:
                raise FileRefused(folder, f"holds more than {_MOST_FILES} files.", "Choose one of its subfolders.")
            path = Path(parent, name)
            if not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(root):  # pathlib raises at links in a ring
                yield path


def _with_passed_over(series: Series, problems: Sequence[str]) -> Series:
    """`series` that says what else there would have been; without names of files, for findings are written into files."""
    if not problems:
        return series
    what = "One other volume" if len(problems) == 1 else f"{len(problems)} other volumes; of the first"
    finding = Finding("passed_over", f"Part of the folder cannot be opened. {what}: {problems[0]}")
    return replace(series, findings=(*series.findings, finding))


def _unknown(path: Path, head: bytes) -> FileRefused:
    name = path.name.lower()
    foreign = next((known for suffix, known in _FOREIGN.items() if name.endswith(suffix)), None)
    if foreign is not None:
        what, way_out = foreign
        return FileRefused(path, f"is {what} by its name, which cannot be opened here.", way_out)
    if name.endswith(_READABLE_SUFFIXES):
        return FileRefused(path, "is not what its name says: it is damaged or of another format.", "Copy or export it again.")
    kind = preflight.kind(head)
    if kind in ("zip", "gzip"):
        return FileRefused(path, f"is a {kind} archive, which is not looked into.", "Unpack it and open what was in it.")
    return FileRefused(path, "is not an image format that is known here.", _READABLE)
