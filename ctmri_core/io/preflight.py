"""Checks made on a file before any parser sees it: what it is, and whether it can be what it says.

Small files can claim the memory of the machine and text headers can crash native libraries, so sizes are compared with the
bytes that are really there, and with the memory that is free, before anything is allocated or handed on.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import ArrayLike

from ctmri_core.errors import FileRefused, GeometryMismatch
from ctmri_core.geometry import Geometry

HEAD_BYTES = 1024
DEFLATE_LIMIT = 1032
"""Most bytes that one byte of a deflate stream (gzip, PNG, zlib) can stand for (RFC 1951: 258 bytes in two bits)."""

_MEMORY_SHARE = 0.6  # the conversion to int16 or float32 and the app itself need the rest
_MAX_AXIS = 65535
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"NRRD000", "nrrd"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),  # an empty one
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (257, b"ustar", "tar"),
    (4, b"n+2\0\r\n\x1a\n", "nifti"),
    (4, b"ni2\0\r\n\x1a\n", "nifti"),
    (344, b"n+1\0", "nifti"),
    (344, b"ni1\0", "nifti"),
    (128, b"DICM", "dicom"),  # before TIFF, whose mark may stand in the preamble of a DICOM file
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
)
_META_IMAGE_KEYS = (b"objecttype", b"ndims", b"comment", b"objectsubtype", b"transformtype")


def regular_file(path: Path) -> int:
    """The size in bytes of a non-empty regular file. Refuses what is missing, empty, a folder, a FIFO or a device."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise FileRefused("unnamed", "the file name holds a zero character.") from None
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused(path, "is not an ordinary file.", "Choose an image file or a folder.")
    if status.st_size == 0:
        raise FileRefused(path, "is empty (0 bytes).", "Copy or export it again.")
    return status.st_size


def head_of(path: Path, count: int = HEAD_BYTES) -> bytes:
    """The first bytes of a regular file. Never blocks, FIFOs included."""
    regular_file(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as handle:
            return handle.read(count)
    except OSError as error:
        raise _unreadable(path, error) from None


@lru_cache(maxsize=4)  # every reader asks it of the same bytes
def kind(head: bytes) -> str | None:
    """By magic bytes: `png`, `jpeg`, `tiff`, `nrrd`, `nifti`, `analyze`, `metaimage`, `dicom`, or an archive: `zip`, `gzip`,
    `7z`, `rar`, `bzip2`, `xz`, `tar`; None when nothing matches.
    """
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") and len(head) >= 348:
        return "analyze"
    key, equals, _ = head[:64].partition(b"=")
    if equals and key.strip().lower() in _META_IMAGE_KEYS:
        return "metaimage"
    return None


def check_shape(path: Path, shape: Sequence[int], field: str) -> None:
    """Refuses axes that are empty, negative or absurdly long."""
    for size in shape:
        if not 1 <= size <= _MAX_AXIS:
            problem = f"{field} has a size of {size}; sizes from 1 to {_MAX_AXIS} can be read."
            raise FileRefused(path, problem, "The header is damaged.")


def check_spacing(path: Path, spacing: Sequence[float], field: str) -> None:
    """Refuses spacing that is not a finite positive number of millimetres."""
    for value in spacing:
        if not math.isfinite(value) or not 1e-4 < value < 1e4:
            problem = f"{field} is {value:g}; voxel spacing must be a positive number of millimetres."
            raise FileRefused(path, problem, "Correct the header and open it again.")


def check_claim(path: Path, claimed: int, present: int, ratio: int = 1) -> None:
    """Refuses a header that claims more bytes of voxels than `present` bytes on disk can hold, or than memory can.

    `ratio`: how many bytes one stored byte may stand for (1 when uncompressed).
    """
    if claimed > present * ratio:
        problem = f"is incomplete: the header promises {claimed} bytes of voxels, the file holds {present}."
        raise FileRefused(path, problem, "Copy or export it again.")
    check_memory(path, claimed)


def check_memory(path: Path, needed: int) -> None:
    """Refuses what does not fit the free memory of the machine."""
    budget = int(psutil.virtual_memory().available * _MEMORY_SHARE)
    if needed > budget:
        problem = f"needs {needed / 2**30:.1f} GB of memory, {budget / 2**30:.1f} GB are free for it."
        raise FileRefused(path, problem, "Close other volumes or crop the file.")


def checked_geometry(path: Path, shape: Sequence[int], affine: ArrayLike, field: str) -> Geometry:
    """`Geometry.from_affine`, (k, j, i) -> LPS mm, with the refusal in the words of a file. `field` names the header entry."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e300 end as infinite and are refused as such
            return Geometry.from_affine(shape, affine)
    except GeometryMismatch as error:
        raise FileRefused(path, f"{field} cannot be used: {error}", "Resample the image onto a straight grid.") from None


def beside(path: Path, name: str) -> Path:
    """A detached data file `name`, which must be a plain name in the folder of its header `path`, and no link out of it."""
    plain = 0 < len(name) < 256 and name.isprintable() and not any(mark in name for mark in '/\\:*?"<>|%')
    if not plain or name in (".", ".."):
        raise FileRefused(path, "names a data file that is not a plain name beside the header.", "Put both files in one folder.")
    data = path.parent / name
    regular_file(data)
    if data.resolve().parent != path.resolve().parent:
        raise FileRefused(path, "its data file is a link to another folder.", "Put both files in one folder.")
    return data


def _unreadable(path: Path, error: OSError) -> FileRefused:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FileRefused(path, "does not exist.", "Check the name, or whether it was moved.")
    if isinstance(error, PermissionError):
        return FileRefused(path, "may not be read (permission denied).", "Change its permissions or copy it.")
    return FileRefused(path, f"cannot be read: {error.strerror or 'input error'}.", "Copy it to this computer and try again.")
