"""Where the frames of a compressed DICOM file lie: pure walks over the items of its pixel element, which are not trusted."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from ctmri_core.errors import FileRefused

Range = tuple[int, int]
"""(offset in the file, length in bytes), headers of items included."""

_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_HEADER = 8
_MOST_FRAGMENTS = 1_000_000
_END_OF_IMAGE = b"\xff\xd9"


def frame_ranges(path: Path, stream: BinaryIO, start: int, frames: int) -> list[Range]:
    """The fragments of each of `frames` frames; `start`: of the pixel element's value. Raises `FileRefused`.

    Frames are told apart by their number where each has one fragment (as with an extended offset table), else by the basic
    offset table, else by the marks that end a JPEG picture.
    """
    walked = list(_items(path, stream, start))
    if not walked:
        raise _incomplete(path)
    (table_at, table_length), fragments = walked[0], walked[1:]
    if len(fragments) == frames:
        return [(at, _HEADER + length) for at, length in fragments]
    stream.seek(table_at + _HEADER)
    groups = _by_offsets(fragments, stream.read(table_length), frames) or _by_marks(stream, fragments)
    if len(groups) != frames:
        problem = f"holds {len(fragments)} compressed fragments and does not say which belong to which of {frames} frames."
        raise FileRefused(path, problem, "Export it uncompressed.")
    return [(group[0][0], group[-1][0] + _HEADER + group[-1][1] - group[0][0]) for group in groups]


def frame_code(path: Path, offset: int, length: int) -> bytes:
    """The compressed code of one frame: what its fragments hold, joined. `length` -1: of all there are, behind the offset table.

    Raises `FileRefused` and `OSError`.
    """
    with path.open("rb") as stream:
        parts = []
        for n, (at, count) in enumerate(_items(path, stream, offset, offset + length if length >= 0 else None)):
            if n == 0 and length < 0:
                continue
            stream.seek(at + _HEADER)
            parts.append(stream.read(count))
    if not any(parts):
        raise _incomplete(path)
    return b"".join(parts)


def _items(path: Path, stream: BinaryIO, at: int, stop: int | None = None) -> Iterator[Range]:
    """(offset, length of the content) of each item up to the delimiter, which a cut file may lack."""
    end = stream.seek(0, 2)
    for _ in range(_MOST_FRAGMENTS):
        stream.seek(at)
        header = stream.read(_HEADER)
        if len(header) < _HEADER or header[:4] == _DELIMITER or (stop is not None and at >= stop):
            return
        (length,) = struct.unpack("<I", header[4:])
        if header[:4] != _ITEM or at + _HEADER + length > end:
            raise _incomplete(path)
        yield at, length
        at += _HEADER + length
    raise _incomplete(path)


def _by_offsets(fragments: Sequence[Range], table: bytes, frames: int) -> list[list[Range]]:
    """None at all when the table is empty or does not point at fragments."""
    if not fragments or len(table) != 4 * frames:
        return []
    starts = [fragments[0][0] + offset for (offset,) in struct.iter_unpack("<I", table)]
    groups: dict[int, list[Range]] = {}
    for fragment in fragments:
        if fragment[0] in starts[len(groups) : len(groups) + 1]:
            groups[fragment[0]] = []
        if not groups:
            return []
        groups[next(reversed(groups))].append(fragment)
    return list(groups.values())


def _by_marks(stream: BinaryIO, fragments: Sequence[Range]) -> list[list[Range]]:
    groups: list[list[Range]] = [[]]
    for at, length in fragments:
        groups[-1].append((at, length))
        stream.seek(at + _HEADER + max(0, length - 4))
        if stream.read(min(length, 4)).rstrip(b"\0").endswith(_END_OF_IMAGE):
            groups.append([])
    return [group for group in groups if group]


def _incomplete(path: Path) -> FileRefused:
    return FileRefused(path, "its compressed pixels are incomplete or damaged.", "Copy or export the file again.")
