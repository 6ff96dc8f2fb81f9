"""Bytes of a file, complete or refused: lengths of plain files and lengths and checksums of deflated ones are proved here.

Measured: nibabel does not check the gzip checksum, and SimpleITK fills what a truncated file lacks with zeros.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, StopSignal, Work

Encoding = Literal["raw", "gzip", "zlib"]

_CHUNK = 4 << 20
_COMPRESSED_CHUNK = 256 << 10
_WINDOW_BITS = {"gzip": 31, "zlib": 15}
_EXCESS = 1 << 20
_AGAIN = "Copy or export it again."


@dataclass(frozen=True)
class Stored:
    """Where bytes lie: `path` from byte `start` on, `length` bytes or to the end of the file, plain or deflated."""

    path: Path
    encoding: Encoding = "raw"
    start: int = 0
    length: int | None = None


def inflate_head(head: bytes, count: int) -> bytes:
    """Up to `count` bytes from the beginning of a gzip stream of which only `head` is at hand; empty when it is damaged."""
    try:
        return zlib.decompressobj(_WINDOW_BITS["gzip"]).decompress(head, count)
    except zlib.error:
        return b""


def read_bytes(stored: Stored, offset: int, count: int, total: int, stop: StopSignal) -> Work[NDArray[np.uint8]]:
    """`count` bytes from `offset` on of a content that must be at least `total` bytes long once unpacked.

    A deflated stream is inflated to its end, so that its checksum and length are proved before a byte is used.
    Raises `FileRefused` on what is short or damaged, `Stopped` when asked to end.
    """
    if stored.encoding == "raw":
        return (yield from _read_plain(stored.path, stored.start + offset, count, stop))
    return (yield from _inflate(stored, offset, count, total, stop))


def _read_plain(path: Path, offset: int, count: int, stop: StopSignal) -> Work[NDArray[np.uint8]]:
    content = np.empty(count, np.uint8)
    with path.open("rb") as handle:
        handle.seek(offset)
        for start in range(0, count, _CHUNK):
            if stop():
                raise Stopped(f"Opening {path.name} was stopped.")
            part = content[start : start + _CHUNK]
            got = handle.readinto(part.data)
            if got < len(part):
                raise FileRefused(path, f"is incomplete: it ends after {offset + start + got} of {offset + count} bytes.", _AGAIN)
            yield Progress(done=start + got, total=count, unit="bytes")
    return content


def _inflate(stored: Stored, offset: int, count: int, total: int, stop: StopSignal) -> Work[NDArray[np.uint8]]:
    path, position, size = stored.path, 0, stored.path.stat().st_size
    content = np.empty(count, np.uint8)
    for block, consumed in _inflated(stored):
        if stop():
            raise Stopped(f"Opening {path.name} was stopped.")
        start, end = max(position, offset), min(position + len(block), offset + count)
        if start < end:
            content[start - offset : end - offset] = np.frombuffer(block, np.uint8, end - start, start - position)
        position += len(block)
        if position > total + _EXCESS:
            raise FileRefused(path, f"holds more than the {total} bytes that its header promises.", "The header is damaged.")
        yield Progress(done=consumed, total=size, unit="bytes")
    if position < total:
        raise FileRefused(path, f"is incomplete: it unpacks to {position} of {total} bytes.", _AGAIN)
    return content


def _inflated(stored: Stored) -> Iterator[tuple[bytes, int]]:
    """(block, compressed bytes used so far) of all members of a stream, zero padding after them allowed."""
    path, used, end = stored.path, 0, stored.length
    with path.open("rb") as handle:
        handle.seek(stored.start)
        inflater, waiting, block = zlib.decompressobj(_WINDOW_BITS[stored.encoding]), b"", b""
        while True:
            if not waiting:
                waiting = handle.read(_COMPRESSED_CHUNK if end is None else min(_COMPRESSED_CHUNK, end - used))
                used += len(waiting)
            if inflater.eof:
                if not waiting:
                    return
                waiting = waiting.lstrip(b"\0")
                if not waiting:
                    continue
                inflater = zlib.decompressobj(_WINDOW_BITS[stored.encoding])
            elif not waiting and len(block) < _CHUNK:  # a full block may have left more behind in the inflater
                raise FileRefused(path, "is incomplete: its compressed data end too early.", _AGAIN)
            try:
                block = inflater.decompress(waiting, _CHUNK)
            except zlib.error:
                raise FileRefused(path, "is damaged: its compressed data or their checksum are wrong.", _AGAIN) from None
            waiting = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            yield block, used - len(waiting)
