"""Raw element values of a DICOM file up to its pixels: quickly where the file is plain, through pydicom where it is not.

The quick walk takes little-endian files with a preamble whose top-level elements have known lengths and ascend, which most
scanners write; it gives up on anything else. Measured on CT headers of 85 elements: 9 times as fast as pydicom's walk.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag

DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00008: "FloatPixelData"}

PARSE_ERRORS = (
    InvalidDicomError, BytesLengthException, EOFError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError,
    struct.error, OverflowError, RecursionError, IndexError, zlib.error,
)  # fmt: skip
"""What pydicom was seen to raise on damaged files."""

_UNDEFINED_LENGTH = 0xFFFFFFFF
_TRANSFER_SYNTAX = 0x00020010
_META_START = b"\x02\0\0\0UL\x04\0"
_LONG_VRS = {b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"OD", b"OL", b"OV", b"UC", b"UR", b"SV", b"UV"}
_SHORT_VRS = {
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM",
    b"UI", b"UL", b"US",
}  # fmt: skip
_EXPLICIT, _IMPLICIT, _LONG = struct.Struct("<HH2sH"), struct.Struct("<HHI"), struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Elements:
    """`values`: raw bytes by tag, empty for a sequence. `pixel_keyword`: "" when there are no pixels; else `offset`, `length`
    are those of the pixel element's value, -1 = encapsulated.
    """

    values: Mapping[int, bytes]
    transfer_syntax: str
    big_endian: bool
    pixel_keyword: str
    offset: int
    length: int


def looks_like_dicom(head: bytes) -> bool:
    """By the mark after the preamble or, without preamble, by a first element of group 0002 or 0008."""
    if head[128:132] == b"DICM":
        return True
    element, vr = head[:4], head[4:6]
    if vr in _SHORT_VRS or vr in _LONG_VRS:
        return element[:2] in (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")
    return element[:2] in (b"\x02\0", b"\x08\0") and element[3:4] == b"\0" and len(head) > 8 and head[6:8] == b"\0\0"


def quick_elements(content: bytes, wanted: Collection[int]) -> Elements | None:
    """From the beginning of a file; None when it is too short or not plain enough. Raises nothing."""
    if content[128:132] != b"DICM" or content[132:140] != _META_START or len(content) < 144:
        return None
    start = 144 + _LONG.unpack_from(content, 140)[0]
    meta = _walk(content, 144, start, False, {_TRANSFER_SYNTAX}) if start <= len(content) else None
    if meta is None:
        return None
    syntax = meta[0].get(_TRANSFER_SYNTAX, b"").decode("latin-1").rstrip(" \0")
    if syntax in ("", DEFLATED, BIG_ENDIAN):
        return None
    found = _walk(content, start, len(content), syntax == IMPLICIT, wanted)
    if found is None or found[1] not in PIXEL_TAGS:
        return None
    values, tag, offset, length = found
    return Elements(values, syntax, False, PIXEL_TAGS[tag], offset, -1 if length == _UNDEFINED_LENGTH else length)


def _walk(
    content: bytes, at: int, end: int, implicit: bool, wanted: Collection[int]
) -> tuple[dict[int, bytes], int, int, int] | None:
    """Values wanted, then tag, offset and length of the element that ended the walk: the pixels, or (0, 0, 0) at `end`."""
    values: dict[int, bytes] = {}
    last = -1
    while at + 12 <= end:
        offset = at + 8
        if implicit:
            group, number, length = _IMPLICIT.unpack_from(content, at)
        else:
            group, number, vr, length = _EXPLICIT.unpack_from(content, at)
            if vr in _LONG_VRS:
                (length,), offset = _LONG.unpack_from(content, offset), at + 12
            elif vr not in _SHORT_VRS:
                return None
        tag = group << 16 | number
        if tag <= last:
            return None
        if tag in PIXEL_TAGS:
            return values, tag, offset, length
        if length > end - offset:  # undefined lengths among them
            return None
        if tag in wanted:
            values[tag] = content[offset : offset + length]
        at, last = offset + length, tag
    return (values, 0, 0, 0) if at == end else None


def elements(stream: BinaryIO, wanted: Collection[int]) -> Elements:
    """Through pydicom, from a file that is not deflated. Raises `PARSE_ERRORS` and `OSError`."""
    return _parsed(stream, wanted, [Tag(tag) for tag in wanted])[0]


def whole_header(stream: BinaryIO, wanted: Collection[int]) -> tuple[Elements, Dataset]:
    """As `elements`, with the whole of the header as well."""
    return _parsed(stream, wanted, None)


def _parsed(stream: BinaryIO, wanted: Collection[int], tags: list[BaseTag | int] | None) -> tuple[Elements, Dataset]:
    pixel_element: tuple[int, str | None, int] | None = None

    def at_pixels(tag: BaseTag, vr: str | None, length: int) -> bool:
        nonlocal pixel_element
        if tag not in PIXEL_TAGS:
            return False
        pixel_element = (tag, vr, length)
        return True

    found = read_partial(stream, stop_when=at_pixels, force=True, specific_tags=tags)
    implicit, little = found.original_encoding
    syntax = found.file_meta.get("TransferSyntaxUID") or (IMPLICIT if implicit else EXPLICIT if little else BIG_ENDIAN)
    raw = {int(each): found.get_item(each).value for each in found.keys() if int(each) in wanted}  # noqa: SIM118  # a data set iterates over values
    values = {each: value if isinstance(value, bytes) else b"" for each, value in raw.items()}
    if pixel_element is None:
        return Elements(values, str(syntax), not little, "", 0, 0), found
    tag, vr, length = pixel_element
    offset = stream.tell() + (12 if (vr or "").encode("latin-1") in _LONG_VRS else 8)  # whatever encoding the file claims
    length = -1 if length == _UNDEFINED_LENGTH else length
    return Elements(values, str(syntax), not little, PIXEL_TAGS[tag], offset, length), found


class CountedFile(io.BufferedReader):
    """A file for a parser that may be led around in it without end: raises `ValueError` after `reads` reads."""

    def __init__(self, path: Path, reads: int) -> None:
        super().__init__(io.FileIO(path))
        self._reads = reads

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads -= 1
        if self._reads < 0:
            raise ValueError("too many elements")
        return super().read(size)
