"""Bytes of a file, complete or refused: lengths of plain files and lengths and checksums of gzip streams are proved here.

Measured: nibabel does not check the gzip checksum, and SimpleITK fills what a truncated file lacks with zeros.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Progress, StopSignal, Work

_CHUNK = 4 << 20
_COMPRESSED_CHUNK = 256 << 10
_GZIP = 31  # zlib's window bits for a gzip stream, header and checksum included
_EXCESS = 1 << 20
_AGAIN = "Copy or export it again."


def inflate_head(head: bytes, count: int) -> bytes:
    """Up to `count` bytes from the beginning of a gzip stream of which only `head` is at hand; empty when it is damaged."""
    try:
        return zlib.decompressobj(_GZIP).decompress(head, count)
    except zlib.error:
        return b""


def read_range(path: Path, offset: int, count: int, stop: StopSignal) -> Work[NDArray[np.uint8]]:
    """`count` bytes from `offset` on. Refuses a file that ends before."""
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


def inflate_range(path: Path, offset: int, count: int, total: int, stop: StopSignal) -> Work[NDArray[np.uint8]]:
    """`count` bytes from `offset` on of a gzip file whose content must be at least `total` bytes long.

    The whole stream is inflated in one pass, so that its checksum and length are proved before a byte is used.
    """
    content = np.empty(count, np.uint8)
    position, size = 0, path.stat().st_size
    for block, consumed in _inflated(path):
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


def _inflated(path: Path) -> Iterator[tuple[bytes, int]]:
    """(block, compressed bytes used so far) of all members of a gzip file, zero padding after the last allowed."""
    with path.open("rb") as handle:
        inflater, waiting = zlib.decompressobj(_GZIP), b""
        while True:
            waiting = waiting or handle.read(_COMPRESSED_CHUNK)
            if not waiting and not inflater.eof:
                raise FileRefused(path, "is incomplete: its compressed data end too early.", _AGAIN)
            if inflater.eof:
                waiting = waiting.lstrip(b"\0")
                if not waiting and not (waiting := handle.read(_COMPRESSED_CHUNK)):
                    return
                if not waiting.strip(b"\0"):
                    waiting = b""
                    continue
                inflater, waiting = zlib.decompressobj(_GZIP), waiting.lstrip(b"\0")
            try:
                block = inflater.decompress(waiting, _CHUNK)
            except zlib.error:
                raise FileRefused(path, "is damaged: its compressed data or their checksum are wrong.", _AGAIN) from None
            waiting = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            yield block, handle.tell() - len(waiting)
