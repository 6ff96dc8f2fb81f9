"""What a text header (MetaImage, NRRD) says about its voxels, checked, and the one way such voxels are read.

These headers are parsed here and not by ITK, which they can crash (measured: `NDims=-1`, a `%s` in a file name, long tokens).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.events import StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored, read_bytes
from ctmri_core.io.domain_guess import domain_by_name
from ctmri_core.io.provenance import label_start, read_mark, slice_count, volume_from_file
from ctmri_core.io.series import Series
from ctmri_core.io.stored_values import to_voxels
from ctmri_core.volume import Finding, Volume

MOST_HEADER_BYTES = 1 << 16
MOST_LINE_BYTES = 4096
NO_THICKNESS = Finding("estimated_spacing", "A single slice without thickness; 1 mm is assumed.")
NO_SPACING = Finding("estimated_spacing", "The file gives no voxel size; 1 mm is assumed, so lengths are not real.", serious=True)


@dataclass(frozen=True)
class RawImage:
    """A checked header. `mark`: free text in which our own mark may stand."""

    stored: Stored
    dtype: np.dtype[Any]
    geometry: Geometry
    findings: tuple[Finding, ...]
    mark: str

    @property
    def byte_count(self) -> int:
        """Of the unpacked voxels."""
        return math.prod(self.geometry.shape) * self.dtype.itemsize

    def check_lengths(self) -> None:
        """Refuses a header whose sizes disagree with the bytes on disk: too few are missing voxels, too many a wrong size."""
        path = self.stored.path
        present = preflight.regular_file(path) - self.stored.start
        if self.stored.length is not None:
            if self.stored.length > present:
                problem = f"is incomplete: the header promises {self.stored.length} compressed bytes, the file holds {present}."
                raise FileRefused(path, problem, "Copy or export it again.")
            present = self.stored.length
        preflight.check_claim(path, self.byte_count, present, 1 if self.stored.encoding == "raw" else preflight.DEFLATE_LIMIT)
        if self.stored.encoding == "raw" and present > self.byte_count:
            problem = f"holds {present} bytes of voxels, but its header describes {self.byte_count}."
            raise FileRefused(path, problem, "The header is damaged.")


def series_of(path: Path, format_name: str, image: RawImage) -> Series:
    """The one series of a file with `image` in it."""
    mark = read_mark(image.mark)
    domain = mark.domain or domain_by_name(path.name)
    return Series(
        path=path,
        format_name=format_name,
        domain=domain,
        label=f"{label_start(domain, mark)}{slice_count(image.geometry)}, {path.name}",
        files=(path,) if image.stored.path == path else (path, image.stored.path),
        shape=image.geometry.shape,
        spacing=image.geometry.spacing,
        synthetic=mark.synthetic,
        findings=image.findings,
    )


def load_image(series: Series, image: RawImage, stop: StopSignal) -> Work[Volume]:
    """Reads and checks all bytes of `image`."""
    path = series.files[0]
    preflight.check_memory(path, image.byte_count + 4 * math.prod(image.geometry.shape))  # as stored, and as float32
    content: NDArray[np.uint8] = yield from read_bytes(image.stored, 0, image.byte_count, image.byte_count, stop)
    voxels, findings = to_voxels(path, content.view(image.dtype).reshape(image.geometry.shape))
    return volume_from_file(series, voxels, image.geometry, (*image.findings, *findings), image.mark)


def numbers(path: Path, field: str, text: str, count: int | None = None) -> list[float]:
    """Finite numbers of a header line. Refuses other words, NaN, infinity and a wrong count, naming the field."""
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    if not values or (count is not None and len(values) != count) or not all(map(math.isfinite, values)):
        wanted = f"{count} finite numbers" if count else "finite numbers"
        raise FileRefused(path, f"{field} is {text[:40]!r}; {wanted} are needed.", "The header is damaged.")
    return values


def whole_numbers(path: Path, field: str, text: str, count: int | None = None) -> list[int]:
    """As `numbers`, for sizes and counts."""
    values = numbers(path, field, text, count)
    if not all(value.is_integer() and abs(value) < 2**40 for value in values):
        raise FileRefused(path, f"{field} is {text[:40]!r}; whole numbers are needed.", "The header is damaged.")
    return [int(value) for value in values]


def header_lines(path: Path, head: bytes) -> Iterator[tuple[str, int]]:
    """(line, position after it), one by one: the caller stops where the header ends and the voxels begin."""
    position = 0
    while position < len(head):
        end = head.find(b"\n", position, position + MOST_LINE_BYTES)
        if end < 0:
            end = len(head)
        line = head[position:end].rstrip(b"\r")
        position = end + 1
        if len(line) > MOST_LINE_BYTES or b"\0" in line:
            raise FileRefused(path, "has a header line that is no text or has no end.", "The header is damaged.")
        yield line.decode("utf-8", "replace"), position
