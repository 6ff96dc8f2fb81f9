"""Volumes as one file, written slice by slice: NIfTI, MetaImage and NRRD.

Written here and not by ITK, which writes in one step that cannot be stopped and keeps a full disk to itself. Headers are made
anew from grid, type and mark: nothing of an input's header can be carried over. Each writer yields how many slices are written.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import nibabel as nib
import numpy as np

from ctmri_core.io.provenance import mark_of
from ctmri_core.volume import Volume

_LEVEL = 1  # of zlib: several times as fast as the usual 6 for a tenth more bytes
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SCANNER_SPACE = 1
_NIFTI_DATA_OFFSET = 352
_DIGITS = 20  # of the number of compressed bytes, known only when they are written


def write_nifti(volume: Volume, path: Path) -> Iterator[int]:
    """NIfTI-1 with equal sform and qform; deflated where the name ends in .gz. The mark stands in `descrip`."""
    affine = (_LPS_TO_RAS @ volume.geometry.affine)[:, [2, 1, 0, 3]]
    header = nib.Nifti1Image(volume.voxels.T, affine, dtype=volume.voxels.dtype).header
    header.set_sform(affine, _SCANNER_SPACE)
    header.set_qform(affine, _SCANNER_SPACE)
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header.set_data_offset(_NIFTI_DATA_OFFSET)
    header["descrip"] = mark_of(volume)
    yield 0
    with ExitStack() as opened:
        file: IO[bytes] = opened.enter_context(path.open("wb"))
        if path.suffix.lower() == ".gz":
            packed = gzip.GzipFile("", "wb", _LEVEL, file, mtime=0)
            file = cast(IO[bytes], opened.enter_context(packed))
        file.write(header.binaryblock.ljust(_NIFTI_DATA_OFFSET, b"\0"))
        for k, voxels in enumerate(volume.voxels, 1):  # (k, j, i) in C order is (i, j, k) in Fortran order
            file.write(np.ascontiguousarray(voxels).data)
            yield k


def write_meta_image(volume: Volume, path: Path) -> Iterator[int]:
    """MetaImage in one file, zlib. The mark stands in `Comment`."""
    spacing, origin, direction = volume.geometry.to_itk()
    columns = np.reshape(direction, (3, 3)).T  # the file lists the directions of the axes one after another
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "Comment": mark_of(volume),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": "0" * _DIGITS,
        "TransformMatrix": _spaced(columns.ravel()),
        "Offset": _spaced(origin),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": _spaced(spacing),
        "DimSize": " ".join(map(str, volume.geometry.shape[::-1])),
        "ElementType": "MET_SHORT" if volume.voxels.dtype == np.int16 else "MET_FLOAT",
        "ElementDataFile": "LOCAL",
    }
    header = "".join(f"{key} = {value}\n" for key, value in fields.items()).encode("ascii")
    yield 0
    with path.open("wb") as file:
        file.write(header)
        packer = zlib.compressobj(_LEVEL)
        size = 0
        for k, voxels in enumerate(volume.voxels, 1):
            size += file.write(packer.compress(_little(voxels)))
            yield k
        size += file.write(packer.flush())
        file.seek(header.index(b"0" * _DIGITS))
        file.write(f"{size:<{_DIGITS}d}".encode("ascii"))


def write_nrrd(volume: Volume, path: Path) -> Iterator[int]:
    """NRRD in one file, gzip. The mark stands in `content`."""
    grid = volume.geometry
    vectors = [grid.axes[axis] * grid.spacing[axis] for axis in (2, 1, 0)]
    lines = (
        "NRRD0004",
        f"content: {mark_of(volume)}",
        f"type: {'short' if volume.voxels.dtype == np.int16 else 'float'}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, grid.shape[::-1]))}",
        f"space directions: {' '.join(map(_vector, vectors))}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(grid.origin)}",
    )
    yield 0
    with path.open("wb") as file:
        file.write("\n".join((*lines, "", "")).encode("ascii"))
        with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
            for k, voxels in enumerate(volume.voxels, 1):
                packed.write(_little(voxels))
                yield k


def _little(voxels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> memoryview:
    return np.ascontiguousarray(voxels, voxels.dtype.newbyteorder("<")).data.cast("B")


def _spaced(values: object) -> str:
    return " ".join(repr(float(value)) for value in np.asarray(values, np.float64))


def _vector(values: object) -> str:
    return f"({','.join(repr(float(value)) for value in np.asarray(values, np.float64))})"
