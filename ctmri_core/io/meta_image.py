"""MetaImage headers: .mha, and .mhd with a data file beside it. Keys as in ITK's MetaIO; coordinates are LPS millimetres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.raw_image import (
    MOST_HEADER_BYTES,
    NO_SPACING,
    NO_THICKNESS,
    RawImage,
    header_lines,
    numbers,
    whole_numbers,
)
from ctmri_core.volume import Finding

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_Fields = dict[str, str]


def read_meta_image(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the key."""
    fields, header_end = _parsed(path, preflight.head_of(path, MOST_HEADER_BYTES))
    _check_kind(path, fields)
    (dimensions,) = whole_numbers(path, "NDims", fields.get("ndims", ""), 1)
    if dimensions not in (2, 3):
        raise FileRefused(path, f"NDims is {dimensions}; it must be 2 or 3.", "Save one volume alone.")
    sizes = whole_numbers(path, "DimSize", fields.get("dimsize", ""), dimensions)
    preflight.check_shape(path, sizes, "DimSize")
    geometry, findings = _geometry(path, fields, sizes)
    image = RawImage(
        stored=_stored(path, fields, header_end),
        dtype=_dtype(path, fields),
        geometry=geometry,
        findings=findings,
        mark=fields.get("comment", ""),
    )
    return _from_the_end(image) if fields.get("headersize") == "-1" else _checked(image)


def _parsed(path: Path, head: bytes) -> tuple[_Fields, int]:
    """(values by lower-case key, where the header ends); the data file's name is its last line."""
    fields: _Fields = {}
    for line, end in header_lines(path, head):
        key, equals, value = line.partition("=")
        if not equals:
            if line.strip():
                break
            continue
        fields[key.strip().lower()] = value.strip()
        if key.strip().lower() == "elementdatafile":
            return fields, end
    raise FileRefused(path, "has no ElementDataFile line: its header is incomplete.", "Copy or export it again.")


def _check_kind(path: Path, fields: _Fields) -> None:
    if fields.get("objecttype", "Image").lower() != "image":
        raise FileRefused(path, f"ObjectType is {fields['objecttype'][:20]!r}, not an image.", "Choose an image file.")
    if fields.get("elementnumberofchannels", "1") != "1":
        raise FileRefused(path, "has several channels (colour or vectors).", "Export it as grey values.")
    if fields.get("binarydata", "true").lower() != "true":
        raise FileRefused(path, "stores its voxels as text (BinaryData = False).", "Save it again in binary form.")


def _dtype(path: Path, fields: _Fields) -> np.dtype[np.generic]:
    name = fields.get("elementtype", "")
    if name not in _TYPES:
        raise FileRefused(path, f"ElementType is {name[:20]!r}; {', '.join(_TYPES)} can be read.", "Export it as grey values.")
    big = fields.get("elementbyteordermsb", fields.get("binarydatabyteordermsb", "false")).lower() in ("true", "1")
    return np.dtype(_TYPES[name]).newbyteorder(">" if big else "<")


def _geometry(path: Path, fields: _Fields, sizes: list[int]) -> tuple[Geometry, tuple[Finding, ...]]:
    count, flat = len(sizes), len(sizes) == 2
    spacing_text = fields.get("elementspacing", fields.get("elementsize"))
    spacing = numbers(path, "ElementSpacing", spacing_text, count) if spacing_text else [1.0] * count
    preflight.check_spacing(path, spacing, "ElementSpacing")
    origin_text = next((fields[key] for key in ("offset", "position", "origin") if key in fields), None)
    origin = numbers(path, "Offset", origin_text, count) if origin_text else [0.0] * count
    matrix_text = next((fields[key] for key in ("transformmatrix", "rotation", "orientation") if key in fields), None)
    matrix = np.eye(3)
    if matrix_text:  # line by line the directions of the axes i, j, k (ITK's matrix has them as columns)
        matrix[:count, :count] = np.reshape(numbers(path, "TransformMatrix", matrix_text, count * count), (count, count))
    affine = np.eye(4)
    affine[:3, :3] = (matrix * np.array([*spacing, 1.0][:3])[:, None])[::-1].T
    affine[:count, 3] = origin
    i, j, k = [*sizes, 1][:3]
    geometry = preflight.checked_geometry(path, (k, j, i), affine, "TransformMatrix")
    findings = [NO_SPACING] if not spacing_text else [NO_THICKNESS] if flat else []
    if not matrix_text or flat:
        message = "The file does not say how the patient lies: left and right, front and back are a guess."
        findings.append(Finding("missing_orientation", message, serious=True))
    return geometry, tuple(findings)


def _stored(path: Path, fields: _Fields, header_end: int) -> Stored:
    name = fields["elementdatafile"]
    if name.split()[:1] == ["LIST"] or "%" in name:
        raise FileRefused(path, "keeps its slices in several files, which cannot be read.", "Save it as one file.")
    data = path if name.lower() == "local" else preflight.beside(path, name)
    start = header_end if data == path else 0
    skip = whole_numbers(path, "HeaderSize", fields.get("headersize", "0"), 1)[0]
    if skip < -1:
        raise FileRefused(path, f"HeaderSize is {skip}.", "The header is damaged.")
    start = max(start, skip)
    if fields.get("compresseddata", "false").lower() != "true":
        return Stored(data, "raw", start)
    length = whole_numbers(path, "CompressedDataSize", fields.get("compresseddatasize", "0"), 1)[0]
    if length < 0:
        raise FileRefused(path, f"CompressedDataSize is {length}.", "The header is damaged.")
    return Stored(data, "zlib", start, length or None)


def _from_the_end(image: RawImage) -> RawImage:
    """HeaderSize = -1: the voxels are the last bytes of the file, whatever stands before."""
    present = preflight.regular_file(image.stored.path)
    preflight.check_claim(image.stored.path, image.byte_count, present)
    stored = Stored(image.stored.path, "raw", present - image.byte_count)
    return _checked(RawImage(stored, image.dtype, image.geometry, image.findings, image.mark))


def _checked(image: RawImage) -> RawImage:
    image.check_lengths()
    return image
