"""One block of stored voxels, described by a checked header of whatever format, and the one way such voxels are read."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.events import StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored, peek_into, read_into
from ctmri_core.io.domain_guess import domain_by_name
from ctmri_core.io.header_files import head_of_header, header_of
from ctmri_core.io.provenance import label_start, read_mark, slice_count, volume_from_file
from ctmri_core.io.series import ESTIMATED_SPACING, Series
from ctmri_core.io.stored_values import VoxelSink
from ctmri_core.io.unpacking import MOST_PER_BYTE
from ctmri_core.volume import Finding, Volume

MOST_VOLUMES = 10_000
NO_THICKNESS = Finding(ESTIMATED_SPACING, "A single slice without thickness; 1 mm is assumed.")
NO_SPACING = Finding(ESTIMATED_SPACING, "The file gives no voxel size; 1 mm is assumed, so lengths are not real.", serious=True)
NO_ORIENTATION = Finding(
    "missing_orientation",
    "The file does not say how the patient lies: left and right, front and back are a guess.",
    serious=True,
)
_PERHAPS_CUT = Finding(
    "perhaps_cut",
    "The text of the voxels ends within a number, which may have lost digits: the last voxel may be wrong.",
    serious=True,
)
_AGAIN = "Copy or export it again."
_PEEKED = {"raw": 1 << 62, "gzip": 96 << 20, "zlib": 96 << 20, "bzip2": 4 << 20, "text": 1 << 20, "hex": 4 << 20}
"""How many bytes may be unpacked for a look at one slice: 0.1 to 0.3 s, a tenth of what reading the volume may take then."""


@dataclass(frozen=True)
class RawImage:
    """A checked header. `stored`: files that share the voxels evenly, in order. `mark`: free text where our own may stand.

    `volume_count` volumes of `geometry.shape` lie behind each other, or voxel by voxel in turn when `interleaved`. `slopes`:
    of each volume, where they differ.
    """

    stored: tuple[Stored, ...]
    dtype: np.dtype[Any]
    geometry: Geometry
    findings: tuple[Finding, ...] = ()
    mark: str = ""
    volume_count: int = 1
    interleaved: bool = False
    slope: float = 1.0
    intercept: float = 0.0
    slopes: tuple[float, ...] = ()

    @property
    def voxel_count(self) -> int:
        """Of one volume."""
        return math.prod(self.geometry.shape)

    @property
    def share(self) -> int:
        """Unpacked bytes of voxels in each of the files."""
        return self.voxel_count * self.volume_count * self.dtype.itemsize // len(self.stored)

    def check_lengths(self) -> None:
        """Refuses a header whose sizes disagree with the bytes on disk: too few are missing voxels, too many a wrong size."""
        voxels = self.voxel_count * self.volume_count
        if voxels % len(self.stored):
            problem = f"shares {voxels} voxels among {len(self.stored)} files, which is uneven."
            raise FileRefused(self.stored[0].path, problem, "The header is damaged.")
        for stored in self.stored:
            self._check_length(stored)

    def cut_text(self) -> tuple[Finding, ...]:
        """What is to be told of voxels written as text when the last number may have lost digits with the end of the file."""
        cut = any(stored.encoding == "text" and _ends_in_a_number(stored.path) for stored in self.stored)
        return (_PERHAPS_CUT,) if cut else ()

    def sink(self, path: Path, index: int, first: int = 0, count: int | None = None) -> tuple[VoxelSink, int]:
        """What turns `count` voxels from `first` on of a volume into values, and where in the content their bytes begin."""
        count = self.voxel_count if count is None else count
        step, place = (self.volume_count, index) if self.interleaved else (1, 0)
        start = first * step if self.interleaved else index * self.voxel_count + first
        slope = self.slopes[index] if self.slopes else self.slope
        sink = VoxelSink(path, count, self.dtype, slope, self.intercept, step=step, place=place)
        return sink, start * self.dtype.itemsize

    def _check_length(self, stored: Stored) -> None:
        path = stored.path
        present = preflight.regular_file(path) - stored.start
        if stored.length is not None:
            if stored.length > present:
                problem = f"is incomplete: the header promises {stored.length} compressed bytes, the file holds {present}."
                raise FileRefused(path, problem, _AGAIN)
            present = stored.length
        claimed = self.share + stored.lead
        if claimed > present * MOST_PER_BYTE[stored.encoding]:
            problem = f"is incomplete: the header promises {claimed} bytes of voxels, the file holds {max(present, 0)}."
            raise FileRefused(path, problem, _AGAIN)
        if stored.encoding == "raw" and present > stored.most(claimed):
            problem = f"holds {present} bytes of voxels, but its header describes {claimed}."
            raise FileRefused(path, problem, "The header is damaged.")


def _ends_in_a_number(path: Path) -> bool:
    with path.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        return not handle.read(1).isspace()


class RawImageReader:
    """A format whose voxels lie in one block. `recognises_head`: of a header file; `read_header` raises `FileRefused`."""

    def __init__(
        self, name: str, recognises_head: Callable[[Path, bytes], bool], read_header: Callable[[Path], RawImage]
    ) -> None:
        self.name = name
        self._recognises_head = recognises_head
        self._read_header = read_header

    def recognises(self, path: Path, head: bytes) -> bool:
        header, head = head_of_header(path, head)
        return bool(head) and self._recognises_head(header, head)

    def scan(self, path: Path) -> tuple[Series, ...]:
        path = header_of(path)
        image = self._read_header(path)
        files = tuple(dict.fromkeys((path, *(stored.path for stored in image.stored))))
        return series_of(self.name, files, image.geometry, image.volume_count, image.findings, image.mark)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        path, index = series.files[0], int(series.details or 0)
        image = self._read_header(path)
        if not 0 <= index < image.volume_count:
            raise FileRefused(path, f"has no volume {index + 1}; it holds {image.volume_count} now.", "Open it again.")
        preflight.check_memory(path, 4 * image.voxel_count)
        sink, start = image.sink(path, index)
        yield from read_into(sink, image.stored, image.share, start, stop)
        voxels, findings = sink.result(image.geometry.shape)
        return volume_from_file(series, voxels, image.geometry, (*image.findings, *findings), image.mark)

    def preview(self, series: Series) -> Volume | None:
        path, index = series.files[0], int(series.details or 0)
        image = self._read_header(path)
        k, (_, rows, columns) = image.geometry.shape[0] // 2, image.geometry.shape
        sink, start = image.sink(path, index, k * rows * columns, rows * columns)
        part = image.stored[0]
        if part.lead + (start + sink.byte_count - 1) % image.share >= _PEEKED[part.encoding]:
            return None
        peek_into(sink, image.stored, image.share, start)
        try:
            voxels, _ = sink.result((1, rows, columns))
        except FileRefused:  # nothing finite in this slice; there may be elsewhere
            return None
        volume = volume_from_file(series, voxels, image.geometry.cropped((k, 0, 0), (1, rows, columns)), (), image.mark)
        return replace(volume, domain=series.domain, name=series.label, findings=image.findings)


def series_of(
    format_name: str, files: tuple[Path, ...], geometry: Geometry, count: int, findings: tuple[Finding, ...], mark_text: str = ""
) -> tuple[Series, ...]:
    """One series for each of `count` volumes on one grid; the header comes first among `files`.

    Raises `FileRefused` when there are more than can be listed.
    """
    path = files[0]
    if count > MOST_VOLUMES:
        problem = f"holds {count} volumes; up to {MOST_VOLUMES} can be listed."
        raise FileRefused(path, problem, "Split it and open the volume you need.")
    mark = read_mark(mark_text)
    domain = mark.domain or domain_by_name(path.name)
    label = f"{label_start(domain, mark)}{slice_count(geometry)}, {path.name}"
    first = Series(
        path=path,
        format_name=format_name,
        domain=domain,
        label=label,
        files=files,
        shape=geometry.shape,
        spacing=geometry.spacing,
        synthetic=mark.synthetic,
        plane=geometry.plane,
        findings=(*findings, *mark.findings),
        details=0,
    )
    if count == 1:
        return (first,)
    return tuple(replace(first, label=f"{label}, volume {index + 1} of {count}", details=index) for index in range(count))
