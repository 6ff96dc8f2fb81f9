"""The DICOM reader: files or folders of classic single-frame CT and MR slices, sorted into series.

Slices are ordered by position along their normal, spacing comes from positions, values are HU (CT) or the rescaled stored
values (MR). Uncompressed pixels are read straight into the volume on a few threads; everything else through the reader process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.errors import Stopped
from ctmri_core.events import Progress, Started, StopSignal, Work, finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.io.dicom_elements import looks_like_dicom
from ctmri_core.io.dicom_pixels import Int16, read_slice, surely_int16
from ctmri_core.io.dicom_scan import FORMAT_NAME, DicomDetails, dicom_files, scan_dicom
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.dicom_source import dicom_source
from ctmri_core.io.preflight import check_memory
from ctmri_core.io.series import Series
from ctmri_core.io.series_judgement import Stack, judge, slice_axes
from ctmri_core.io.series_regrid import regridded
from ctmri_core.io.synthetic_mark import told_synthetic
from ctmri_core.volume import Volume, Voxels

_SLICES_PER_EVENT = 20
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
        if not path.is_dir():
            return looks_like_dicom(head)
        return any(_is_dicom(file) for file in islice(dicom_files(path), _FILES_TO_LOOK_AT))

    def scan(self, path: Path) -> tuple[Series, ...]:
        """Series in `path`, told apart by SeriesInstanceUID, matrix, frame of reference, orientation and, where places are
        taken twice, by echo, image type or phase. Raises `FileRefused` when none is found.
        """
        return scan_dicom(path)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        """Raises `FileRefused`; `Stopped` when `stop` ended it."""
        headers, stack = _usable(series)
        check_memory(series.path, _memory_needed(headers, stack))
        yield Started(job="open", total=len(headers), unit="slices", details={"format": FORMAT_NAME})
        voxels = yield from _read_slices(headers, stop)
        straight = regridded(voxels, stack, _AIR if series.domain is Domain.CT else 0.0)
        return replace(_volume(series, headers, straight, stack.geometry), history=_history(stack), dicom=dicom_source(headers))

    def preview(self, series: Series) -> Volume | None:
        headers, _ = _usable(series)
        header = headers[len(headers) // 2]
        voxels = finish(_read_slices((header,), never))
        assert voxels is not None  # nobody can stop it
        stack = judge(header.path, slice_axes(header.path, header.orientation), [header.position], *_matrix(header), None)
        return _volume(series, headers, voxels, stack.geometry)


DICOM_READER = DicomReader()


def _usable(series: Series) -> tuple[tuple[SliceHeader, ...], Stack]:
    details = series.details
    assert isinstance(details, DicomDetails)
    if details.refusal is not None:
        raise details.refusal
    assert details.stack is not None
    return details.headers, details.stack


def _volume(series: Series, headers: Sequence[SliceHeader], voxels: Voxels, geometry: Geometry) -> Volume:
    return Volume(
        voxels=voxels,
        geometry=geometry,
        domain=series.domain,
        name=series.label,
        window=headers[len(headers) // 2].window,
        frame_of_reference=headers[0].frame_of_reference,
        findings=series.findings,
        synthetic=next(filter(None, (told_synthetic(header.origin) for header in headers)), None),
        phantom=any(header.origin.phantom for header in headers),
        path=series.path,
    )


def _matrix(header: SliceHeader) -> tuple[tuple[float, float], tuple[int, int]]:
    """(mm from row to row and column to column; rows and columns)."""
    row, column = header.pixel_spacing
    return (row, column), (header.pixels.rows, header.pixels.columns)


def _memory_needed(headers: Sequence[SliceHeader], stack: Stack) -> int:
    """Bytes at the fullest moment: int16 while it is turned into float32, or a volume and its regridded twin."""
    read = len(headers) * headers[0].pixels.rows * headers[0].pixels.columns
    as_float = any(not surely_int16(header.pixels) for header in headers)
    regridded_too = math.prod(stack.geometry.shape) if stack.shifts is not None or stack.places is not None else 0
    return max(6 * read, 4 * (read + regridded_too)) if as_float else 2 * (read + regridded_too)


def _history(stack: Stack) -> tuple[str, ...]:
    shifted = ("tilted slices shifted onto a straight grid",) if stack.shifts is not None else ()
    return (*shifted, "interpolated onto even slice distances") if stack.places is not None else shifted


def _read_slices(headers: Sequence[SliceHeader], stop: StopSignal) -> Work[Voxels]:
    """(n, rows, columns) int16, or float32 from the first slice on that needs it."""
    count, pixels = len(headers), headers[0].pixels
    whole: Int16 = np.empty((count, pixels.rows, pixels.columns), np.int16)
    voxels: Voxels = whole
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for start in range(0, count, _SLICES_PER_EVENT):
            if stop():
                raise Stopped("Opening was stopped.")
            end = min(start + _SLICES_PER_EVENT, count)
            targets = whole[start:end] if voxels is whole else np.empty((end - start, pixels.rows, pixels.columns), np.int16)
            answers = list(pool.map(read_slice, headers[start:end], targets))
            if voxels is whole and any(values is not None for values in answers):
                voxels = whole.astype(np.float32)
            if voxels is not whole:
                for k, (values, target) in enumerate(zip(answers, targets, strict=True), start):
                    voxels[k] = target if values is None else values
            yield Progress(done=end, total=count, unit="slices")
    return voxels


def _is_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as handle:
            return looks_like_dicom(handle.read(_HEAD_BYTES))
    except OSError:
        return False
