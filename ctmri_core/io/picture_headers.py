"""PNG, JPEG and TIFF headers, and whether a picture is all there, found out without decoding it.

PNG: every chunk's checksum and the end chunk (PNG specification 5.3). JPEG has no checksum: its segments are followed to the
end marker (ITU-T T.81, annex B). TIFF: see `tiff_pages`.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io import tiff_header as tiff
from ctmri_core.io.png_slices import KEYWORD
from ctmri_core.io.tiff_pages import TiffPage, read_tiff
from ctmri_core.io.voc_palette import voc_palette

SUFFIXES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
"""Kinds by the end of the name; the content decides what a single file is, the name which files of a folder are looked at."""

_PNG_HEAD_BYTES = 1 << 14
_JPEG_HEAD_BYTES = 1 << 20
_MOST_BYTES = 1 << 30
_MOST_PARTS = 1_000_000  # chunks, segments or bytes of filling; whoever has more is made to keep us busy
_PNG_START = 8
_GREY, _INDEXED, _GREY_ALPHA = 0, 3, 4
_FEW_GREYS = 64  # a palette with more of them is that of a grey picture, whatever colours it has beside
_PNG_COLOUR = 25  # where the kind of colour stands
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_READ_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; Huffman coded
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_AGAIN = "Copy or export it again."


@dataclass(frozen=True)
class PictureHeader:
    """`kind`: png, jpeg or tiff. `shape`: (pages, rows, columns) as decoded; `code`: numpy's of the decoded values.

    `orientation`: 1 to 8 as in EXIF, how the decoded picture asks to be turned. value = `slope` * decoded + `intercept`.
    `spacing`: mm along (k, j, i) where the file tells it, k 0 where it does not. `indexed`: whether the values are numbers of
    colours, as in pictures of labels: they are taken as numbers, never as colours. `record`: JSON that this program wrote into
    its own PNG. `pages`: of a TIFF; `called`: what it calls them where that is not slices.
    """

    kind: str
    shape: tuple[int, int, int]
    code: str
    orientation: int = 1
    slope: float = 1.0
    intercept: float = 0.0
    spacing: tuple[float, float, float] | None = None
    record: str = ""
    called: str = ""
    indexed: bool = False
    pages: tuple[TiffPage, ...] = field(default=(), repr=False, compare=False)

    @property
    def upright(self) -> tuple[int, int, int]:
        """`shape` once the picture is turned as it asks."""
        pages, rows, columns = self.shape
        return (pages, columns, rows) if self.orientation >= 5 else self.shape


def read_header(path: Path) -> PictureHeader:
    """The checked header. Raises `FileRefused` naming the field; the sizes hold against the bytes and the memory there are."""
    kind = preflight.kind(preflight.head_of(path))
    if kind == "png":
        return _png(path)
    if kind == "jpeg":
        return _jpeg(path)
    if kind == "tiff":
        return _tiff(path)
    raise FileRefused(path, "is no PNG, JPEG or TIFF picture, whatever its name says.", _AGAIN)


def _tiff(path: Path) -> PictureHeader:
    found = read_tiff(path)
    first = found.pages[0]
    return PictureHeader(
        "tiff", (len(found.pages), *first.shape), first.stored[1:], first.orientation,
        slope=found.slope, intercept=found.intercept, spacing=found.spacing, called=found.called, pages=found.pages,
    )  # fmt: skip


def check_complete(path: Path, kind: str) -> None:
    """Proves that the picture goes on to its end: checksums of PNG, markers of JPEG. TIFF is proved with its header."""
    if kind == "png":
        names, content = set(), _content(path)
        for name, body in _chunks(path, content):
            names.add(name)
            if name == b"acTL" and body[:4] != b"\0\0\0\1":
                raise FileRefused(path, "is an animation.", "Save its pictures one by one.")
        if content[_PNG_COLOUR] == _INDEXED and b"PLTE" not in names:
            raise FileRefused(path, "has no palette for the colours that it names.", _AGAIN)
    elif kind == "jpeg":
        for _ in _segments(path, _content(path)):
            pass


def _content(path: Path) -> bytes:
    if preflight.regular_file(path) > _MOST_BYTES:
        raise FileRefused(path, "is larger than a picture can be (1 GiB).", "Split it.")
    return path.read_bytes()


def _png(path: Path) -> PictureHeader:
    head = preflight.head_of(path, _PNG_HEAD_BYTES)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise FileRefused(path, "is no complete PNG picture.", _AGAIN)
    columns, rows, bits, colour = struct.unpack(">IIBB", head[16:26])
    preflight.check_shape(path, (columns, rows), "IHDR size")
    if bits == 16 and colour == _GREY_ALPHA:
        raise FileRefused(path, "has 16-bit values with transparency.", "Export it without transparency.")
    if bits == 16 and colour != _GREY:
        raise FileRefused(path, "is a 16-bit colour picture.", "Export it as grey values.")
    claimed = rows * columns * max(bits, 8) // 8
    preflight.check_claim(path, claimed, preflight.regular_file(path), preflight.DEFLATE_LIMIT * 8)
    orientation, record, indexed = 1, "", False
    for name, body in _leading_chunks(head):
        if name == b"PLTE" and colour == _INDEXED:
            indexed = _numbers_labels(body)
        if name == b"eXIf":
            orientation = _exif_orientation(path, body)
        elif name == b"tEXt" and body.startswith(KEYWORD.encode() + b"\0"):
            record = body[len(KEYWORD) + 1 :].decode("latin-1")
    return PictureHeader("png", (1, rows, columns), "u2" if bits == 16 else "u1", orientation, record=record, indexed=indexed)


def _numbers_labels(palette: bytes) -> bool:
    """Whether colours of a palette stand for labels: those of VOC always do, others where they are colours and no grey levels."""
    if len(palette) >= 6 and voc_palette().startswith(palette):
        return True
    colours = {palette[place : place + 3] for place in range(0, len(palette) - 2, 3)}
    greys = {colour for colour in colours if len(set(colour)) == 1}
    return colours != greys and len(greys) <= _FEW_GREYS


def _leading_chunks(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, body) of the chunks before the pixels, as far as `head` reaches. Nothing is proved here."""
    position = _PNG_START
    while position + 8 <= len(head):
        length, name = struct.unpack_from(">I4s", head, position)
        if name == b"IDAT" or position + 12 + length > len(head):
            return
        yield name, head[position + 8 : position + 8 + length]
        position += 12 + length


def _chunks(path: Path, content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = _PNG_START
    for _ in range(_MOST_PARTS):
        if position + 12 > len(content):
            break
        (length,) = struct.unpack_from(">I", content, position)
        end = position + 12 + length
        if end > len(content):
            break
        named = content[position + 4 : end - 4]
        if zlib.crc32(named) != struct.unpack_from(">I", content, end - 4)[0]:
            raise FileRefused(path, "is damaged: a checksum is wrong.", _AGAIN)
        yield named[:4], named[4:]
        if named[:4] == b"IEND":
            return
        position = end
    raise FileRefused(path, "is incomplete: its end is missing.", _AGAIN)


def _jpeg(path: Path) -> PictureHeader:
    orientation, frame = 1, b""
    for marker, body in _segments(path, preflight.head_of(path, _JPEG_HEAD_BYTES)):
        if marker == _APP1 and body.startswith(b"Exif\0\0"):
            orientation = _exif_orientation(path, body[6:])
        if marker in _FRAMES:
            if marker not in _READ_FRAMES:
                raise FileRefused(path, "is a JPEG of a rare kind (lossless or arithmetic).", "Save it as PNG.")
            frame = body
            break
    if len(frame) < 6:
        raise FileRefused(path, "is no complete JPEG picture.", _AGAIN)
    bits, rows, columns, samples = struct.unpack(">BHHB", frame[:6])
    preflight.check_shape(path, (columns, rows), "frame size")
    if bits != 8 or samples not in (1, 3):
        raise FileRefused(path, f"is a JPEG of {samples} channels with {bits} bits.", "Save it as PNG with grey values.")
    preflight.check_claim(path, rows * columns, preflight.regular_file(path), preflight.DEFLATE_LIMIT)
    return PictureHeader("jpeg", (1, rows, columns), "u1", orientation)


def _segments(path: Path, content: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, body) of every segment to the end of the image, coded data jumped over. Raises `FileRefused` when cut off."""
    position = 2
    for _ in range(_MOST_PARTS):
        if position + 2 > len(content):
            break
        if content[position] != 0xFF:
            raise FileRefused(path, "is damaged: its segments do not follow each other.", _AGAIN)
        marker = content[position + 1]
        if marker == 0xFF:  # filling
            position += 1
            continue
        if marker == _END_OF_IMAGE:
            return
        if marker in _ALONE:
            position += 2
            continue
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        end = position + 2 + length
        if length < 2 or end > len(content):
            break
        yield marker, content[position + 4 : end]
        if marker == _START_OF_SCAN:
            found = _NEXT_MARKER.search(content, end)
            if found is None:
                break
            end = found.start()
        position = end
    raise FileRefused(path, "is incomplete: its end is missing.", _AGAIN)


def _exif_orientation(path: Path, block: bytes) -> int:
    """Of an EXIF block; 1, upright, where it is damaged or says nothing."""
    try:
        first, _ = next(tiff.directories(path, io.BytesIO(block), len(block), 2))
    except (FileRefused, StopIteration):
        return 1
    found = tiff.number(first, tiff.ORIENTATION, 1)
    return found if 1 <= found <= 8 else 1
