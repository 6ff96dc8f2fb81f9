"""NIfTI-1 and NIfTI-2: .nii, .nii.gz, and .hdr with .img or .img.gz.

The stored voxel order is kept: Fortran-ordered (i, j, k) bytes are C-ordered (k, j, i) bytes. RAS becomes LPS once, here.
"""

from __future__ import annotations

import math
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.events import StopSignal, Work
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored, read_bytes
from ctmri_core.io.domain_guess import domain_by_name
from ctmri_core.io.nifti_header import NiftiHeader, plain_head, read_header
from ctmri_core.io.provenance import label_start, read_mark, slice_count, volume_from_file
from ctmri_core.io.series import Series
from ctmri_core.io.stored_values import to_voxels
from ctmri_core.volume import Volume

_MOST_VOLUMES = 64


class NiftiReader:
    """Reads NIfTI. A file of several volumes (time points, echoes) is one series per volume."""

    name = "NIfTI"

    def recognises(self, path: Path, head: bytes) -> bool:
        if _header_file(path) != path:
            return True
        return bool(head) and preflight.kind(plain_head(path, head)[0]) in ("nifti", "analyze")

    def scan(self, path: Path) -> tuple[Series, ...]:
        path = _header_file(path)
        header = read_header(path)
        if header.volume_count > _MOST_VOLUMES:
            problem = f"holds {header.volume_count} volumes; up to {_MOST_VOLUMES} can be listed."
            raise FileRefused(path, problem, "Split it and open the volume you need.")
        return tuple(self._series(path, header, n) for n in range(header.volume_count))

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        path, index = series.files[0], int(series.details or 0)
        header = read_header(path)
        if not 0 <= index < header.volume_count:
            raise FileRefused(path, f"has no volume {index + 1}; it holds {header.volume_count} now.", "Open it again.")
        preflight.check_memory(path, header.volume_bytes + 4 * math.prod(header.geometry.shape))  # as stored, and as float32
        start = header.offset + index * header.volume_bytes
        stored = Stored(header.data_path, "gzip" if header.compressed else "raw")
        content = yield from read_bytes(stored, start, header.volume_bytes, header.total_bytes, stop)
        raw = content.view(header.dtype).reshape(header.geometry.shape)
        voxels, findings = to_voxels(path, raw, header.slope, header.intercept)
        return volume_from_file(series, voxels, header.geometry, (*header.findings, *findings), header.description)

    def preview(self, series: Series) -> Volume | None:  # noqa: ARG002  # the protocol's signature
        return None

    def _series(self, path: Path, header: NiftiHeader, index: int) -> Series:
        mark = read_mark(header.description)
        domain = mark.domain or domain_by_name(path.name)
        which = f", volume {index + 1} of {header.volume_count}" if header.volume_count > 1 else ""
        return Series(
            path=path,
            format_name=self.name,
            domain=domain,
            label=f"{label_start(domain, mark)}{slice_count(header.geometry)}, {path.name}{which}",
            files=(path,) if header.data_path == path else (path, header.data_path),
            shape=header.geometry.shape,
            spacing=header.geometry.spacing,
            synthetic=mark.synthetic,
            findings=header.findings,
            details=index,
        )


def _header_file(path: Path) -> Path:
    """The .hdr beside an .img; any other path as it is."""
    stem = path.name.removesuffix(".gz")
    if not stem.lower().endswith(".img"):
        return path
    for suffix in (".hdr", ".HDR"):
        header = path.with_name(stem[:-4] + suffix)
        if header.is_file():
            return header
    return path


NIFTI_READER = NiftiReader()
