"""Pictures and archives: written by Pillow, tifffile and zipfile, to be read back by Pillow and tifffile."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from ctmri_core.geometry import Geometry

NAME = "Kopf größe 頭 1"
_UNIT = (1.0, 1.0, 1.0)
Writer = Callable[[Path, np.ndarray, Geometry], Path]
Reader = Callable[[Path], tuple[np.ndarray, Geometry]]


def write_stack(suffix: str, kind: type, scale: int = 1) -> Writer:
    """A folder of one picture a slice, of which some are numbered with one digit and some with two."""

    def write(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
        path = folder / NAME
        path.mkdir()
        for k, plane in enumerate(voxels):
            Image.fromarray(((plane + 2000) // scale).astype(kind)).save(path / f"slice {k + 8}{suffix}")
        return path

    return write


def read_stack(path: Path) -> tuple[np.ndarray, Geometry]:
    files = sorted(path.iterdir(), key=lambda file: int(file.stem.split()[-1]))
    voxels = np.stack([np.asarray(Image.open(file)) for file in files]).astype(np.int32)
    return voxels, Geometry(voxels.shape, _UNIT)


def write_pages(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    path = folder / f"{NAME}.tif"
    tifffile.imwrite(path, voxels, byteorder=">", compression="zlib", predictor=True, photometric="minisblack")
    return path


def read_pages(path: Path) -> tuple[np.ndarray, Geometry]:
    voxels = tifffile.imread(path)
    return voxels, Geometry(voxels.shape, _UNIT)


def write_zip(write: Writer) -> Writer:
    """What `write` makes, packed; the first of its files is kept as it was, for `read_zip`."""

    def packed(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
        inner = folder.with_name(f"{folder.name} unpacked {len(list(folder.parent.iterdir()))}")
        inner.mkdir()
        made = write(inner, voxels, geometry)
        path = folder / f"{NAME}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(file for file in inner.rglob("*") if file.is_file()):
                archive.write(file, file.relative_to(inner))
            archive.comment = str(made).encode()
        return path

    return packed


def read_zip(read: Reader) -> Reader:
    def unpacked(path: Path) -> tuple[np.ndarray, Geometry]:
        with zipfile.ZipFile(path) as archive:
            return read(Path(archive.comment.decode()))

    return unpacked
