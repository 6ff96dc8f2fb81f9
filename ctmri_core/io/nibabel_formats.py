"""The readers of Philips PAR/REC and of MINC 1, which nibabel parses in the reader process; what it says is checked here.

MINC 2 is HDF5, for which there is no parser on board, and is refused in words.
"""

from __future__ import annotations

import math
from pathlib import Path

from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.header_files import head_of_header, header_of
from ctmri_core.io.native_nibabel import ForeignHeader
from ctmri_core.io.nifti_header import array_affine
from ctmri_core.io.provenance import volume_from_file
from ctmri_core.io.raw_image import NO_SPACING, series_of
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.io.series import Series
from ctmri_core.volume import Finding, Volume

_TASKS = "ctmri_core.io.native_nibabel:"
_MOST_TEXT = 16 << 20
_BYTES_PER_VOXEL = 8  # in the reader process, and the result
_MARKS_OF_PAR = (b"DATA DESCRIPTION FILE", b"image export tool")  # files of other programs are called .par, too
_END_OF_PAR = b"END OF DATA DESCRIPTION FILE"
_AGAIN = "Copy or export it again."


class NibabelReader:
    """What both formats share: their header comes as a `ForeignHeader`, their volumes whole."""

    name: str
    _task: str
    _sizes_field: str

    def scan(self, path: Path) -> tuple[Series, ...]:
        path = header_of(path)
        files = self._files(path)
        header, geometry, findings = self._header(files)
        return series_of(self.name, files, geometry, header.volume_count, findings)

    def load(self, series: Series, stop: StopSignal) -> Work[Volume]:
        path, index = series.files[0], int(series.details or 0)
        files = self._files(path)
        header, geometry, findings = self._header(files)
        if not 0 <= index < header.volume_count:
            raise FileRefused(path, f"has no volume {index + 1}; it holds {header.volume_count} now.", "Open it again.")
        preflight.check_memory(path, _BYTES_PER_VOXEL * math.prod(geometry.shape))
        yield Progress(done=0, total=1, unit="volumes")
        if stop():
            raise Stopped(f"Opening {path.name} was stopped.")
        voxels, found = shared_reader().call(f"{_TASKS}{self._task}_voxels", *files, index)
        yield Progress(done=1, total=1, unit="volumes")
        if stop():
            raise Stopped(f"Opening {path.name} was stopped.")
        return volume_from_file(series, voxels, geometry, (*findings, *found))

    def preview(self, series: Series) -> Volume | None:  # noqa: ARG002  # the protocol's signature
        return None

    def _files(self, path: Path) -> tuple[Path, ...]:
        raise NotImplementedError

    def _header(self, files: tuple[Path, ...]) -> tuple[ForeignHeader, Geometry, tuple[Finding, ...]]:
        path = files[0]
        header: ForeignHeader = shared_reader().call(f"{_TASKS}{self._task}_header", path)
        preflight.check_shape(path, header.shape, "its number of rows, columns or slices")
        preflight.check_spacing(path, header.sizes, self._sizes_field)
        self._check_length(files[-1], header.stored_bytes)
        affine = array_affine(header.affine[:, [2, 1, 0, 3]], 1.0)
        geometry = preflight.checked_geometry(path, header.shape, affine, "its direction")
        return header, geometry, () if header.sized else (NO_SPACING,)

    def _check_length(self, data: Path, promised: int) -> None:
        present = preflight.regular_file(data)
        if promised > present:
            problem = f"is incomplete: the header promises {promised} bytes of voxels, the file holds {present}."
            raise FileRefused(data, problem, _AGAIN)


class ParRecReader(NibabelReader):
    """Philips PAR/REC, versions 4 to 4.2: text with one line per slice, and the slices as 8 or 16 bit numbers."""

    name = "PAR/REC"
    _task = "par_rec"
    _sizes_field = "its pixel spacing or slice thickness"

    def recognises(self, path: Path, head: bytes) -> bool:
        header, head = head_of_header(path, head)
        return header.name.lower().endswith(".par") and any(mark in head for mark in _MARKS_OF_PAR)

    def _files(self, path: Path) -> tuple[Path, ...]:
        size = preflight.regular_file(path)
        if size > _MOST_TEXT or _END_OF_PAR not in preflight.head_of(path, _MOST_TEXT)[-400:]:
            raise FileRefused(path, "is incomplete: the line that ends a PAR header is missing.", _AGAIN)
        names = [path.name[:-4] + suffix for suffix in (".REC", ".rec", ".Rec")]
        for name in names:
            if (path.parent / name).exists():
                return path, preflight.beside(path, name)
        raise FileRefused(path, "has no data file (.REC) beside it.", "Put both files in one folder.")


class MincReader(NibabelReader):
    """MINC 1, a netCDF file."""

    name = "MINC"
    _task = "minc"
    _sizes_field = "step"

    def recognises(self, path: Path, head: bytes) -> bool:
        return path.name.lower().endswith(".mnc") and head[:4] in (b"CDF\1", b"CDF\2", b"\x89HDF")

    def _files(self, path: Path) -> tuple[Path, ...]:
        if preflight.head_of(path, 4) == b"\x89HDF":
            raise FileRefused(
                path, "is a MINC 2 volume, which cannot be opened here.", "Convert it to NIfTI, for example with mnc2nii."
            )
        return (path,)


PAR_REC_READER = ParRecReader()
MINC_READER = MincReader()
