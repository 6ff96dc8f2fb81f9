"""NRRD headers: .nrrd, and .nhdr with data files beside it. Fields as in the NRRD definition, versions 1 to 5."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.nrrd_grid import Fields, grid_of, list_axis
from ctmri_core.io.raw_image import RawImage
from ctmri_core.io.text_headers import MOST_HEADER_BYTES, header_lines, slice_files, whole_numbers
from ctmri_core.io.unpacking import Encoding

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES = {name: code for code, names in _TYPES.items() for name in names}
_ENCODINGS: dict[str, Encoding] = {
    "raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
    "ascii": "text", "text": "text", "txt": "text", "hex": "hex",
}  # fmt: skip


def read_nrrd(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the field."""
    fields, names, header_end = _parsed(path, preflight.head_of(path, MOST_HEADER_BYTES))
    (dimensions,) = whole_numbers(path, "dimension", fields.get("dimension", ""), 1)
    if dimensions not in (2, 3, 4):
        raise FileRefused(path, f"dimension is {dimensions}; it must be from 2 to 4.", "Save one volume alone.")
    sizes = whole_numbers(path, "sizes", fields.get("sizes", ""), dimensions)
    preflight.check_shape(path, sizes, "sizes")
    among = list_axis(path, fields, dimensions)
    geometry, findings = grid_of(path, fields, sizes, among)
    image = RawImage(
        stored=(),
        dtype=_dtype(path, fields),
        geometry=geometry,
        findings=findings,
        mark=fields.get("content", ""),
        volume_count=1 if among is None else sizes[among],
        interleaved=among == 0,
    )
    image = replace(image, stored=_stored(path, fields, names, header_end, image))
    image.check_lengths()
    return replace(image, findings=(*image.findings, *image.cut_text()))


def _parsed(path: Path, head: bytes) -> tuple[Fields, list[str], int]:
    """(values by lower-case field, names of a list of files, where the voxels begin).

    An empty line or the end of the file ends the header; `data file: LIST` does, too, and the names follow.
    """
    fields: Fields = {}
    lines, name = header_lines(path, head), ""
    _, end = next(lines)
    for line, end in lines:
        if not line:
            return fields, [], end
        if line.startswith("#"):
            continue
        field, colon, value = line.partition(":")
        if not colon:
            raise FileRefused(path, "has a header line that is neither field nor comment.", "The header is damaged.")
        if value.startswith("="):  # a key and its value, which may bear the name of a field and yet is none
            continue
        name = field.strip().lower().replace(" ", "")
        fields[name] = value.strip()
        if name == "datafile" and value.split()[:1] == ["LIST"]:
            return fields, [file for file, _ in lines], end
    cut = not head.endswith(b"\n") and name != "datafile"  # a number may have lost digits
    if "datafile" not in fields or len(head) == MOST_HEADER_BYTES or cut:
        raise FileRefused(path, "is incomplete: its header has no end.", "Copy or export it again.")
    return fields, [], end


def _dtype(path: Path, fields: Fields) -> np.dtype[np.generic]:
    code = _CODES.get(" ".join(fields.get("type", "").lower().split()))
    if code is None:
        raise FileRefused(path, f"type is {fields.get('type', '')[:20]!r}, no type of grey values.", "Export it as grey values.")
    matters = code[1] != "1" and _encoding(path, fields) != "text"
    endian = fields.get("endian", "" if matters else "little").lower()
    if endian not in ("little", "big"):
        raise FileRefused(path, f"endian is {endian[:10]!r}; it must be little or big.", "The header is damaged.")
    return np.dtype(code).newbyteorder(">" if endian == "big" and matters else "<")


def _encoding(path: Path, fields: Fields) -> Encoding:
    name = fields.get("encoding", "").lower()
    if name not in _ENCODINGS:
        raise FileRefused(path, f"encoding is {name[:20]!r}; raw, gzip, bzip2, ascii and hex can be read.", "Save it again.")
    return _ENCODINGS[name]


def _stored(path: Path, fields: Fields, names: list[str], header_end: int, image: RawImage) -> tuple[Stored, ...]:
    encoding, text = _encoding(path, fields), fields.get("datafile")
    files = slice_files(path, "data file", text, names) if text else (path,)
    lines = whole_numbers(path, "line skip", fields.get("lineskip", "0"), 1)[0]
    skip = whole_numbers(path, "byte skip", fields.get("byteskip", "0"), 1)[0]
    if lines < 0 or skip < -1 or (skip == -1 and encoding != "raw"):
        name, value = ("line skip", lines) if lines < 0 else ("byte skip", skip)
        raise FileRefused(path, f"{name} is {value}, which means nothing here.", "The header is damaged.")
    share = math.prod((image.voxel_count, image.volume_count, image.dtype.itemsize)) // len(files)
    return tuple(_part(file, 0 if text else header_end, encoding, lines, skip, share, image.dtype.str) for file in files)


def _part(file: Path, start: int, encoding: Encoding, lines: int, skip: int, share: int, number_type: str) -> Stored:
    """`lines` are passed over before unpacking, `skip` bytes after it; -1: the voxels are the last bytes of the file."""
    if skip == -1:
        return Stored(file, "raw", max(0, preflight.regular_file(file) - share))
    if lines:
        head = preflight.head_of(file, start + MOST_HEADER_BYTES)
        for _ in range(lines):
            start = head.find(b"\n", start) + 1
            if start == 0:
                raise FileRefused(file, f"has fewer lines than the {lines} that are to be passed over.", "The header is damaged.")
    return Stored(file, encoding, start, lead=skip, number_type=number_type)
