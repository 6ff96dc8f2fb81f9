"""MetaImage headers: .mha, and .mhd with data files beside it. Keys as in ITK's MetaIO; coordinates are LPS millimetres.

`AnatomicalOrientation` is ignored, as ITK does: the direction matrix says the same in full. A linear function from stored values
to intensities is applied, which ITK does not do.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Stored
from ctmri_core.io.raw_image import NO_ORIENTATION, NO_SPACING, NO_THICKNESS, RawImage
from ctmri_core.io.text_headers import MOST_HEADER_BYTES, header_lines, numbers, slice_files, whole_numbers
from ctmri_core.volume import Finding

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_SPACING = ("elementspacing", "elementsize")
_ORIGIN = ("offset", "position", "origin")
_MATRIX = ("transformmatrix", "rotation", "orientation", "direction")
_BIG_ENDIAN = ("binarydatabyteordermsb", "elementbyteordermsb")  # of both the first counts, as in ITK
_SLOPE, _INTERCEPT = "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset"
_YES, _NO = ("true", "t", "1", "yes"), ("false", "f", "0", "no", "")
_Fields = dict[str, str]


def read_meta_image(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the key."""
    fields, names, header_end = _parsed(path, preflight.head_of(path, MOST_HEADER_BYTES))
    _check_kind(path, fields)
    (dimensions,) = whole_numbers(path, "NDims", fields.get("ndims", ""), 1)
    if dimensions not in (2, 3, 4):
        raise FileRefused(path, f"NDims is {dimensions}; it must be from 2 to 4.", "Save one volume alone.")
    sizes = whole_numbers(path, "DimSize", fields.get("dimsize", ""), dimensions)
    preflight.check_shape(path, sizes, "DimSize")
    geometry, findings = _geometry(path, fields, sizes)
    slope, intercept, scaled = _scale(path, fields)
    image = RawImage(
        stored=(),
        dtype=_dtype(path, fields),
        geometry=geometry,
        findings=(*findings, *scaled),
        mark=fields.get("comment", ""),
        volume_count=math.prod(sizes[3:]),
        slope=slope,
        intercept=intercept,
    )
    image = replace(image, stored=_stored(path, fields, names, header_end, image))
    image.check_lengths()
    return replace(image, findings=(*image.findings, *image.cut_text()))


def _parsed(path: Path, head: bytes) -> tuple[_Fields, list[str], int]:
    """(values by lower-case key, lines behind the header, where it ends); the data file's name is its last line."""
    fields: _Fields = {}
    lines = header_lines(path, head)
    for line, end in lines:
        key, equals, value = line.partition("=")
        if not equals:
            if line.strip():
                break
            continue
        fields[key.strip().lower()] = value.strip()
        if key.strip().lower() == "elementdatafile":
            listed = value.split()[:1] == ["LIST"]
            return fields, [name for name, _ in lines] if listed else [], end
    raise FileRefused(path, "has no ElementDataFile line: its header is incomplete.", "Copy or export it again.")


def _first(fields: _Fields, keys: tuple[str, ...]) -> str:
    return next((fields[key] for key in keys if fields.get(key)), "")


def _flag(path: Path, fields: _Fields, *keys: str) -> bool:
    """The first of `keys` that is there; others read garbage as the one or the other."""
    value = _first(fields, keys).lower()
    if value not in _YES + _NO:
        raise FileRefused(path, f"{keys[0]} is {value[:20]!r}; it must be True or False.", "The header is damaged.")
    return value in _YES


def _as_text(path: Path, fields: _Fields) -> bool:
    return "binarydata" in fields and not _flag(path, fields, "binarydata")


def _check_kind(path: Path, fields: _Fields) -> None:
    if fields.get("objecttype", "Image").lower() != "image":
        raise FileRefused(path, f"ObjectType is {fields['objecttype'][:20]!r}, not an image.", "Choose an image file.")
    if fields.get("elementnumberofchannels", "1") != "1":
        raise FileRefused(path, "has several channels (colour or vectors).", "Export it as grey values.")


def _dtype(path: Path, fields: _Fields) -> np.dtype[np.generic]:
    name = fields.get("elementtype", "")
    if name not in _TYPES:
        raise FileRefused(path, f"ElementType is {name[:20]!r}; {', '.join(_TYPES)} can be read.", "Export it as grey values.")
    big = _flag(path, fields, *_BIG_ENDIAN) and not _as_text(path, fields)
    return np.dtype(_TYPES[name]).newbyteorder(">" if big else "<")


def _scale(path: Path, fields: _Fields) -> tuple[float, float, tuple[Finding, ...]]:
    values = []
    for key, default in ((_SLOPE, 1.0), (_INTERCEPT, 0.0)):
        text = fields.get(key.lower())
        values.append(numbers(path, key, text, 1)[0] if text else default)
    slope, intercept = values
    if slope == 0:
        raise FileRefused(path, f"{_SLOPE} is 0.", "Correct the header and open it again.")
    if (slope, intercept) == (1.0, 0.0):
        return 1.0, 0.0, ()
    message = f"The stored values are scaled as the file says (times {slope:g}, plus {intercept:g}); ITK's programs do not do so."
    return slope, intercept, (Finding("scaled", message),)


def _geometry(path: Path, fields: _Fields, sizes: list[int]) -> tuple[Geometry, tuple[Finding, ...]]:
    """Of the first three axes; a fourth one counts volumes."""
    count, flat = len(sizes), len(sizes) == 2
    spacing_text = _first(fields, _SPACING)
    spacing = numbers(path, "ElementSpacing", spacing_text, count)[:3] if spacing_text else [1.0] * count
    preflight.check_spacing(path, spacing, "ElementSpacing")
    origin_text = _first(fields, _ORIGIN)
    origin = numbers(path, "Offset", origin_text, count)[:3] if origin_text else [0.0] * min(count, 3)
    matrix_text = _first(fields, _MATRIX)
    matrix = np.eye(4)
    if matrix_text:  # line by line the directions of the axes i, j, k (ITK's matrix has them as columns)
        matrix[:count, :count] = np.reshape(numbers(path, "TransformMatrix", matrix_text, count * count), (count, count))
    affine = np.eye(4)
    affine[:3, :3] = (matrix[:3, :3] * np.array([*spacing, 1.0][:3])[:, None])[::-1].T
    affine[: len(origin), 3] = origin
    i, j, k = [*sizes, 1][:3]
    geometry = preflight.checked_geometry(path, (k, j, i), affine, "TransformMatrix")
    findings = [NO_SPACING] if not spacing_text else [NO_THICKNESS] if flat else []
    if not matrix_text or flat:
        findings.append(NO_ORIENTATION)
    return geometry, tuple(findings)


def _stored(path: Path, fields: _Fields, names: list[str], header_end: int, image: RawImage) -> tuple[Stored, ...]:
    text = fields["elementdatafile"]
    local = text.lower() == "local"
    files = (path,) if local else slice_files(path, "ElementDataFile", text, names)
    start = header_end if local else 0
    if _as_text(path, fields):
        return tuple(Stored(file, "text", start, number_type=image.dtype.str) for file in files)
    if _flag(path, fields, "compresseddata"):
        if len(files) > 1:
            raise FileRefused(path, "keeps its slices in several compressed files.", "Save it as one file.")
        length = whole_numbers(path, "CompressedDataSize", fields.get("compresseddatasize", "0"), 1)[0]
        if length < 0:
            raise FileRefused(path, f"CompressedDataSize is {length}.", "The header is damaged.")
        return (Stored(files[0], "zlib", start, length or None),)
    skip = whole_numbers(path, "HeaderSize", fields.get("headersize", "0"), 1)[0]
    if skip < -1:
        raise FileRefused(path, f"HeaderSize is {skip}.", "The header is damaged.")
    if skip == -1:  # the voxels are the last bytes of the file, whatever stands before
        share = image.voxel_count * image.volume_count * image.dtype.itemsize // len(files)
        return tuple(Stored(file, "raw", max(0, preflight.regular_file(file) - share)) for file in files)
    return tuple(Stored(file, "raw", max(start, skip)) for file in files)
