"""Which volumes a folder of DICOM files holds: files to slices, slices to series, series judged as a whole."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_domain import domain_of
from ctmri_core.io.dicom_header import FIRST_READ, read_header
from ctmri_core.io.dicom_pixels import stored_bytes
from ctmri_core.io.dicom_slice import EmptyFile, NotDicom, SliceHeader, SliceRefused
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import REFUSED, Series
from ctmri_core.io.series_judgement import Stack, judge, same_place, slice_axes
from ctmri_core.io.synthetic_mark import told_findings
from ctmri_core.volume import Finding, kind_label

FORMAT_NAME = "DICOM"
DICOMDIR = "DICOMDIR"
DICOM_SUFFIXES = {".dcm", ".ima"}
_DEEPEST = 8
_MOST_FILES = 50_000
_SAME_ORIENTATION = 1e-3
_FEW_SLICES = 5
_MOST_CAUSES = 3


@dataclass(frozen=True)
class DicomDetails:
    """`headers` in the order of k with the `stack` they form, or the `refusal` that says why they form none."""

    headers: tuple[SliceHeader, ...]
    stack: Stack | None = None
    refusal: FileRefused | None = None


def scan_dicom(path: Path) -> tuple[Series, ...]:
    """The series in a file or folder, volumes before localizers, larger ones first. Raises `FileRefused` when there is none."""
    if path.name.upper() == DICOMDIR and path.is_file():
        raise FileRefused(path, "is only a list of the images beside it.", "Open its folder.")
    headers, refusals = _headers(path)
    if not headers:
        if path.is_file() and refusals:
            raise refusals[0]
        refusals = [refusal for refusal in refusals if not isinstance(refusal, NotDicom)]
        why = f": {_causes(refusals)}" if refusals else "."
        raise FileRefused(path, f"holds no CT or MR slices that can be read{why}", "Choose another folder.")
    found = [_series(path, group, localizer) for group, localizer in _groups(headers)]
    left_out = [refusal for refusal in refusals if _was_dicom(refusal, headers)]
    found = [replace(series, findings=(*series.findings, *_left_out(series, left_out))) for series in found]
    return tuple(sorted(found, key=lambda series: (series.localizer, -len(series.files))))


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
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                continue
            if entry.is_dir():
                if depth < _DEEPEST and not entry.is_symlink():
                    pending.append((Path(entry.path), depth + 1))
            elif entry.is_file():
                count += 1
                if count > _MOST_FILES:
                    raise FileRefused(folder, f"holds more than {_MOST_FILES} files.", "Choose the folder of one study.")
                yield Path(entry.path)


def _headers(path: Path) -> tuple[list[SliceHeader], list[FileRefused]]:
    headers: list[SliceHeader] = []
    refusals: list[FileRefused] = []
    first_read = FIRST_READ
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
        for file in dicom_files(path) if path.is_dir() else [path]:
            try:
                header = read_header(file, _inflate_header, first_read)
            except FileRefused as refusal:
                refusals.append(refusal)
                continue
            if header.pixels.offset > first_read:
                first_read = min(header.pixels.offset + FIRST_READ, 1 << 20)
            headers.append(header)
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
    more = f"; and {len(causes) - _MOST_CAUSES} more causes" if len(causes) > _MOST_CAUSES else ""
    return "; ".join(causes[:_MOST_CAUSES]) + more + "."


def _inflate_header(path: Path) -> SliceHeader:
    header: SliceHeader = shared_reader().call("ctmri_core.io.native_dicom:deflated_header", path)
    return header


def _groups(headers: Sequence[SliceHeader]) -> Iterator[tuple[list[SliceHeader], bool]]:
    """Slices that belong together, each with whether they are a localizer."""
    for group in _split(headers, lambda header: (header.series_uid, "LOCALIZER" in header.image_type)):
        scout = "LOCALIZER" in group[0].image_type
        parts = [
            part
            for matched in _split(group, lambda header: (header.pixels.rows, header.pixels.columns, header.frame_of_reference))
            for part in _by_orientation(matched)
        ]
        few_planes = len(parts) > 1 and all(len(part) <= _FEW_SLICES for part in parts)
        for part in parts:
            for volume in _by_acquisition(part):
                yield volume, scout or few_planes


def _split(headers: Sequence[SliceHeader], key: Callable[[SliceHeader], Hashable]) -> list[list[SliceHeader]]:
    groups: dict[Hashable, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        groups[key(header)].append(header)
    return list(groups.values())


def _by_orientation(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    groups: list[list[SliceHeader]] = []
    for header in headers:
        for group in groups:
            apart = max(abs(a - b) for a, b in zip(header.orientation, group[0].orientation, strict=True))
            if apart <= _SAME_ORIENTATION:
                group.append(header)
                break
        else:
            groups.append([header])
    return groups


def _by_acquisition(headers: list[SliceHeader]) -> list[list[SliceHeader]]:
    """Splits echoes, phases and kinds of picture that share places; leaves slices together that are merely repeated."""
    try:
        axes = slice_axes(headers[0].path, headers[0].orientation)
    except FileRefused:
        return [headers]
    if not same_place(axes, [header.position for header in headers]):
        return [headers]
    keys: tuple[Callable[[SliceHeader], Hashable], ...] = (
        lambda header: header.timing.echo,
        lambda header: header.image_type,
        lambda header: header.acquisition[1],
        lambda header: header.acquisition[0],
        lambda header: (header.timing.echo, header.image_type, header.acquisition),
    )
    for key in keys:
        parts = _split(headers, key)
        if len(parts) > 1 and not any(same_place(axes, [header.position for header in part]) for part in parts):
            return parts
    return [headers]


def _series(path: Path, headers: list[SliceHeader], localizer: bool) -> Series:
    domain, name = domain_of(headers[0]), path if path.is_file() else headers[0].path.parent
    try:
        kept, findings = _without_duplicates(name, headers)
        ordered, stack = _judged(name, kept)
    except FileRefused as refusal:
        finding = Finding(REFUSED, f"{refusal.problem} {refusal.way_out}".strip(), serious=True)
        label = _label(domain, headers, localizer)
        files = tuple(header.path for header in headers)
        details = DicomDetails(tuple(headers), refusal=refusal)
        return Series(
            path, FORMAT_NAME, domain, label, files,
            localizer=localizer, synthetic=_synthetic(headers), findings=(finding,), details=details,
        )  # fmt: skip
    findings += (*stack.findings, *_value_findings(domain, ordered), *told_findings(ordered[0].origin))
    if path.is_file() and not localizer:
        findings += (Finding("single_slice", "This is a single slice; open its folder for the whole series."),)
    return Series(
        path=path,
        format_name=FORMAT_NAME,
        domain=domain,
        label=_label(domain, ordered, localizer),
        files=tuple(header.path for header in ordered),
        shape=stack.geometry.shape,
        spacing=stack.geometry.spacing,
        plane=stack.geometry.plane,
        localizer=localizer,
        synthetic=_synthetic(ordered),
        findings=findings,
        details=DicomDetails(tuple(ordered), stack),
    )


def _judged(name: Path, headers: list[SliceHeader]) -> tuple[list[SliceHeader], Stack]:
    first = headers[0]
    for header in headers:
        apart = max(abs(a - b) for a, b in zip(header.pixel_spacing, first.pixel_spacing, strict=True))
        if apart > 1e-3 * first.pixel_spacing[0]:
            sizes = f"{first.pixel_spacing[0]:g} and {header.pixel_spacing[0]:g} mm"
            raise FileRefused(name, f"PixelSpacing differs between its slices ({sizes}).", "Export the series again.")
    row_spacing, column_spacing = first.pixel_spacing
    positions = [header.position for header in headers]
    size = first.pixels.rows, first.pixels.columns
    axes = slice_axes(name, first.orientation)
    stack = judge(name, axes, positions, (row_spacing, column_spacing), size, first.thickness)
    return [headers[n] for n in stack.order], stack


def _without_duplicates(name: Path, headers: list[SliceHeader]) -> tuple[list[SliceHeader], tuple[Finding, ...]]:
    """Drops slices that repeat another one exactly. Raises `FileRefused` when two pictures claim one place."""
    groups = same_place(slice_axes(name, headers[0].orientation), [header.position for header in headers])
    dropped: set[int] = set()
    for group in groups:
        first = headers[group[0]]
        for other in group[1:]:
            if not _same_slice(first, headers[other]):
                place = " ".join(f"{value:g}" for value in first.position)
                problem = f"two of its slices show different pictures of the same place ({place} mm)."
                raise FileRefused(name, problem, "Separate the acquisitions into folders of their own.")
            dropped.add(other)
    if not dropped:
        return headers, ()
    finding = Finding("duplicate", f"{len(dropped)} slices were there twice; the copies were left out.")
    return [header for n, header in enumerate(headers) if n not in dropped], (finding,)


def _same_slice(one: SliceHeader, other: SliceHeader) -> bool:
    apart = max(abs(a - b) for a, b in zip(one.position, other.position, strict=True))
    same_format = replace(one.pixels, offset=0) == replace(other.pixels, offset=0)
    return apart < 1e-3 and same_format and stored_bytes(one) == stored_bytes(other)


def _value_findings(domain: Domain, headers: Sequence[SliceHeader]) -> tuple[Finding, ...]:
    if domain is not Domain.CT:
        return ()
    for header in headers:
        if not header.pixels.rescaled:
            message = "RescaleSlope or RescaleIntercept is missing, so the values may not be Hounsfield units."
            return (Finding("not_hounsfield", message, serious=True),)
        if header.pixels.rescale_type not in ("", "HU", "HU_MOD"):
            message = "RescaleType is not HU, so the values may not be Hounsfield units."
            return (Finding("not_hounsfield", message, serious=True),)
    return ()


def _synthetic(headers: Sequence[SliceHeader]) -> bool:
    return any(header.origin.synthetic for header in headers)


def _label(domain: Domain, headers: Sequence[SliceHeader], localizer: bool) -> str:
    number = f", series {headers[0].series_number}" if headers[0].series_number is not None else ""
    slices = "1 slice" if len(headers) == 1 else f"{len(headers)} slices"
    kind = kind_label(domain, synthetic=_synthetic(headers), phantom=headers[0].origin.phantom)
    return f"{kind}{' localizer' if localizer else ''}{number}, {slices}"
