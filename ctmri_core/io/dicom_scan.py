"""Which volumes a folder of DICOM files holds: files to slices, slices to series, series judged as a whole."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ctmri_core.errors import FileRefused, told_of
from ctmri_core.events import StopSignal, never, until
from ctmri_core.io.dicom_directory import DICOMDIR, is_directory_list, listed_files
from ctmri_core.io.dicom_groups import groups
from ctmri_core.io.dicom_header import FIRST_READ, Headers, read_headers
from ctmri_core.io.dicom_judgement import DicomDetails, judged
from ctmri_core.io.dicom_pixels import require_grey
from ctmri_core.io.dicom_slice import EmptyFile, NotDicom, SliceHeader, SliceRefused
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import Series
from ctmri_core.volume import Finding

DICOM_SUFFIXES = {".dcm", ".ima"}
_DEEPEST = 8
_MOST_FILES = 50_000
_MOST_CAUSES = 3
_HEADER_TIMEOUT_S = 12.0  # twelve thousand frames take five
_SLOW_S, _LONGEST_WAIT_S = 2.0, 15.0  # a folder of hostile files is given up after a few of them


def scan_dicom(path: Path, stop: StopSignal = never, files: Sequence[Path] | None = None) -> tuple[Series, ...]:
    """The series in a file or folder, volumes before localizers, larger ones first; `files`: all there is of that folder.
    Raises `FileRefused` when there is none, and `Stopped`.
    """
    if files is not None:
        return _series(path, until(stop, files), [])
    if is_directory_list(path):
        files, missing = listed_files(path)
        return tuple(replace(series, path=path) for series in _series(path.parent, until(stop, files), missing))
    return _series(path, until(stop, dicom_files(path)) if path.is_dir() else [path], [])


def _series(path: Path, files: Iterable[Path], missing: Sequence[FileRefused]) -> tuple[Series, ...]:
    """`path`: what holds `files`. `missing`: files that should have been among them."""
    headers, refusals = _headers(files)
    refusals += missing
    if not headers:
        if path.is_file() and refusals:
            raise refusals[0]
        refusals = [refusal for refusal in refusals if not isinstance(refusal, NotDicom)]
        why = f": {_causes(refusals)}" if refusals else "."
        raise FileRefused(path, f"holds no CT or MR slices that can be read{why}", "Choose another folder.")
    found = [judged(path, group) for group in groups(headers, whole=path.is_dir())]
    left_out = [refusal for refusal in refusals if _was_dicom(refusal, headers)]
    found = [replace(series, findings=(*series.findings, *_left_out(series, left_out))) for series in found]
    return tuple(sorted(found, key=lambda series: (series.localizer, -len(series.details.headers))))


def dicom_files(folder: Path) -> Iterator[Path]:
    """Ordinary files in `folder` and below that may be DICOM, in name order; links that leave the folder are not followed."""
    root, pending, count = folder.resolve(), [(folder, 0)], 0
    while pending:
        current, depth = pending.pop()
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:  # a folder that may not be entered holds nothing for us
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.upper() == DICOMDIR:
                continue
            if entry.is_symlink() and not _stays(entry.path, root):
                continue
            if entry.is_dir():
                if depth < _DEEPEST and not entry.is_symlink():
                    pending.append((Path(entry.path), depth + 1))
            elif entry.is_file():
                count += 1
                if count > _MOST_FILES:
                    raise FileRefused(folder, f"holds more than {_MOST_FILES} files.", "Choose the folder of one study.")
                yield Path(entry.path)


def _stays(link: str, root: Path) -> bool:
    """Whether it leads to something in `root`; pathlib would raise at links in a ring."""
    return os.path.exists(link) and Path(os.path.realpath(link)).is_relative_to(root)  # noqa: PTH110  # as its line above says


def _headers(files: Iterable[Path]) -> tuple[list[SliceHeader], list[FileRefused]]:
    headers: list[SliceHeader] = []
    refusals: list[FileRefused] = []
    first_read, slow = FIRST_READ, 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
        for file in files:
            start = time.monotonic()
            try:
                if slow > _LONGEST_WAIT_S:
                    raise FileRefused(file, "was left unread, for files beside it could not be read in time.")
                found = read_headers(file, _read_whole, first_read)
                for header in found:
                    if header.pixels.colour:
                        require_grey(header)
            except FileRefused as refusal:
                refusals.append(refusal)
                took = time.monotonic() - start
                slow += took if took > _SLOW_S else 0.0
                continue
            if len(found) == 1 and found[0].pixels.offset > first_read:
                first_read = min(found[0].pixels.offset + FIRST_READ, 1 << 20)
            headers += found
    return headers, refusals


def _was_dicom(refusal: FileRefused, headers: Sequence[SliceHeader]) -> bool:
    """Whether the file is or was DICOM: by content, by suffix, or when empty by a name like those of the slices beside it."""
    path = refusal.path
    if not isinstance(refusal, NotDicom) or path.suffix.lower() in DICOM_SUFFIXES:
        return True
    alike = any(header.path.parent == path.parent and _kind(header.path) == _kind(path) for header in headers)
    return isinstance(refusal, EmptyFile) and alike


def _kind(path: Path) -> str:
    """The suffix, with `IM.0001` and `IM.0002` of one kind."""
    return "" if path.suffix[1:].isdigit() else path.suffix.lower()


def _left_out(series: Series, refusals: Sequence[FileRefused]) -> tuple[Finding, ...]:
    """What a series should know about files that were left out: serious when one may have been a slice of its own."""
    assert isinstance(series.details, DicomDetails)
    uid = series.details.headers[0].series_uid
    folders = {file.parent for file in series.files}

    def may_be_its_own(refusal: FileRefused) -> bool:
        known = refusal.series_uid if isinstance(refusal, SliceRefused) else ""
        return known == uid if known else refusal.path.parent in folders

    own = [refusal for refusal in refusals if may_be_its_own(refusal)]
    others = [refusal for refusal in refusals if refusal not in own]
    findings = []
    if own:
        what = "1 file that belongs or may belong" if len(own) == 1 else f"{len(own)} files that belong or may belong"
        message = f"{what} to this series cannot be read, so slices may be missing: {_causes(own)}"
        findings.append(Finding("left_out", message, serious=True))
    if others:
        what = "1 other file was" if len(others) == 1 else f"{len(others)} other files were"
        findings.append(Finding("left_out", f"{what} left out: {_causes(others)}"))
    return tuple(findings)


def _causes(refusals: Sequence[FileRefused]) -> str:
    """The different causes, without the names of the files, which may be names of patients."""
    causes = list(dict.fromkeys(refusal.problem.rstrip(".") for refusal in refusals))
    which = "the file" if len(refusals) == 1 else "each file" if len(causes) == 1 else "at least one"
    more = f"; and {len(causes) - _MOST_CAUSES} more causes" if len(causes) > _MOST_CAUSES else ""
    return "; ".join(told_of(which, cause) for cause in causes[:_MOST_CAUSES]) + more + "."


def _read_whole(path: Path) -> Headers:
    headers: Headers = shared_reader().call("ctmri_core.io.native_dicom:whole_headers", path, timeout_s=_HEADER_TIMEOUT_S)
    return tuple(replace(header, path=path) for header in headers)  # the reader process knows it by its absolute name
