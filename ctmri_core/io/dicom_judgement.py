"""A group of DICOM slices judged as a volume: its name, how its slices lie, and what is to be said or why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_agreement import agreement
from ctmri_core.io.dicom_domain import domain_of
from ctmri_core.io.dicom_findings import content_findings
from ctmri_core.io.dicom_groups import Group
from ctmri_core.io.dicom_labels import label_of
from ctmri_core.io.dicom_pixels import stored_bytes
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.dicom_voxels import read_one
from ctmri_core.io.series import REFUSED, Series
from ctmri_core.io.series_judgement import Stack, judge, same_place, slice_axes
from ctmri_core.io.synthetic_mark import told_findings
from ctmri_core.volume import Finding

FORMAT_NAME = "DICOM"
_SAME_PIXEL_SPACING = 1e-3
_SAME_PLACE_MM = 1e-3


@dataclass(frozen=True)
class DicomDetails:
    """`headers` in the order of k with the `stack` they form, or the `refusal` that says why they form none."""

    headers: tuple[SliceHeader, ...]
    stack: Stack | None = None
    refusal: FileRefused | None = None


def judged(path: Path, group: Group) -> Series:
    """The series of `group`, a refused one among them. `path`: what was opened."""
    headers, domain, name = group.headers, domain_of(group.headers[0]), path if path.is_file() else group.headers[0].path.parent
    try:
        if group.problem:
            raise FileRefused(name, group.problem, "Open its files one by one to look at them.")
        kept, findings = _without_duplicates(name, headers)
        ordered, stack = _stacked(name, kept)
    except FileRefused as refusal:
        return _refused(path, group, domain, refusal)
    findings += (*stack.findings, *group.findings, *agreement(domain, ordered, stack), *content_findings(domain, ordered))
    seen = {finding.kind for finding in findings}
    findings += tuple(finding for finding in told_findings(ordered[0].origin) if finding.kind not in seen)
    if path.is_file() and len(ordered) == 1 and not group.localizer:
        findings += (Finding("single_slice", "This is a single slice; open its folder for the whole series."),)
    return Series(
        path=path,
        format_name=FORMAT_NAME,
        domain=domain,
        label=label_of(domain, ordered, group.told, localizer=group.localizer),
        files=_files(ordered),
        shape=stack.geometry.shape,
        spacing=stack.geometry.spacing,
        plane=stack.geometry.plane,
        localizer=group.localizer,
        synthetic=_synthetic(ordered),
        findings=findings,
        details=DicomDetails(tuple(ordered), stack),
    )


def _refused(path: Path, group: Group, domain: Domain, refusal: FileRefused) -> Series:
    why = Finding(REFUSED, f"{refusal.problem} {refusal.way_out}".strip(), serious=True)
    return Series(
        path=path,
        format_name=FORMAT_NAME,
        domain=domain,
        label=label_of(domain, group.headers, group.told, localizer=group.localizer),
        files=_files(group.headers),
        localizer=group.localizer,
        synthetic=_synthetic(group.headers),
        findings=(why, *group.findings),
        details=DicomDetails(tuple(group.headers), refusal=refusal),
    )


def _files(headers: Sequence[SliceHeader]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(header.path for header in headers))


def _stacked(name: Path, headers: list[SliceHeader]) -> tuple[list[SliceHeader], Stack]:
    first = headers[0]
    for header in headers:
        for one, other in zip(header.pixel_spacing, first.pixel_spacing, strict=True):
            if abs(one - other) > _SAME_PIXEL_SPACING * other:
                problem = f"PixelSpacing differs between its slices ({other:g} and {one:g} mm)."
                raise FileRefused(name, problem, "Export the series again.")
    row_spacing, column_spacing = first.pixel_spacing
    positions = [header.position for header in headers]
    size = first.pixels.rows, first.pixels.columns
    thicknesses = [header.thickness for header in headers]
    stack = judge(name, slice_axes(name, first.orientation), positions, (row_spacing, column_spacing), size, thicknesses)
    return [headers[n] for n in stack.order], stack


def _without_duplicates(name: Path, headers: list[SliceHeader]) -> tuple[list[SliceHeader], tuple[Finding, ...]]:
    """Drops slices that repeat another one exactly. Raises `FileRefused` when two pictures claim one place."""
    groups = same_place(slice_axes(name, headers[0].orientation), [header.position for header in headers])
    film = len(groups) == 1 and len(groups[0]) == len(headers)
    dropped: set[int] = set()
    for group in groups:
        first = headers[group[0]]
        for other in group[1:]:
            if not _same_slice(first, headers[other]):
                place = " ".join(f"{value:g}" for value in first.position)
                which = f"all of its {len(headers)} slices" if film else "two of its slices"
                problem = f"{which} show different pictures of the same place ({place} mm)."
                if film:
                    raise FileRefused(
                        name, f"{problem.rstrip('.')}, as a film does.", "Open its files one by one to look at them."
                    )
                raise FileRefused(name, problem, "Separate the acquisitions into folders of their own.")
            dropped.add(other)
    if not dropped:
        return headers, ()
    what = "1 slice was" if len(dropped) == 1 else f"{len(dropped)} slices were"
    finding = Finding("duplicate", f"{what} there twice; what was left out is an exact copy, so nothing is lost.")
    return [header for n, header in enumerate(headers) if n not in dropped], (finding,)


def _same_slice(one: SliceHeader, other: SliceHeader) -> bool:
    """Whether two slices show the same, however it is encoded. Raises `FileRefused` when one cannot be decoded."""
    apart = max(abs(a - b) for a, b in zip(one.position, other.position, strict=True))
    sizes = [(each.pixels.rows, each.pixels.columns) for each in (one, other)]
    if apart > _SAME_PLACE_MM or sizes[0] != sizes[1]:
        return False
    same_format = replace(one.pixels, offset=0) == replace(other.pixels, offset=0)
    return (same_format and stored_bytes(one) == stored_bytes(other)) or np.array_equal(read_one(one), read_one(other))


def _synthetic(headers: Sequence[SliceHeader]) -> bool:
    return any(header.origin.synthetic for header in headers)
