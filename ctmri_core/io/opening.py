"""Opening files and folders of any format: what is in there, and one volume of it."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from ctmri_core.errors import AmbiguousInput, FileRefused, Stopped, told_of
from ctmri_core.events import StopSignal, Work, finish, never, until
from ctmri_core.io import preflight
from ctmri_core.io.archives import check_still_there, named_by_archive, of_archive, scan_archive
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_scan import DICOM_SUFFIXES
from ctmri_core.io.dicom_segmentation import SEGMENTATION_READER
from ctmri_core.io.folder_files import FolderFiles
from ctmri_core.io.formats import READERS, reader_named
from ctmri_core.io.header_files import header_of
from ctmri_core.io.odd_size import size_findings
from ctmri_core.io.picture_headers import SUFFIXES as PICTURE_SUFFIXES
from ctmri_core.io.pictures import PICTURE_READER
from ctmri_core.io.provenance import NOT_FOR_SALE
from ctmri_core.io.second_opinion import with_second_opinion
from ctmri_core.io.series import ESTIMATED_SPACING, Reader, Series
from ctmri_core.io.unknown_files import READABLE, is_archive, is_worth_a_word, refusal_of, says_readable
from ctmri_core.io.unpacking import inflate_head
from ctmri_core.volume import Finding, Volume

_Scan = Callable[[Path], tuple[Series, ...]]
_MOST_LISTED = 8
_LARGE = 8 << 20  # voxels; smaller volumes are there before a slice of them could be looked at
_MOST_TRIED = 20


def scan(path: str | Path, stop: StopSignal = never) -> tuple[Series, ...]:
    """The volumes in a file, a folder (subfolders included) or a zip archive, headers only.

    Raises `FileRefused` when there is none, with the cause, and `Stopped` when asked to end.
    Files of a folder that had to be passed over are told as a finding of every series.
    """
    path = Path(path)
    try:
        if os.path.isdir(path):  # noqa: PTH112  # unlike pathlib, false for names that are too long
            return _scan_folder(path, stop)
        head = preflight.head_of(path)
        packing = _packing(path, head)
        if packing:
            return scan_archive(path, packing, partial(_scan_folder, stop=stop), stop)
        reader = _reader_of(path, head)
    except OSError as error:  # it went away, or its disk did, while it was looked at
        raise _unreadable(path, error) from error
    if reader is None:
        raise refusal_of(path, head)
    return _scanned(reader.scan, path)


def belonging_together(paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """`paths` for `scan_together`: pictures of one folder at once, as they may be slices of a stack, all others one by one."""
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        is_picture = path.suffix.lower() in PICTURE_SUFFIXES and os.path.isfile(path)  # noqa: PTH113  # as in `scan`
        groups.setdefault(path.parent / "*" if is_picture else path, []).append(path)
    return [tuple(group) for group in groups.values()]


def scan_together(paths: Sequence[Path], stop: StopSignal = never) -> tuple[Series, ...]:
    """As `scan`, of what `belonging_together` put together."""
    if len(paths) == 1:
        return scan(paths[0], stop)
    return PICTURE_READER.scan_files(paths[0].parent, until(stop, paths))


def _packing(path: Path, head: bytes) -> str:
    """Of what must be unpacked first: `zip`, or `gzip` around a file that has its reader; else empty."""
    kind = preflight.kind(head)
    if kind == "gzip" and _reader_of(path, head) is None:
        inner = inflate_head(head, preflight.HEAD_BYTES)
        return "gzip" if inner and _reader_of(path, inner) is not None else ""
    return "zip" if kind == "zip" else ""


def _reader_of(path: Path, head: bytes) -> Reader | None:
    return next((reader for reader in READERS if reader.recognises(path, head)), None)


def load(series: Series, stop: StopSignal = never, show: Callable[[Volume], None] | None = None) -> Work[Volume | None]:
    """Reads one series that `scan` returned. The result is None exactly when `stop` ended it. Raises `FileRefused`.

    `show` is given one slice of a large series at once, to be looked at until the volume is there.
    """
    try:
        check_still_there(series)
        reader = reader_named(series.format_name)
        if show is not None and math.prod(series.shape or ()) > _LARGE and (first := preview(series)) is not None:
            show(first)
        volume = yield from reader.load(series, stop)
        return with_second_opinion(_with_size_doubted(_as_told(series, volume)))
    except Stopped:
        return None
    except OSError as error:
        raise _unreadable(series.path, error) from error
    except FileRefused as refusal:
        raise of_archive(refusal) from refusal


def preview(series: Series) -> Volume | None:
    """One slice from the middle of `series`; None where it costs as much as loading. Raises `FileRefused`."""
    if series.refusal is not None:
        return None
    try:
        volume = reader_named(series.format_name).preview(series)
    except OSError as error:
        raise _unreadable(series.path, error) from error
    except FileRefused as refusal:
        raise of_archive(refusal) from refusal
    return None if volume is None else _as_told(series, volume)


def _as_told(series: Series, volume: Volume) -> Volume:
    """`volume` with its files, the voxel size that the user gave and the findings that the series had."""
    volume = replace(named_by_archive(series, volume), files=series.files)
    if series.given_spacing is not None:
        geometry = replace(volume.geometry, spacing=series.given_spacing)
        kept = tuple(finding for finding in volume.findings if finding.kind != ESTIMATED_SPACING)
        volume = replace(volume, geometry=geometry, findings=kept)
    known = {finding.kind for finding in volume.findings} & {NOT_FOR_SALE.kind}  # the record names the licence, the mark does not
    told = tuple(finding for finding in series.findings if finding not in volume.findings and finding.kind not in known)
    return replace(volume, findings=(*told, *volume.findings)) if told else volume


def _with_size_doubted(volume: Volume) -> Volume:
    """`volume` with what is odd in the voxel size that its file states."""
    estimated = any(finding.kind == ESTIMATED_SPACING for finding in volume.findings)
    found = () if estimated else tuple(size_findings(volume.geometry))
    return replace(volume, findings=(*found, *volume.findings)) if found else volume


def _scanned(scan_one: _Scan, path: Path) -> tuple[Series, ...]:
    try:
        return scan_one(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> FileRefused:
    if isinstance(error, FileNotFoundError):
        return FileRefused(path, "does not exist any more, or a part of it does not.", "Open it again.")
    return FileRefused(path, f"cannot be read: {error.strerror or 'input error'}.", "Copy it to this computer and try again.")


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
        how = f"--series {chosen[0][0]}; `ctmri info` says where each lies"
        way_out = f"Name one by its number ({how}), or give it a folder of its own."
        raise AmbiguousInput(path, f"holds {len(chosen)} volumes ({names}{more}).", way_out)
    return _with_passed_over(chosen[0][1], [series.refusal for series in found if series.refusal is not None])


def open_volume(path: str | Path) -> Volume:
    """The sole volume in a file or folder. Raises `FileRefused`, and `AmbiguousInput` when there are several."""
    volume = finish(load(sole_series(path)))
    assert volume is not None  # nobody can stop it
    return volume


@dataclass(frozen=True)
class Survey:
    """What a folder holds: `series`, companions last, and a reason for each file that should have been one and is none."""

    series: tuple[Series, ...]
    refusals: tuple[FileRefused, ...]


def survey(folder: Path, stop: StopSignal = never, files: Sequence[Path] | None = None) -> Survey:
    """All volumes in `folder` and below, those in archives too, headers only; nothing that is wrong hides the rest.

    `files`: all there is to look at, None for what is there. Raises `FileRefused` where `folder` itself cannot be read, and
    `Stopped`.
    """
    found: list[Series] = []
    refusals: list[FileRefused] = []
    listed = FolderFiles(folder) if files is None else files
    for scan_one, path in _claims(folder, listed, stop, refusals):
        try:
            found += _scanned(scan_one, path)
        except FileRefused as refusal:
            refusals.append(refusal)
    return Survey(tuple(_companions_last(found)), tuple(refusals))


def _scan_folder(folder: Path, stop: StopSignal) -> tuple[Series, ...]:
    found: list[Series] = []
    refusals: list[FileRefused] = []
    files = FolderFiles(folder)
    for scan_one, path in _claims(folder, files, stop):
        try:
            found += _scanned(scan_one, path)
        except FileRefused as refusal:
            refusals.append(refusal)
    if found:
        problems = [refusal.problem for refusal in refusals]
        return tuple(_with(_with_passed_over(series, problems), files.remarks) for series in _companions_last(found))
    refusals = refusals or _refusals_by_name(until(stop, FolderFiles(folder)))
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        problem = f"holds nothing that can be opened; {len(refusals)} files were refused, the first: {refusals[0]}"
        raise FileRefused(folder, problem) from refusals[0]
    passed_over = "".join(f" {remark.message}" for remark in files.remarks)
    raise FileRefused(folder, f"holds no image files.{passed_over}", READABLE)


def _companions_last(found: Sequence[Series]) -> list[Series]:
    """Single pictures beside volumes, such as screenshots, are to be looked at, and no volumes to work on; nor are stacks without
    voxel size beside DICOM, which are exports of it or belong to the viewer of the disk.
    """
    formats = {series.format_name for series in found}

    def is_companion(series: Series) -> bool:
        if series.format_name != PICTURE_READER.name or formats == {PICTURE_READER.name}:
            return False
        single = (series.shape or (1,))[0] == 1
        return single or (series.has(ESTIMATED_SPACING) and DICOM_READER.name in formats)

    marked = [replace(series, localizer=True) if is_companion(series) else series for series in found]
    return sorted(marked, key=is_companion)


def _refusals_by_name(files: Iterable[Path]) -> list[FileRefused]:
    """Why the files that no reader recognises, but whose names are those of images, cannot be opened."""
    refusals: list[FileRefused] = []
    for path in islice(filter(is_worth_a_word, files), _MOST_TRIED):
        try:
            head = preflight.head_of(path)
            reader = _reader_of(path, head)
            if reader is None:
                refusals.append(refusal_of(path, head))
            else:
                _scanned(reader.scan, path)
        except FileRefused as refusal:
            refusals.append(refusal)
    return refusals


def _claims(
    folder: Path, files: FolderFiles | Sequence[Path], stop: StopSignal, refusals: list[FileRefused] | None = None
) -> Iterator[tuple[_Scan, Path]]:
    """Which scan of a reader is to scan what: single files, folders with pictures, and once the whole folder for DICOM.

    `refusals`: takes what is said of files that no reader can have although their names promise it; then archives are looked
    into as well. Of a sequence of `files` nothing else in `folder` is looked at.
    """
    pictures: dict[Path, list[Path]] = defaultdict(list)
    picture_folders: dict[Path, None] = {}
    slices: list[Path] = []
    segmentations: list[Path] = []
    volumes = False
    for path in until(stop, files):
        suffix = path.suffix.lower()
        if suffix in PICTURE_SUFFIXES:
            pictures[path.parent].append(path)
        if (slices and suffix in DICOM_SUFFIXES) or (path.parent in picture_folders and suffix in PICTURE_SUFFIXES):
            slices += [path] if suffix in DICOM_SUFFIXES else []
            continue  # their readers will look at them anyway
        try:
            head = preflight.head_of(path)
        except FileRefused as refusal:  # a FIFO, an empty or locked file beside the images
            if refusals is not None and says_readable(path):
                refusals.append(refusal)
            continue
        reader = _reader_of(path, head)
        if reader is PICTURE_READER:
            picture_folders[path.parent] = None
            if suffix not in PICTURE_SUFFIXES:
                pictures[path.parent].append(path)
        elif reader is DICOM_READER:
            slices.append(path)
        elif reader is SEGMENTATION_READER:
            segmentations.append(path)
        elif reader is not None and header_of(path) == path:
            volumes = True
            yield reader.scan, path
        elif reader is None and is_archive(path, head):
            if refusals is not None:
                yield partial(scan, stop=stop), path
            elif isinstance(files, FolderFiles):
                files.archives += 1
        elif reader is None and refusals is not None and says_readable(path):
            refusals.append(refusal_of(path, head))
    yield from ((partial(PICTURE_READER.scan_files, files=until(stop, pictures[place])), place) for place in picture_folders)
    if volumes or picture_folders or slices:  # what lies beside images is passed over, and that is said
        slices += segmentations
    else:
        yield from ((SEGMENTATION_READER.scan, path) for path in segmentations)
    if slices:
        yield partial(DICOM_READER.scan, stop=stop, files=None if isinstance(files, FolderFiles) else slices), folder


def _with_passed_over(series: Series, problems: Sequence[str]) -> Series:
    """`series` that says what else there would have been; without names of files, for findings are written into files."""
    if not problems:
        return series
    what = "One other volume" if len(problems) == 1 else f"{len(problems)} other volumes; the first of them"
    finding = Finding("passed_over", f"Part of the folder cannot be opened. {told_of(what, problems[0])}")
    return replace(series, findings=(*series.findings, finding))


def _with(series: Series, findings: tuple[Finding, ...]) -> Series:
    return replace(series, findings=(*series.findings, *findings))
