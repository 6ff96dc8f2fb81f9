"""NRRD headers: .nrrd, and .nhdr with a data file beside it. Fields as in the NRRD definition, versions 1 to 5."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import Geometry
from ctmri_core.io import preflight
from ctmri_core.io.checked_bytes import Encoding, Stored
from ctmri_core.io.raw_image import MOST_HEADER_BYTES, NO_SPACING, NO_THICKNESS, RawImage, header_lines, numbers, whole_numbers
from ctmri_core.volume import Finding

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
_ENCODINGS: dict[str, Encoding] = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_VECTOR = re.compile(r"\(([^()]*)\)|none")
_Fields = dict[str, str]


def read_nrrd(path: Path) -> RawImage:
    """The checked header. Raises `FileRefused` naming the field."""
    fields, header_end = _parsed(path, preflight.head_of(path, MOST_HEADER_BYTES))
    (dimensions,) = whole_numbers(path, "dimension", fields.get("dimension", ""), 1)
    if dimensions not in (2, 3):
        raise FileRefused(path, f"dimension is {dimensions}; it must be 2 or 3.", "Save one volume alone.")
    sizes = whole_numbers(path, "sizes", fields.get("sizes", ""), dimensions)
    preflight.check_shape(path, sizes, "sizes")
    kinds = fields.get("kinds", "").lower().split()
    if any(kind not in ("domain", "space", "???", "none") for kind in kinds):
        raise FileRefused(path, f"kinds is {fields['kinds'][:40]!r}, no plain volume.", "Export it as grey values.")
    geometry, findings = _geometry(path, fields, sizes)
    image = RawImage(
        stored=_stored(path, fields, header_end),
        dtype=_dtype(path, fields),
        geometry=geometry,
        findings=findings,
        mark=fields.get("content", ""),
    )
    image.check_lengths()
    return image


def _parsed(path: Path, head: bytes) -> tuple[_Fields, int]:
    """(values by lower-case field or key, where the voxels begin); an empty line or the end of the file ends the header."""
    fields: _Fields = {}
    lines = header_lines(path, head)
    _, end = next(lines)
    for line, end in lines:
        if not line:
            return fields, end
        if line.startswith("#"):
            continue
        field, colon, value = line.partition(":")
        if not colon:
            raise FileRefused(path, "has a header line that is neither field nor comment.", "The header is damaged.")
        fields[field.strip().lower().replace(" ", "")] = value.removeprefix("=").strip()
    if "datafile" not in fields or len(head) == MOST_HEADER_BYTES:
        raise FileRefused(path, "is incomplete: its header has no end.", "Copy or export it again.")
    return fields, end


def _dtype(path: Path, fields: _Fields) -> np.dtype[np.generic]:
    code = _CODES.get(" ".join(fields.get("type", "").lower().split()))
    if code is None:
        raise FileRefused(path, f"type is {fields.get('type', '')[:20]!r}, no type of grey values.", "Export it as grey values.")
    endian = fields.get("endian", "little" if code[1] == "1" else "")
    if endian not in ("little", "big"):
        raise FileRefused(path, f"endian is {endian[:10]!r}; it must be little or big.", "The header is damaged.")
    return np.dtype(code).newbyteorder("<" if endian == "little" else ">")


def _geometry(path: Path, fields: _Fields, sizes: list[int]) -> tuple[Geometry, tuple[Finding, ...]]:
    count, flat = len(sizes), len(sizes) == 2
    findings = [NO_THICKNESS] if flat else []
    columns = np.eye(3)
    if "spacedirections" in fields:
        columns[:count, :count] = _vectors(path, "space directions", fields["spacedirections"], count)
        columns = columns.T
    elif "spacings" in fields:
        spacing = numbers(path, "spacings", fields["spacings"], count)
        preflight.check_spacing(path, spacing, "spacings")
        columns[range(count), range(count)] = spacing
    else:
        findings = [NO_SPACING]
    units = set(fields.get("spaceunits", "").replace('"', " ").split()) - {"mm", "millimeter", "???"}
    if units:
        raise FileRefused(path, f"space units are {min(units)[:20]!r}, not mm.", "Export it in millimetres.")
    affine = np.eye(4)
    affine[:3, :3] = columns[:, ::-1]
    if "spaceorigin" in fields:
        affine[:count, 3] = _vectors(path, "space origin", fields["spaceorigin"], 1, count)[0]
    signs = _TO_LPS.get(fields.get("space", "").lower())
    if signs is None or "spacedirections" not in fields:
        message = "The file does not say how the patient lies: left and right, front and back are a guess."
        findings.append(Finding("missing_orientation", message, serious=True))
    affine[:3] *= np.array(signs or (1, 1, 1), float)[:, None]
    i, j, k = [*sizes, 1][:3]
    return preflight.checked_geometry(path, (k, j, i), affine, "space directions"), tuple(findings)


def _vectors(path: Path, field: str, text: str, count: int, length: int | None = None) -> list[list[float]]:
    found = [match.group(1) for match in _VECTOR.finditer(text)]
    if len(found) != count or None in found:
        raise FileRefused(path, f"{field} is {text[:40]!r}; {count} vectors are needed.", "The header is damaged.")
    return [numbers(path, field, inner.replace(",", " "), length or count) for inner in found]


def _stored(path: Path, fields: _Fields, header_end: int) -> Stored:
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        problem = f"encoding is {fields.get('encoding', '')[:20]!r}; raw and gzip can be read."
        raise FileRefused(path, problem, "Save it again with one of them.")
    name = fields.get("datafile")
    if name and (name.split()[0] == "LIST" or "%" in name):
        raise FileRefused(path, "keeps its slices in several files, which cannot be read.", "Save it as one file.")
    data = preflight.beside(path, name.removeprefix("./")) if name else path
    start = 0 if name else header_end
    for field in ("lineskip", "byteskip"):
        if fields.get(field, "0") != "0":
            raise FileRefused(path, f"has a {field.replace('skip', ' skip')} before its voxels.", "Save it again without.")
    return Stored(data, encoding, start)
