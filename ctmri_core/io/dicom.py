"""The DICOM reader: files or folders of CT and MR slices, of one or many frames each, sorted into series.

Slices are ordered by position along their normal, spacing comes from positions, values are HU (CT) or the rescaled stored
values (MR). Uncompressed pixels are read straight into the volume on a few threads; everything else through the reader process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ctmri_core.domain import Domain
from ctmri_core.events import Started, StopSignal, Work, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.dicom_elements import looks_like_dicom
from ctmri_core.io.dicom_judgement import FORMAT_NAME, DicomDetails
from ctmri_core.io.dicom_record import read_record
from ctmri_core.io.dicom_scan import dicom_files, scan_dicom
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.dicom_source import dicom_source
from ctmri_core.io.dicom_voxels import read_one, read_voxels
from ctmri_core.io.series import Series
from ctmri_core.io.series_judgement import Stack
from ctmri_core.io.synthetic_mark import told_synthetic
from ctmri_core.volume import Volume, Voxels

_FILES_TO_LOOK_AT = 200
_HEAD_BYTES = 132
_AIR = -1024.0  # HU


class DicomReader:
    """Follows `ctmri_core.io.series.Reader`."""

    @property
    def name(self) -> str:
        return FORMAT_NAME

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the first 132 bytes of a file; a folder by whether any of its first files is DICOM."""
        if head or not path.is_dir():
            return looks_like_dicom(head)
        return any(_is_dicom(file) for file in islice(dicom_files(path), _FILES_TO_LOOK_AT))

    def scan(self, path: Path, stop: StopSignal = never, files: Sequence[Path] | None = None) -> tuple[Series, ...]:
        """Series in `path` (of its `files` alone, where given), told apart by SeriesInstanceUID, matrix, frame of reference,
        orientation and, where places are taken twice, by echo, image type or phase. Raises `FileRefused` when none is found,
        and `Stopped`.
        """
        return scan_dicom(path, stop, files)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        """Raises `FileRefused`; `Stopped` when `stop` ended it."""
        headers, stack = _usable(series)
        straight = stack.tilt if series.straighten else None
        geometry = (straight or stack).geometry
        background = _AIR if series.domain is Domain.CT else 0.0
        yield Started(job="open", total=geometry.shape[0], unit="slices", details={"format": FORMAT_NAME})
        voxels = yield from read_voxels(series.path, headers, stack, straight is not None, background, stop)
        source = dicom_source(headers)
        if stack.tilt is not None and straight is None:
            source = replace(source, positions=stack.tilt.positions)
        volume = _volume(series, headers, voxels, geometry)
        return replace(volume, history=(*volume.history, *_history(stack, straight is not None)), dicom=source)

    def preview(self, series: Series) -> Volume | None:
        headers, stack = _usable(series)
        header = headers[len(headers) // 2]
        x, y, z = header.position
        grid = replace(stack.geometry, shape=(1, header.pixels.rows, header.pixels.columns), origin=(x, y, z))
        return _volume(series, headers, read_one(header)[None], grid)


DICOM_READER = DicomReader()


def _usable(series: Series) -> tuple[tuple[SliceHeader, ...], Stack]:
    details = series.details
    assert isinstance(details, DicomDetails)
    if details.refusal is not None:
        raise details.refusal
    assert details.stack is not None
    return details.headers, details.stack


def _volume(series: Series, headers: Sequence[SliceHeader], voxels: Voxels, geometry: Geometry) -> Volume:
    windows = headers[len(headers) // 2].windows
    made = next(filter(None, (told_synthetic(header.origin) for header in headers)), None)
    record = read_record(headers[0].path) if made is not None and made.told else None
    if made is not None and record is not None and record.model_hash == made.model_hash:
        made, history = replace(made, details=record.model_details), record.history
    else:
        history = ()
    return Volume(
        voxels=voxels,
        geometry=geometry,
        domain=series.domain,
        name=series.label,
        window=windows[0][:2] if windows else None,
        windows=windows,
        frame_of_reference=next((header.frame_of_reference for header in headers if header.frame_of_reference), None),
        findings=series.findings,
        history=history,
        synthetic=made,
        phantom=any(header.origin.phantom for header in headers),
        path=series.path,
    )


def _history(stack: Stack, straight: bool) -> tuple[str, ...]:
    shifted = ("tilted slices shifted onto a straight grid",) if straight else ()
    return (*shifted, "interpolated onto even slice distances") if stack.places is not None else shifted


def _is_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as handle:
            return looks_like_dicom(handle.read(_HEAD_BYTES))
    except OSError:
        return False
