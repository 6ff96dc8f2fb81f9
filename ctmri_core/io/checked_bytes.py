"""Bytes of files, complete or refused: lengths of plain files and lengths and checksums of packed ones are proved here.

Measured: nibabel does not check the gzip checksum, and SimpleITK fills what a truncated file lacks with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused, Stopped
from ctmri_core.events import Event, Progress, StopSignal, Work, relayed
from ctmri_core.io.unpacking import Encoding, unpacked

CHUNK = 512 << 10  # a slice of 512 x 512 in 16 bit
_MOST_PADDING = 1 << 20
_AGAIN = "Copy or export it again."


@dataclass(frozen=True)
class Stored:
    """Where bytes lie: `path` from byte `start` on, `length` bytes or to the end of the file, packed as `encoding` says.

    Of the unpacked bytes the first `lead` are passed over. `number_type`: the dtype of numbers written as text. `padded`:
    something else of up to a megabyte may follow; more bytes than that mean that the header is wrong about them.
    """

    path: Path
    encoding: Encoding = "raw"
    start: int = 0
    length: int | None = None
    lead: int = 0
    number_type: str = ""
    padded: bool = False

    def most(self, wanted: int) -> int:
        """How many unpacked bytes there may be where `wanted` are needed."""
        return wanted + (_MOST_PADDING if self.padded else 0)


class Sink(Protocol):
    """What takes a known number of bytes piece by piece."""

    @property
    def byte_count(self) -> int:
        """How many bytes are wanted in all."""
        ...

    def room(self) -> NDArray[np.uint8]:
        """Where the next bytes go; not empty while any are missing."""
        ...

    def filled(self, count: int) -> None:
        """The first `count` bytes of the last `room` have been written."""
        ...


def read_into(sink: Sink, parts: Sequence[Stored], share: int, offset: int, stop: StopSignal) -> Work[None]:
    """Fills `sink` from byte `offset` on of a content of which each of `parts` holds `share` bytes, one behind the other.

    A packed part is unpacked to its end, so that its checksum and length are proved once this has ended: no byte may be used
    before. Raises `FileRefused` on what is short or damaged, `Stopped` when asked to end.
    """

    def hear(event: Event) -> Event | None:
        return event if len(parts) == 1 else None

    for number, part in enumerate(parts):
        first, last = max(offset - number * share, 0), min(offset + sink.byte_count - number * share, share)
        if first < last:
            yield from relayed(_read_part(sink, part, share, first, last - first, stop), hear)
        if len(parts) > 1:
            yield Progress(done=number + 1, total=len(parts), unit="files")


def peek_into(sink: Sink, parts: Sequence[Stored], share: int, offset: int) -> None:
    """As `read_into`, but what lies behind the wanted bytes stays unread and unproved: for showing only."""
    for number, part in enumerate(parts):
        first, last = max(offset - number * share, 0), min(offset + sink.byte_count - number * share, share)
        if first < last and part.encoding == "raw":
            for _ in _read_plain(sink, part.path, part.start + part.lead + first, last - first):
                pass
        elif first < last:
            wanted = _Wanted(sink, part.lead + first, part.lead + last)
            for block, _ in unpacked(part.path, part.encoding, part.start, part.length, part.number_type):
                if wanted.take(block) >= part.lead + last:
                    break
            else:
                raise FileRefused(part.path, "is incomplete: it ends before the middle slice.", _AGAIN)


def _read_part(sink: Sink, part: Stored, share: int, offset: int, count: int, stop: StopSignal) -> Work[None]:
    if part.encoding != "raw":
        yield from _unpack(sink, part, share, offset, count, stop)
        return
    for done in _read_plain(sink, part.path, part.start + part.lead + offset, count):
        if stop():
            raise Stopped(f"Opening {part.path.name} was stopped.")
        yield Progress(done=done, total=count, unit="bytes")


def _read_plain(sink: Sink, path: Path, offset: int, count: int) -> Iterator[int]:
    """Yields how many bytes are read."""
    done = 0
    with path.open("rb", buffering=0) as handle:
        handle.seek(offset)
        while done < count:
            part = sink.room()[: count - done]
            got = handle.readinto(part.data)
            if not got:
                raise FileRefused(path, f"is incomplete: it ends after {offset + done} of {offset + count} bytes.", _AGAIN)
            sink.filled(got)
            done += got
            yield done


def _unpack(sink: Sink, part: Stored, share: int, offset: int, count: int, stop: StopSignal) -> Work[None]:
    path, total, size = part.path, part.lead + share, part.path.stat().st_size
    wanted = _Wanted(sink, part.lead + offset, part.lead + offset + count)
    position = 0
    for block, consumed in unpacked(path, part.encoding, part.start, part.length, part.number_type):
        if stop():
            raise Stopped(f"Opening {path.name} was stopped.")
        position = wanted.take(block)
        if position > part.most(total):
            raise FileRefused(path, f"holds more than the {total} bytes that its header promises.", "The header is damaged.")
        yield Progress(done=consumed, total=size, unit="bytes")
    if position < total:
        raise FileRefused(path, f"is incomplete: it unpacks to {position} of {total} bytes.", _AGAIN)


class _Wanted:
    """Passes on to a sink the bytes from `first` to `last` of a stream that comes in blocks."""

    def __init__(self, sink: Sink, first: int, last: int) -> None:
        self._sink, self._first, self._last = sink, first, last
        self._position = 0

    def take(self, block: bytes) -> int:
        """The place in the stream after `block`."""
        start, end = max(self._first - self._position, 0), min(self._last - self._position, len(block))
        source = np.frombuffer(block, np.uint8)
        while start < end:
            room = self._sink.room()[: end - start]
            room[...] = source[start : start + len(room)]
            self._sink.filled(len(room))
            start += len(room)
        self._position += len(block)
        return self._position
