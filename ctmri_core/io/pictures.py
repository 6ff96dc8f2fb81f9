"""PNG, JPEG and TIFF: one picture, a file of several pages, or the numbered pictures of a folder in natural order (`2.png` before
`10.png`).

Pictures carry no millimetres and no directions (their dots per inch speak of paper, and are passed over). Both are stated as
findings, and so are numbers that the names of a stack leave out. Values stay as stored, with exceptions that are said: 16-bit PNG
whose names begin with `ct_` hold HU + 1024, the custom of paired CT / MR slice sets; PNG slices that this program wrote, and
TIFF with ImageJ's calibration, say themselves what their values mean. Colour is taken where it is grey in truth: exactly in PNG
and TIFF, within 8 of 256 levels in JPEG, whose compression makes that much noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.domain_guess import domain_by_name
from ctmri_core.io.picture_headers import PictureHeader, check_complete, read_header
from ctmri_core.io.picture_stacks import (
    Stack,
    doubts,
    guessed_geometry,
    has_neighbours,
    own_geometry,
    own_record,
    stacks,
)
from ctmri_core.io.provenance import label_start, read_mark, volume_from_file
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import PICTURES, REFUSED, Series
from ctmri_core.io.stored_values import VoxelSink, to_voxels
from ctmri_core.volume import Finding, Volume

_MOST_SLICES = 5000
_HU_OFFSET, _HIGHEST_HU = 1024, 32767  # beyond, grey levels were spread over 16 bits
_BATCH_BYTES = 4 << 20
_NARROW = ("u1", "i1", "u2", "i2")  # of which the voxels are int16, nearly always
_SINGLE = Finding("single_slice", "This is one picture of a stack; open its folder for the whole of it.")
_HOUNSFIELD = Finding("hounsfield_offset", f"16-bit picture named ct_: read as HU + {_HU_OFFSET}.")
_TRANSPARENT = Finding("transparent", "Parts of the pictures are transparent; they were given the value 0.")


class PictureReader:
    """Reads PNG, JPEG and TIFF. Of several, those of one kind and size whose names differ by the last number are a stack."""

    name = PICTURES

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  # the protocol's signature
        return preflight.kind(head) in ("png", "jpeg", "tiff")

    def scan(self, path: Path) -> tuple[Series, ...]:
        header = read_header(path)
        series = _series(path, Stack((path,), replace(header, pages=()), own_record(header)))
        alone = header.shape[0] == 1 and has_neighbours(path)
        return (_with(series, _SINGLE) if alone else series,)

    def scan_files(self, path: Path, files: Iterable[Path]) -> tuple[Series, ...]:
        """The stacks that `files`, some or all of the pictures in the folder `path`, are. Raises `FileRefused`."""
        found, refusals = stacks(files)
        if not found:
            if refusals:
                raise refusals[0]
            raise FileRefused(path, "holds no pictures.", "Choose the folder with the slices.")
        left_out = [Finding("left_out", f"A picture beside these cannot be read: {refusal.problem}") for refusal in refusals[:1]]
        return tuple(_with(_series(path, stack), *left_out) for stack in found)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        stack = _stack_of(series)
        preflight.check_memory(series.path, math.prod(stack.shape) * (2 if stack.header.code in _NARROW else 4))
        sink = VoxelSink(stack.files[0], math.prod(stack.shape), np.dtype(stack.header.code), *_scale(stack))
        k, transparent = 0, False
        for values, see_through in _pictures(stack):
            if stop():
                raise Stopped("Opening was stopped.")
            for plane in values:
                sink.take(plane.reshape(-1))
            k, transparent = k + len(values), transparent or see_through
            yield Progress(done=k, total=stack.shape[0], unit="slices")
        voxels, odd = sink.result(stack.shape)
        geometry, findings = _geometry(stack)
        findings += (*odd, *((_TRANSPARENT,) if transparent else ()))
        if _is_hounsfield(stack) and voxels.max() > _HIGHEST_HU:
            message = f"The name says HU + {_HU_OFFSET}, but values go up to {voxels.max():g}: these are no Hounsfield units."
            findings += (Finding("not_hounsfield", message, serious=True),)
        return volume_from_file(series, voxels, geometry, findings, stack.record.mark if stack.record else "")

    def preview(self, series: Series) -> Volume | None:
        stack = _stack_of(series)
        k = stack.shape[0] // 2
        values, _ = next(_pictures(stack, only=k))
        slope, intercept = _scale(stack)
        voxels, odd = to_voxels(stack.files[0], values, slope, intercept)
        geometry, findings = _geometry(stack)
        one = geometry.cropped((k, 0, 0), (1, *stack.shape[1:]))
        return volume_from_file(series, voxels, one, (*findings, *odd), stack.record.mark if stack.record else "")


def _series(path: Path, stack: Stack) -> Series:
    if stack.shape[0] > _MOST_SLICES:
        raise FileRefused(path, f"holds {stack.shape[0]} slices; up to {_MOST_SLICES} can be read.", "Split the folder.")
    first = stack.files[0]
    mark = read_mark(stack.record.mark if stack.record else "")
    domain = mark.domain or domain_by_name(first.name)
    if domain is Domain.UNKNOWN:
        domain = domain_by_name(first.parent.name)
    count = f"{stack.shape[0]} slices " if stack.shape[0] > 1 else ""
    what = f"{count}from {first.name}" if len(stack.files) > 1 else f"{count.strip()}, {first.name}" if count else first.name
    common: dict[str, Any] = {
        "path": path, "format_name": PictureReader.name, "domain": domain, "label": f"{label_start(domain, mark)}{what}",
        "files": stack.files, "synthetic": mark.synthetic, "details": stack,
    }  # fmt: skip
    try:
        geometry, findings = _geometry(stack)
    except FileRefused as refusal:
        why = Finding(REFUSED, f"{refusal.problem} {refusal.way_out}".strip(), serious=True)
        return Series(**common, findings=(why,))
    told = (*findings, *mark.findings)
    return Series(**common, shape=stack.shape, spacing=geometry.spacing, plane=geometry.plane, findings=told)


def _with(series: Series, *findings: Finding) -> Series:
    return replace(series, findings=(*series.findings, *findings))


def _stack_of(series: Series) -> Stack:
    assert isinstance(series.details, Stack)
    return series.details


def _geometry(stack: Stack) -> tuple[Geometry, tuple[Finding, ...]]:
    """The grid and all findings that headers and names give."""
    geometry, findings = own_geometry(stack) if stack.own else guessed_geometry(stack)
    return geometry, (*findings, *doubts(stack), *((_HOUNSFIELD,) if _is_hounsfield(stack) else ()))


def _scale(stack: Stack) -> tuple[float, float]:
    """value = slope * stored + intercept."""
    if stack.own is not None:
        return stack.own.slope, stack.own.intercept
    if _is_hounsfield(stack):
        return 1.0, -float(_HU_OFFSET)
    return stack.header.slope, stack.header.intercept


def _is_hounsfield(stack: Stack) -> bool:
    header = stack.header
    name = stack.files[0].name.lower()
    named = name.startswith("ct_") and domain_by_name(name) is Domain.CT  # and not `ct_mask`
    return stack.own is None and header.kind == "png" and header.code == "u2" and named


def _pictures(stack: Stack, only: int | None = None) -> Iterator[tuple[NDArray[Any], bool]]:
    """(n, rows, columns) upright values of all pictures in order or of the one at place `only`, a few at a time, and whether
    transparent parts were made 0. Every file is proved complete.
    """
    pages, rows, columns = stack.header.shape
    most = max(1, _BATCH_BYTES // (rows * columns * np.dtype(stack.header.code).itemsize))
    files = stack.files if only is None else (stack.files[only // pages],)
    for file in files:
        header = read_header(file)
        if (header.kind, header.upright, header.code) != (stack.header.kind, stack.header.upright, stack.header.code):
            rows, columns = header.upright[1:]
            problem = f"is another kind of picture than the first one ({columns} x {rows} pixels); it has changed."
            raise FileRefused(file, problem, "Open the folder again.")
        check_complete(file, header.kind)
        first, last = (0, pages) if only is None else (only % pages, only % pages + 1)
        for page in range(first, last, most):
            yield _decoded(file, header, page, min(most, last - page))


def _decoded(file: Path, header: PictureHeader, first: int, count: int) -> tuple[NDArray[Any], bool]:
    reader = shared_reader()
    if header.kind == "tiff":
        answer = reader.call("ctmri_core.io.native_tiff:read_pages", file, header.pages[first : first + count])
    else:
        answer = reader.call("ctmri_core.io.native_pictures:read_grey", file, header.kind, header.indexed)
    values, transparent = answer
    if values.shape != (count, *header.shape[1:]) or values.dtype != header.code:
        problem = f"has {values.shape[2]} x {values.shape[1]} pixels, its header says {header.shape[2]} x {header.shape[1]}."
        raise FileRefused(file, problem, "Copy or export it again.")
    return _upright(values, header.orientation), transparent


def read_picture(file: Path) -> NDArray[Any]:
    """One picture as it is looked at, upright: (rows, columns) of grey, 8 or 16 bits, else (rows, columns, 3) uint8. Colours of
    palettes are colours here. Raises `FileRefused`, also for TIFF in colour or of several pages."""
    header = read_header(file)
    preflight.check_memory(file, 6 * math.prod(header.shape))
    check_complete(file, header.kind)
    if header.kind == "tiff":
        if header.shape[0] != 1:
            raise FileRefused(file, f"has {header.shape[0]} pages.", "Save the one that is meant.")
        values: NDArray[Any] = _decoded(file, header, 0, 1)[0][0]
        if values.dtype not in (np.uint8, np.uint16):
            raise FileRefused(file, "holds values of other than 8 or 16 bits.", "Save it as PNG.")
        return values
    read: NDArray[Any] = shared_reader().call("ctmri_core.io.native_pictures:read_picture", file, header.kind)
    if read.shape[:2] != header.shape[1:]:
        raise FileRefused(file, "has another size than its header says.", "Copy or export it again.")
    if read.ndim == 2:
        grey: NDArray[Any] = _upright(read[None], header.orientation)[0]
        return grey
    return np.stack(list(_upright(np.moveaxis(read, -1, 0), header.orientation)), -1)


def _upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(n, rows, columns) turned and mirrored as the EXIF orientation 1 to 8 asks."""
    if orientation >= 5:
        values = values.transpose(0, 2, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return values[:, rows, columns]


PICTURE_READER = PictureReader()
