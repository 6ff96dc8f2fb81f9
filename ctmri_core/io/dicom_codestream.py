"""What a compressed picture says of itself, compared with the DICOM header before any decoder sees it.

A small file can claim gigabytes, or seconds of work, in a size that the header does not know of.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from ctmri_core.errors import FileRefused
from ctmri_core.io.dicom_slice import PixelFormat
from ctmri_core.io.dicom_syntaxes import RLE

_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_JPEG2000 = b"\xff\x4f\xff\x51"
_RLE_HEADER = 64
_DCT_PIXELS_PER_BYTE = 512
"""A block of 8 x 8 pixels takes a bit at least (ISO 10918-1, G.1.2.1)."""
_DCT_SYNTAXES = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}


class Claim(NamedTuple):
    """The size of a picture by its own code."""

    rows: int
    columns: int
    samples: int
    bits: int


def check_code(path: Path, code: bytes, pixels: PixelFormat, rows: int, columns: int) -> None:
    """Refuses code whose picture is not `rows` x `columns` pixels of the samples and bits of `pixels`. Raises `FileRefused`."""
    if pixels.transfer_syntax == RLE:
        if not _rle_is_whole(code, pixels.samples * pixels.bits_allocated // 8, rows * columns):
            raise undecodable(path)
        return
    claim = jpeg2000_claim(code) if _JPEG2000 in code[:4096] else jpeg_claim(code)
    if claim is None:
        raise undecodable(path)
    if pixels.transfer_syntax in _DCT_SYNTAXES and rows * columns > _DCT_PIXELS_PER_BYTE * len(code):
        raise undecodable(path)
    if (claim.rows, claim.columns) != (rows, columns):
        problem = f"its compressed picture is {claim.rows} x {claim.columns}, its header says {rows} x {columns}."
        raise FileRefused(path, problem, "Export it again.")
    if claim.samples != pixels.samples or claim.bits > pixels.bits_allocated:
        problem = (
            f"its compressed picture has {claim.samples} x {claim.bits} bits, its header says"
            f" {pixels.samples} x {pixels.bits_allocated}."
        )
        raise FileRefused(path, problem, "Export it again.")


def _rle_is_whole(code: bytes, segments: int, count: int) -> bool:
    """Whether each of the segments unpacks to `count` bytes at least (PS3.5, G.3); GDCM fills in what is missing."""
    if len(code) < _RLE_HEADER or int.from_bytes(code[:4], "little") != segments or segments > 15:
        return False
    starts = struct.unpack_from(f"<{segments}I", code, 4)
    return all(
        _RLE_HEADER <= start <= stop <= len(code) and _unpacked_length(code[start:stop], count) >= count
        for start, stop in zip(starts, (*starts[1:], len(code)), strict=True)
    )


def _unpacked_length(segment: bytes, enough: int) -> int:
    at = length = 0
    while at < len(segment) and length < enough:
        head = segment[at]
        if head < 128:  # so many bytes and one follow
            at += head + 2
            length += head + 1 if at <= len(segment) else 0
        else:  # the next byte is repeated; 128 stands for nothing
            at += 2 if head > 128 else 1
            length += 257 - head if head > 128 and at <= len(segment) else 0
    return length


def undecodable(path: Path) -> FileRefused:
    return FileRefused(path, "its compressed pixels cannot be decoded.", "Export it uncompressed.")


def jpeg_claim(code: bytes) -> Claim | None:
    """Of JPEG and JPEG-LS code, from the segment that starts its frame (ISO 10918-1, B.2.2)."""
    at = 2
    if code[:2] != b"\xff\xd8":
        return None
    while at + 4 <= len(code) and code[at] == 0xFF:
        marker = code[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:  # fill bytes and marks that stand alone
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME and at + 10 <= len(code):
            bits, rows, columns, samples = struct.unpack_from(">BHHB", code, at + 4)
            return Claim(rows, columns, samples, bits)
        at += 2 + max(2, int.from_bytes(code[at + 2 : at + 4], "big"))
    return None


def jpeg2000_claim(code: bytes) -> Claim | None:
    """Of JPEG 2000 code, from the segment that gives its size (ISO 15444-1, A.5.1)."""
    at = code.index(_JPEG2000)
    if at + 45 > len(code):
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", code, at + 8)
    samples, depth = struct.unpack_from(">HB", code, at + 40)
    return Claim(bottom - top, right - left, samples, (depth & 0x7F) + 1)
