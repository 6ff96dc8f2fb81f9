"""The headers of NIfTI, Analyze, MGH, MetaImage and NRRD files, as lines to look at: every field, damaged ones as they are.

Numbers are shown; text is not, for the name of a patient may stand in it, unless it is a word that the format itself defines.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ctmri_core.io import preflight
from ctmri_core.io.header_entry import Entries, joined
from ctmri_core.io.nifti_header import plain_head
from ctmri_core.io.provenance import read_mark
from ctmri_core.io.text_headers import MOST_HEADER_BYTES, header_lines

_EXTENSIONS_AFTER = {348: 352, 540: 544}
_MOST_EXTENSIONS = 16
_MGH_BYTES = 90
_MGH_TYPES = {0: "uint8", 1: "int32", 3: "float32", 4: "int16", 10: "uint16"}
_NUMBERS = re.compile(r"[-+0-9.eE\s(),]*|none|nan")
_TEXT_WORDS = {
    "true", "false", "image", "local", "raw", "gzip", "gz", "ascii", "little", "big", "left-posterior-superior", "lps",
    "right-anterior-superior", "ras", "left-anterior-superior", "las", "scanner-xyz", "domain", "space", "none", "mm",
    "millimeter", "cell", "node", "short", "ushort", "int", "uint", "float", "double", "uchar", "char", "unsigned", "signed",
    "long", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "???",
}  # fmt: skip
_META_TYPES = {
    "met_char", "met_uchar", "met_short", "met_ushort", "met_int", "met_uint", "met_long", "met_ulong", "met_long_long",
    "met_ulong_long", "met_float", "met_double",
}  # fmt: skip
_META_KEYS = {
    "objecttype": "kind of object", "ndims": "number of axes", "dimsize": "voxels along i, j, k", "binarydata": "not as text",
    "elementtype": "type of a voxel", "elementspacing": "mm along i, j, k", "elementsize": "size of a voxel, mm",
    "elementbyteordermsb": "big endian", "binarydatabyteordermsb": "big endian", "offset": "place of the first voxel, LPS mm",
    "position": "place of the first voxel, LPS mm", "origin": "place of the first voxel, LPS mm",
    "transformmatrix": "directions of i, j, k", "rotation": "directions of i, j, k", "orientation": "directions of i, j, k",
    "centerofrotation": "centre of rotation, mm", "anatomicalorientation": "where the axes come from",
    "compresseddata": "compressed", "compresseddatasize": "compressed bytes", "headersize": "bytes before the voxels",
    "elementnumberofchannels": "values of a voxel", "elementdatafile": "where the voxels are",
    "elementmin": "least value", "elementmax": "greatest value", "comment": "free text",
}  # fmt: skip
_NRRD_KEYS = {
    "dimension": "number of axes", "type": "type of a voxel", "sizes": "voxels of each axis", "encoding": "how they are stored",
    "endian": "byte order", "space": "meaning of the axes of space", "spacedimension": "axes of space",
    "spacedirections": "step along each axis, mm", "spaceorigin": "place of the first voxel, mm", "spaceunits": "unit of length",
    "spacings": "step along each axis", "thicknesses": "thickness of slices", "axismins": "start of each axis",
    "axismaxs": "end of each axis", "kinds": "kinds of the axes", "centers": "cells or nodes", "centerings": "cells or nodes",
    "datafile": "where the voxels are", "byteskip": "bytes before the voxels", "lineskip": "lines before the voxels",
    "measurementframe": "frame of measured vectors", "min": "least value", "max": "greatest value", "content": "free text",
    "oldmin": "least value before", "oldmax": "greatest value before",
}  # fmt: skip
_NIFTI_FIELDS = {
    "sizeof_hdr": "bytes of the header", "dim_info": "axes of frequency, phase and slice", "dim": "axes, voxels along each",
    "intent_p1": "parameter of the intent", "intent_p2": "parameter of the intent", "intent_p3": "parameter of the intent",
    "intent_code": "what the values are", "datatype": "type of a voxel", "bitpix": "bits of a voxel",
    "slice_start": "first slice", "pixdim": "sign of the third axis, size of a voxel", "vox_offset": "byte of the first voxel",
    "scl_slope": "value = slope x stored + intercept", "scl_inter": "value = slope x stored + intercept",
    "slice_end": "last slice", "slice_code": "order of the slices", "xyzt_units": "units of space and time",
    "cal_max": "white of the display", "cal_min": "black of the display", "slice_duration": "seconds of a slice",
    "toffset": "start in time", "descrip": "free text", "aux_file": "name of another file", "qform_code": "what the qform is",
    "sform_code": "what the sform is", "quatern_b": "rotation of the qform", "quatern_c": "rotation of the qform",
    "quatern_d": "rotation of the qform", "qoffset_x": "place of the first voxel, RAS mm", "qoffset_y": "place, RAS mm",
    "qoffset_z": "place, RAS mm", "srow_x": "sform, RAS mm", "srow_y": "sform, RAS mm", "srow_z": "sform, RAS mm",
    "intent_name": "free text", "magic": "kind of NIfTI", "glmax": "unused", "glmin": "unused",
}  # fmt: skip


def nifti_entries(path: Path, found: Entries) -> None:
    """NIfTI-1, NIfTI-2 and Analyze. Raises `FileRefused` where the file cannot be read."""
    head, _ = plain_head(path, preflight.head_of(path, MOST_HEADER_BYTES))
    is_nifti = preflight.kind(head) == "nifti"
    kind = (nib.Nifti2Header if head[4:6] in (b"n+", b"ni") else nib.Nifti1Header) if is_nifti else nib.AnalyzeHeader
    size = kind.template_dtype.itemsize
    if len(head) < size:
        found.remark(f"the file ends within its header, after {len(head)} bytes")
        return
    fields = kind(head[:size], check=False)
    for name in kind.template_dtype.names or ():
        value = fields[name]
        text, is_text = _field(value)
        safe = not is_text or text in ("r", "n+1", "ni1", "n+2", "ni2") or read_mark(text).nothing_else
        meaning = _NIFTI_FIELDS.get(name, "") if is_nifti else ""
        found.add(
            name, meaning, text, kind="text" if is_text else value.dtype.base.name, identifying=not safe, raw=value.tobytes()
        )
    for number, (code, length) in enumerate(_extensions(head, size), 1):
        found.add(f"extension {number}", "not shown", f"code {code}, {length} bytes", identifying=False)


def mgh_entries(path: Path, found: Entries) -> None:
    """FreeSurfer's .mgh and .mgz: the fixed part in front of the voxels, big endian."""
    head, _ = plain_head(path, preflight.head_of(path, MOST_HEADER_BYTES))
    if len(head) < _MGH_BYTES:
        found.remark(f"the file ends within its header, after {len(head)} bytes")
        return
    version, *sizes, kind, freedom = struct.unpack_from(">7i", head)
    (good,) = struct.unpack_from(">h", head, 28)
    numbers = [f"{value:.8g}" for value in struct.unpack_from(">15f", head, 30)]
    rows = (
        ("version", "always 1", str(version)),
        ("width, height, depth, frames", "voxels along i, j, k; volumes", joined(sizes)),
        ("type", "type of a voxel", f"{kind} {_MGH_TYPES.get(kind, '')}".strip()),
        ("dof", "degrees of freedom", str(freedom)),
        ("goodRASFlag", "whether what follows is set", str(good)),
        ("spacing", "mm along i, j, k", joined(numbers[:3])),
        ("Mdc", "directions of i, j, k in RAS", joined(numbers[3:12])),
        ("c_ras", "centre of the volume, RAS mm", joined(numbers[12:])),
    )
    for tag, name, value in rows:
        found.add(tag, name, value, identifying=False)


def text_entries(path: Path, found: Entries) -> None:
    """MetaImage and NRRD: one line after the other. Raises `FileRefused` on lines that are no text."""
    head = preflight.head_of(path, MOST_HEADER_BYTES)
    is_nrrd = preflight.kind(head) == "nrrd"
    for number, (line, _) in enumerate(header_lines(path, head)):
        if is_nrrd and number == 0:
            safe = re.fullmatch(r"NRRD000\d", line) is not None
            found.add("version", "of the format", line, identifying=not safe)
            continue
        if is_nrrd and not line:
            return
        _line(line, found, ":" if is_nrrd else "=", _NRRD_KEYS if is_nrrd else _META_KEYS)
        if not is_nrrd and line.partition("=")[0].strip().lower() == "elementdatafile":
            return
    found.remark("the header has no end")


def _line(line: str, found: Entries, joint: str, keys: dict[str, str]) -> None:
    """A known key with its value; any other line as a whole, for a key may be a name as well."""
    key, present, value = line.partition(joint)
    plain_key, value = key.strip().lower().replace(" ", ""), value.strip()
    if not present or plain_key not in keys or value.startswith("="):
        if line.strip():
            found.add("other line", "", line.strip())
        return
    found.add(key.strip(), keys[plain_key], value, identifying=not _is_plain(value))


def _is_plain(value: str) -> bool:
    """Nothing but numbers, or words of the format itself, or a mark of ours."""
    words = value.lower().replace('"', " ").split()
    known = all(word in _TEXT_WORDS or word in _META_TYPES for word in words)
    return known or _NUMBERS.fullmatch(value) is not None or _vectors(value) or read_mark(value).nothing_else


def _vectors(value: str) -> bool:
    return all(_NUMBERS.fullmatch(word) for word in value.split())


def _field(value: Any) -> tuple[str, bool]:
    """(a NIfTI field as text, whether it is text in the file)."""
    array = np.asarray(value)
    if array.dtype.kind == "S":
        return bytes(array.item()).split(b"\0")[0].decode("latin-1"), True
    return joined([f"{number:.8g}" if array.dtype.kind == "f" else str(number) for number in array.ravel().tolist()]), False


def _extensions(head: bytes, size: int) -> Iterator[tuple[int, int]]:
    """(code, bytes) of what stands between header and voxels, as far as the beginning of the file reaches."""
    place = _EXTENSIONS_AFTER.get(size, len(head))
    if head[place - 4 : place - 3] != b"\1":
        return
    for _ in range(_MOST_EXTENSIONS):
        if place + 8 > len(head):
            return
        length, code = struct.unpack_from("<ii", head, place)
        if not 8 <= length <= 1 << 30:
            return
        yield code, length
        place += length
