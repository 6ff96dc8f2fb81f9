"""PNG slices: one file, or the numbered files of a folder as a stack in natural order (`2.png` before `10.png`).

Pictures carry no millimetres and no directions. Both are stated as findings, and so are numbers that the names of a stack leave
out. Values stay as stored, with one exception, said as a finding: 16-bit pictures whose names begin with `ct_` hold HU + 1024,
the custom of paired CT / MR slice sets.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.domain_guess import domain_by_name
from ctmri_core.io.provenance import volume_from_file
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import Series
from ctmri_core.io.stored_values import to_voxels
from ctmri_core.volume import Finding, Volume

_MOST_SLICES = 5000
_HU_OFFSET = 1024
_MOST_PLACES = 3
_L, _P, _S, _I = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
_PLANES = {"axial": (_S, _P, _L), "coronal": (_P, _I, _L), "sagittal": (_L, _I, _P)}


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    bits: int
    colour: int


class PictureReader:
    """Reads PNG. In a folder, files whose names differ by their last number alone and whose sizes agree are one stack."""

    name = "PNG"

    def recognises(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  # the protocol's signature
        return preflight.kind(head) == "png"

    def scan(self, path: Path) -> tuple[Series, ...]:
        if not path.is_dir():
            return (self._series(path, (path,), _header(path)),)
        files = sorted((file for file in path.iterdir() if file.suffix.lower() == ".png" and file.is_file()), key=_natural)
        headers = {file: _header(file) for file in files}

        def stack(file: Path) -> tuple[str, int, int, int]:
            header = headers[file]
            return _without_number(file.stem), header.width, header.height, header.bits

        groups = [tuple(group) for _, group in groupby(sorted(files, key=stack), key=stack)]
        if not groups:
            raise FileRefused(path, "holds no PNG pictures.", "Choose the folder with the slices.")
        return tuple(self._series(path, group, headers[group[0]]) for group in groups)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        assert series.shape is not None
        count, rows, columns = series.shape
        preflight.check_memory(series.path, count * rows * columns * 6)  # as stored, and as float32
        stack = np.empty(series.shape, np.uint16)
        for k, file in enumerate(series.files):
            if stop():
                raise Stopped(f"Opening {series.path.name} was stopped.")
            _check_chunks(file)
            picture = shared_reader().call("ctmri_core.io.native_pictures:read_grey", str(file))
            if picture.shape != (rows, columns):
                problem = f"has {picture.shape[1]} x {picture.shape[0]} pixels, the first slice {columns} x {rows}."
                raise FileRefused(file, problem, "Put slices of one size into one folder.")
            stack[k] = picture
            yield Progress(done=k + 1, total=count, unit="slices")
        hounsfield = _is_hounsfield(series.files[0])
        voxels, findings = to_voxels(series.files[0], stack, 1.0, -float(_HU_OFFSET) if hounsfield else 0.0)
        geometry, known = _geometry(series.files[0], series.shape)
        said = (Finding("hounsfield_offset", f"16-bit picture named ct_: read as HU + {_HU_OFFSET}."),) if hounsfield else ()
        return volume_from_file(series, voxels, geometry, (*known, *_gaps(series.files), *said, *findings))

    def preview(self, series: Series) -> Volume | None:  # noqa: ARG002  # the protocol's signature
        return None

    def _series(self, path: Path, files: tuple[Path, ...], header: _Header) -> Series:
        if len(files) > _MOST_SLICES:
            raise FileRefused(path, f"holds {len(files)} slices; up to {_MOST_SLICES} can be read.", "Split the folder.")
        shape = (len(files), header.height, header.width)
        geometry, findings = _geometry(files[0], shape)
        findings += _gaps(files)
        domain = domain_by_name(files[0].name)
        if domain is Domain.UNKNOWN:
            domain = domain_by_name(files[0].parent.name)
        kind = "" if domain is Domain.UNKNOWN else f"{domain.label}, "
        what = files[0].name if len(files) == 1 else f"{len(files)} slices from {files[0].name}"
        return Series(path, self.name, domain, f"{kind}{what}", files, shape, geometry.spacing, findings=findings)


def _header(path: Path) -> _Header:
    """The IHDR chunk, checked."""
    head = preflight.head_of(path, 33)
    if preflight.kind(head) != "png" or len(head) < 33 or head[12:16] != b"IHDR":
        raise FileRefused(path, "is no complete PNG picture.", "Copy or export it again.")
    width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
    preflight.check_shape(path, (width, height), "IHDR size")
    if bits == 16 and colour not in (0, 4):
        raise FileRefused(path, "is a 16-bit colour picture.", "Export it as grey values.")
    claimed = width * height * max(bits, 8) // 8
    preflight.check_claim(path, claimed, preflight.regular_file(path), preflight.DEFLATE_LIMIT * 8)
    return _Header(width, height, bits, colour)


def _check_chunks(path: Path) -> None:
    """Proves every chunk's checksum and the end of the file (PNG specification, 5.3)."""
    content = path.read_bytes()
    position = 8
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        end = position + 12 + length
        if end > len(content):
            break
        body = content[position + 4 : end - 4]
        if zlib.crc32(body) != struct.unpack_from(">I", content, end - 4)[0]:
            raise FileRefused(path, "is damaged: a checksum is wrong.", "Copy or export it again.")
        if body[:4] == b"IEND":
            return
        position = end
    raise FileRefused(path, "is incomplete: its end is missing.", "Copy or export it again.")


def _geometry(file: Path, shape: tuple[int, int, int]) -> tuple[Geometry, tuple[Finding, ...]]:
    plane = next((name for name in _PLANES if name in re.split(r"[\W_]+", file.stem.lower())), "axial")
    message = f"Pictures do not say how the patient lies; taken for {plane} slices."
    orientation = Finding("missing_orientation", message, serious=True)
    message = "Pictures have no voxel size; 1 mm is assumed, so lengths are not real."
    spacing = Finding("estimated_spacing", message, serious=True)
    return Geometry(shape, (1.0, 1.0, 1.0), direction=_PLANES[plane]), (orientation, spacing)


def _gaps(files: Sequence[Path]) -> tuple[Finding, ...]:
    """Whether the numbers of a stack go up in even steps. What is missing at its ends cannot be known."""
    digits = [re.findall(r"\d+", file.stem)[-1:] for file in files]
    steps = [(int(*before), int(*after)) for before, after in pairwise(digits) if before and after]
    widths = {after - before for before, after in steps}
    if not steps or widths == {1} or (len(widths) == 1 and len(steps) > 1):
        return ()
    usual = 1 if len(steps) == 1 else max(min(widths), 1)
    odd = [f"{before} and {after}" for before, after in steps if after - before != usual]
    more = f" and in {len(odd) - _MOST_PLACES} more places" if len(odd) > _MOST_PLACES else ""
    message = (
        f"The numbers of the pictures do not go up evenly, between {', '.join(odd[:_MOST_PLACES])}{more}: slices are missing "
        "there or doubled, so lengths across them are wrong."
    )
    return (Finding("gap", message, serious=True),)


def _is_hounsfield(file: Path) -> bool:
    return file.name.lower().startswith("ct_") and _header(file).bits == 16


def _natural(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", file.name)]


def _without_number(stem: str) -> str:
    return re.sub(r"\d+(?=\D*$)", "#", stem)


PICTURE_READER = PictureReader()
