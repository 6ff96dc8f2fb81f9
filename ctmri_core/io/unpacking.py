"""Packed streams, block by block and never more than a block at a time: gzip, zlib, bzip2, numbers as text or as hex digits."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, Protocol

import numpy as np

from ctmri_core.errors import FileRefused
from ctmri_core.io.preflight import DEFLATE_LIMIT

Encoding = Literal["raw", "gzip", "zlib", "bzip2", "text", "hex"]

MOST_PER_BYTE = {"raw": 1, "gzip": DEFLATE_LIMIT, "zlib": DEFLATE_LIMIT, "bzip2": 1 << 21, "text": 8, "hex": 1}
"""Most bytes that one stored byte can stand for (bzip2: 45 MB in some 40 bytes; text: a lone digit for 8)."""
BLOCK = 512 << 10

_PACKED_READ = 128 << 10
_TEXT_READ = 64 << 10
_LONGEST_NUMBER = 400
_MOST_PADDING = 1 << 20
_WINDOW_BITS = {"gzip": 31, "zlib": 15}
_AGAIN = "Copy or export it again."


class _Decoder(Protocol):
    """As `bz2.BZ2Decompressor`: `needs_input` is False while more can come out of what it was given."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflater:
    """zlib with the manners of `bz2.BZ2Decompressor`."""

    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        block = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(block) < max_length
        return block

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def inflate_head(head: bytes, count: int) -> bytes:
    """Up to `count` bytes from the beginning of a gzip file, of which only `head` is at hand; empty when it is damaged."""
    unpacked_head = b""
    try:
        while head and len(unpacked_head) < count:
            member = zlib.decompressobj(_WINDOW_BITS["gzip"])
            unpacked_head += member.decompress(head, count - len(unpacked_head))
            head = member.unused_data
    except zlib.error:
        return b""
    return unpacked_head


def unpacked(path: Path, encoding: Encoding, start: int, length: int | None, number_type: str) -> Iterator[tuple[bytes, int]]:
    """(block, stored bytes used so far) of what lies from `start` on in `path`, `length` bytes or to the end of the file.

    `number_type`: the dtype of numbers written as text. Raises `FileRefused` on damage, wrong checksums and an early end.
    """
    with path.open("rb") as handle:
        handle.seek(start)
        if encoding == "text":
            yield from _numbers(path, handle, np.dtype(number_type))
        elif encoding == "hex":
            yield from _digits(path, handle)
        else:
            yield from _decompressed(path, encoding, handle, length)


def _new_decoder(encoding: Encoding) -> _Decoder:
    return bz2.BZ2Decompressor() if encoding == "bzip2" else _Inflater(_WINDOW_BITS[encoding])


def _decompressed(path: Path, encoding: Encoding, handle: IO[bytes], length: int | None) -> Iterator[tuple[bytes, int]]:
    """All members of a stream, zero padding after them allowed."""
    used, padding, waiting = 0, 0, b""
    decoder = _new_decoder(encoding)
    while True:
        if not waiting and (decoder.needs_input or decoder.eof):
            waiting = handle.read(_PACKED_READ if length is None else min(_PACKED_READ, length - used))
            used += len(waiting)
            if not waiting and decoder.eof:
                return
            if not waiting:
                raise FileRefused(path, "is incomplete: its compressed data end too early.", _AGAIN)
        if decoder.eof:
            read, waiting = len(waiting), waiting.lstrip(b"\0")
            padding += read - len(waiting)
            if padding > _MOST_PADDING:
                raise FileRefused(path, "goes on with nothing but zeros behind its compressed data.", _AGAIN)
            if not waiting:
                continue
            decoder = _new_decoder(encoding)
        try:
            block = decoder.decompress(waiting, BLOCK)
        except (zlib.error, OSError, ValueError):
            raise FileRefused(path, "is damaged: its compressed data or their checksum are wrong.", _AGAIN) from None
        waiting = decoder.unused_data if decoder.eof else b""
        yield block, used - len(waiting)


def _numbers(path: Path, handle: IO[bytes], dtype: np.dtype[np.generic]) -> Iterator[tuple[bytes, int]]:
    """Numbers between blanks, as bytes of `dtype`."""
    used, rest = 0, b""
    while True:
        text = handle.read(_TEXT_READ)
        used += len(text)
        words = (rest + text).split()
        open_word = bool(text) and not text[-1:].isspace() and bool(words)
        rest = words.pop() if open_word else b""
        try:
            if len(rest) > _LONGEST_NUMBER or b"_" in text:  # `1_0` is a number to Python alone
                raise ValueError
            values = [float(word) for word in words] if dtype.kind == "f" else [int(word) for word in words]
            with np.errstate(over="ignore"):
                yield np.array(values, dtype).tobytes(), used
        except (ValueError, OverflowError):
            problem = f"has something among its voxels that is no number of type {dtype.name}."
            raise FileRefused(path, problem, _AGAIN) from None
        if not text:
            return


def _digits(path: Path, handle: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    used, rest = 0, b""
    while text := handle.read(_TEXT_READ):
        used += len(text)
        digits = rest + b"".join(text.split())
        even = len(digits) & ~1
        rest = digits[even:]
        try:
            yield bytes.fromhex(digits[:even].decode("ascii")), used
        except ValueError:
            raise FileRefused(path, "has something among its voxels that is no hexadecimal digit.", _AGAIN) from None
    if rest:
        raise FileRefused(path, "is incomplete: its hexadecimal digits end within a byte.", _AGAIN)
