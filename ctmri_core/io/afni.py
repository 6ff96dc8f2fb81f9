"""AFNI volumes: a text header (.HEAD) with the voxels in .BRIK or .BRIK.gz beside it. Attributes as AFNI documents them.

Truncated text is told by the count that each attribute gives of its own values.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.raw_image import RawImage, RawImageReader
from ctmri_core.io.text_headers import MOST_HEADER_BYTES, numbers, whole_numbers
from ctmri_core.volume import Finding

_SUFFIX = ".head"
_TYPES = {0: "u1", 1: "i2", 3: "f4"}  # AFNI keeps volumes of no other type but complex numbers (5)
_BEGINS = re.compile(r"^[ \t]*type[ \t]*=", re.MULTILINE)
_ATTRIBUTE = re.compile(r"\s*(\S+)\s+name\s*=\s*(\S+)\s+count\s*=\s*([0-9]{1,9})[^\S\n]*\n")
_SIZES_APART = 0.01
_DAMAGED = "The header is damaged."
_Attributes = dict[str, str]


def read_afni(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the attribute."""
    attributes = _attributes(path)
    i, j, k = whole_numbers(path, "DATASET_DIMENSIONS", _needed(path, attributes, "DATASET_DIMENSIONS"))[:3]
    preflight.check_shape(path, (i, j, k), "DATASET_DIMENSIONS")
    axes, count = whole_numbers(path, "DATASET_RANK", _needed(path, attributes, "DATASET_RANK"))[:2]
    if axes != 3 or not 1 <= count < 2**31:
        raise FileRefused(path, f"DATASET_RANK is {axes} {count}; it must be 3 and a number of volumes.", _DAMAGED)
    geometry, findings = _geometry(path, attributes, (k, j, i))
    slopes, unscaled = _slopes(path, attributes, count)
    data = _data_file(path)
    packed = preflight.kind(preflight.head_of(data)) == "gzip"
    image = RawImage(
        stored=(Stored(data, "gzip" if packed else "raw"),),
        dtype=_dtype(path, attributes, count),
        geometry=geometry,
        findings=(*findings, *unscaled),
        volume_count=count,
        slopes=slopes,
    )
    image.check_lengths()
    return image


def _attributes(path: Path) -> _Attributes:
    if preflight.regular_file(path) > MOST_HEADER_BYTES:
        raise FileRefused(path, "has a header of more than a megabyte.", "Remove its history and save it again.")
    text = preflight.head_of(path, MOST_HEADER_BYTES).decode("latin-1").replace("\r", "")
    if not text[-1:].isspace():
        raise FileRefused(path, "is incomplete: its last line has no end.", "Copy or export it again.")
    attributes: _Attributes = {}
    for part in _BEGINS.split(text)[1:]:
        begins = _ATTRIBUTE.match(part)
        if begins is None:  # damaged; it is missed where it is needed
            continue
        kind, name, count = begins.groups()
        value = part[begins.end() :]
        if kind == "string-attribute":
            present = len(value.strip("\n").removeprefix("'"))
            attributes[name] = value.strip().removeprefix("'").rstrip("~")
        else:
            present = len(value.split())
            attributes[name] = value
        if present < int(count):
            raise FileRefused(path, f"{name[:40]} is incomplete: it has {present} of {count} values.", "Copy or export it again.")
    return attributes


def _needed(path: Path, attributes: _Attributes, name: str) -> str:
    if name not in attributes:
        raise FileRefused(path, f"{name} is missing: its header is incomplete.", "Copy or export it again.")
    return attributes[name] + (" 0 0" if name == "DATASET_RANK" else "")


def _data_file(path: Path) -> Path:
    stem = path.name[: -len(_SUFFIX)]
    names = [stem + suffix for suffix in (".BRIK", ".BRIK.gz", ".brik", ".brik.gz")]
    for name in names:
        if (path.parent / name).exists():
            return preflight.beside(path, name)
    raise FileRefused(path, "has no data file (.BRIK) beside it.", "Put both files in one folder; unpack .bz2 and .Z files.")


def _dtype(path: Path, attributes: _Attributes, count: int) -> np.dtype[np.generic]:
    codes = whole_numbers(path, "BRICK_TYPES", _needed(path, attributes, "BRICK_TYPES"))
    if len(set(codes)) > 1 or len(codes) != count or codes[0] not in _TYPES:
        kinds = " ".join(str(code) for code in codes[:8])
        problem = f"BRICK_TYPES is {kinds}; all volumes must be of one type, 0, 1 or 3."
        raise FileRefused(path, problem, "Export it as grey values.")
    order = attributes.get("BYTEORDER_STRING", "LSB_FIRST" if codes[0] == 0 else "")
    if order not in ("LSB_FIRST", "MSB_FIRST"):
        raise FileRefused(path, f"BYTEORDER_STRING is {order[:20]!r}; it must be LSB_FIRST or MSB_FIRST.", _DAMAGED)
    return np.dtype(_TYPES[codes[0]]).newbyteorder("<" if order == "LSB_FIRST" else ">")


def _slopes(path: Path, attributes: _Attributes, count: int) -> tuple[tuple[float, ...], tuple[Finding, ...]]:
    """One factor for each volume; 0 stands for none."""
    text = attributes.get("BRICK_FLOAT_FACS")
    if text is None:
        message = "The header does not say by what the stored values are to be multiplied; they are shown as stored."
        return (1.0,) * count, (Finding("not_scaled", message, serious=True),)
    return tuple(value or 1.0 for value in numbers(path, "BRICK_FLOAT_FACS", text, count)), ()


def _geometry(path: Path, attributes: _Attributes, shape: tuple[int, int, int]) -> tuple[Geometry, tuple[Finding, ...]]:
    """IJK_TO_DICOM_REAL leads from (i, j, k) to LPS mm; DELTA must say the same voxel size."""
    sizes = [abs(value) for value in numbers(path, "DELTA", _needed(path, attributes, "DELTA"), 3)]
    preflight.check_spacing(path, sizes, "DELTA")
    affine = np.eye(4)
    values = numbers(path, "IJK_TO_DICOM_REAL", _needed(path, attributes, "IJK_TO_DICOM_REAL"), 12)
    affine[:3] = np.reshape(values, (3, 4))[:, [2, 1, 0, 3]]
    geometry = preflight.checked_geometry(path, shape, affine, "IJK_TO_DICOM_REAL")
    apart = max(abs(math.log(one / other)) for one, other in zip(geometry.spacing, sizes[::-1], strict=True))
    if apart > _SIZES_APART:
        message = "The file gives two voxel sizes (DELTA and IJK_TO_DICOM_REAL) that differ by more than 1 %; the latter is used."
        return geometry, (Finding("spacing_conflict", message, serious=True),)
    return geometry, ()


def _is_afni(path: Path, head: bytes) -> bool:
    return path.name.lower().endswith(_SUFFIX) and b"attribute" in head


AFNI_READER = RawImageReader("AFNI", _is_afni, read_afni)
