"""TIFF and BigTIFF directories: what a file says of its pages, every number held against the bytes that are there.

Tags and types as in TIFF 6.0 (1992); BigTIFF as in the libtiff design. The same structure holds the EXIF block of JPEG and PNG.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ctmri_core.errors import FileRefused

_Values = tuple[int | float | bytes, ...]
Tags = dict[int, _Values]
"""Values by tag: whole numbers, rationals as float, text as one bytes object."""

REDUCED, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, DESCRIPTION = 254, 256, 257, 258, 259, 262, 266, 270
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, X_RESOLUTION, Y_RESOLUTION = 273, 274, 277, 278, 279, 282, 283
PLANAR, PREDICTOR, COLOUR_MAP, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 284, 317, 320, 322, 323, 324, 325
EXTRA, FORMAT, DEPTH = 338, 339, 32997
_WANTED = {
    REDUCED, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, DESCRIPTION, STRIP_OFFSETS, ORIENTATION, SAMPLES,
    ROWS_PER_STRIP, STRIP_BYTES, X_RESOLUTION, Y_RESOLUTION, PLANAR, PREDICTOR, COLOUR_MAP, TILE_WIDTH, TILE_HEIGHT,
    TILE_OFFSETS, TILE_BYTES, EXTRA, FORMAT, DEPTH,
}  # fmt: skip
_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_TEXT, _RATIONAL = 2, 5
_MOST_ENTRIES = 4096
_MOST_BYTES = 4 << 20
_SHARED = 1 << 20  # bytes that pages may share, such as their resolution
_AGAIN = "Copy or export it again."


class _Layout(NamedTuple):
    """`order`: of bytes; `offset`: struct letter of an offset; `counter`: of the number of entries; `entry`: bytes of each."""

    order: str
    offset: str
    counter: str
    entry: int


class _Source:
    """Reads no more of the header than a file can hold that does not read the same bytes again and again."""

    def __init__(self, path: Path, handle: BinaryIO, size: int) -> None:
        self.path = path
        self._handle, self._size, self._left = handle, size, size + _SHARED

    def read(self, place: int, count: int) -> bytes:
        self._left -= count
        if place + count > self._size:
            raise FileRefused(self.path, "is incomplete: its header points behind the end of the file.", _AGAIN)
        if self._left < 0:
            raise FileRefused(self.path, "is damaged: parts of its header share their bytes.", _AGAIN)
        self._handle.seek(place)
        content = self._handle.read(count)
        if len(content) < count:
            raise FileRefused(self.path, "is incomplete: it ends within its header.", _AGAIN)
        return content


def directories(path: Path, handle: BinaryIO, size: int, most: int) -> Iterator[tuple[Tags, str]]:
    """(tags, byte order as in struct) of every page of a TIFF of `size` bytes, at most `most`.

    Raises `FileRefused` on what is damaged, endless or too long.
    """
    source = _Source(path, handle, size)
    layout, place = _start(path, source.read(0, min(16, size)))
    seen: set[int] = set()
    while place:
        if place in seen:
            raise FileRefused(path, "is damaged: its list of pages runs in a circle.", _AGAIN)
        if len(seen) == most:
            raise FileRefused(path, f"holds more than {most} pages.", "Split it.")
        seen.add(place)
        tags, place = _directory(source, layout, place)
        yield tags, layout.order
    if not seen:
        raise FileRefused(path, "holds no picture.", _AGAIN)


def number(tags: Tags, tag: int, otherwise: int) -> int:
    """The first value of a tag as a whole number; `otherwise` where the tag is missing or is none."""
    value = tags.get(tag, (otherwise,))[0]
    return value if isinstance(value, int) else otherwise


def numbers(tags: Tags, tag: int) -> tuple[int, ...]:
    """All values of a tag that are whole numbers."""
    return tuple(value for value in tags.get(tag, ()) if isinstance(value, int))


def _start(path: Path, head: bytes) -> tuple[_Layout, int]:
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise FileRefused(path, "is no TIFF file.", _AGAIN)
    (version,) = struct.unpack(order + "H", head[2:4])
    if version == 42:
        return _Layout(order, "I", "H", 12), struct.unpack(order + "I", head[4:8])[0]
    if version == 43 and len(head) == 16 and struct.unpack(order + "HH", head[4:8]) == (8, 0):
        return _Layout(order, "Q", "Q", 20), struct.unpack(order + "Q", head[8:16])[0]
    raise FileRefused(path, f"is a TIFF of version {version}, which is unknown.", _AGAIN)


def _directory(source: _Source, layout: _Layout, place: int) -> tuple[Tags, int]:
    """(tags, where the next directory lies; 0 after the last)."""
    order = layout.order
    counted, width = struct.calcsize(order + layout.counter), struct.calcsize(order + layout.offset)
    (count,) = struct.unpack(order + layout.counter, source.read(place, counted))
    if not 1 <= count <= _MOST_ENTRIES:
        raise FileRefused(source.path, f"is damaged: a page has {count} entries.", _AGAIN)
    block = source.read(place + counted, count * layout.entry + width)
    tags: Tags = {}
    for start in range(0, count * layout.entry, layout.entry):
        tag, kind = struct.unpack_from(order + "HH", block, start)
        if tag in _WANTED:
            values = _values(source, layout, kind, block[start + 4 : start + layout.entry])
            if values:
                tags[tag] = values
    return tags, struct.unpack(order + layout.offset, block[-width:])[0]


def _values(source: _Source, layout: _Layout, kind: int, entry: bytes) -> _Values:
    order, width = layout.order, struct.calcsize(layout.order + layout.offset)
    (count,) = struct.unpack(order + layout.offset, entry[:width])
    letter = _TYPES.get(kind, "B" if kind == _TEXT else "II" if kind == _RATIONAL else "")
    if not letter:
        return ()
    length = count * struct.calcsize(order + letter)
    if length > _MOST_BYTES:
        raise FileRefused(source.path, "is damaged: an entry of its header is absurdly long.", _AGAIN)
    if length <= width:
        content = entry[width : width + length]
    else:
        content = source.read(struct.unpack(order + layout.offset, entry[width:])[0], length)
    if kind == _TEXT:
        return (content.split(b"\0")[0],)
    values = struct.unpack(f"{order}{count * len(letter)}{letter[0]}", content)
    if kind == _RATIONAL:
        return tuple(above / below if below else 0.0 for above, below in zip(values[::2], values[1::2], strict=True))
    return values
