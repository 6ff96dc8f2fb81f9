"""How the reader process and its parent talk: length-prefixed pickles on a private pipe, arrays in shared memory.

Only our own two processes are ever on this pipe. File content travels as array bytes or plain values.
"""

from __future__ import annotations

import pickle
import shutil
import struct
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")
_ALIGNMENT = 64
_WORTH_SHARING = 1 << 16
_POSIX_SHARED_FOLDER = Path("/dev/shm")


def send(pipe: IO[bytes], message: Any) -> None:
    """Writes one message."""
    payload = pickle.dumps(message, protocol=5)
    pipe.write(_LENGTH.pack(len(payload)))
    pipe.write(payload)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Reads one message. Raises `EOFError` when the other side is gone."""
    (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
    return pickle.loads(_read(pipe, length))  # noqa: S301  # written by our own process on the private pipe


def _read(pipe: IO[bytes], count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError
    return content


class PackedResult:
    """A task's result on its way: pickled structure, arrays either inline or in the shared block `block_name`.

    `block` is the writer's handle, to be closed once the reader has unpacked (Windows drops a block that nobody holds).
    """

    def __init__(self, result: Any, block_name: str) -> None:
        buffers: list[pickle.PickleBuffer] = []
        self.payload = pickle.dumps(result, protocol=5, buffer_callback=buffers.append)
        raw = [buffer.raw() for buffer in buffers]
        starts = np.cumsum([0, *(-(-view.nbytes // _ALIGNMENT) * _ALIGNMENT for view in raw)]).tolist()
        self.ranges = [(start, start + view.nbytes) for start, view in zip(starts, raw, strict=False)]
        self.block_name: str | None = None
        self.block: SharedMemory | None = None
        self.inline: list[bytes] = []
        if starts[-1] < _WORTH_SHARING or not _room_for(starts[-1]):
            self.inline = [view.tobytes() for view in raw]
            return
        self.block_name, self.block = block_name, SharedMemory(block_name, create=True, size=starts[-1])
        for (start, stop), view in zip(self.ranges, raw, strict=True):
            _buffer(self.block)[start:stop] = view

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"block": None}

    def unpack(self) -> Any:
        """The result; its arrays view the shared block, which lives as long as they do and has no name any more."""
        if self.block_name is None:
            buffers: list[Any] = [bytearray(content) for content in self.inline]
        else:
            whole = _adopt(self.block_name)
            buffers = [whole[start:stop] for start, stop in self.ranges]
        return pickle.loads(self.payload, buffers=buffers)  # noqa: S301  # as above


def discard_block(name: str) -> None:
    """Removes the shared block of a process that died before its result was fetched, if it got that far."""
    try:
        block = SharedMemory(name)
    except (FileNotFoundError, ValueError):  # never made, or made and not yet given a size
        return
    block.close()
    block.unlink()


def _adopt(name: str) -> NDArray[np.uint8]:
    block = SharedMemory(name)
    block.unlink()
    return np.asarray(_MappedBlock(block))


class _MappedBlock:
    """Gives numpy the block by address and not as a buffer, for a `SharedMemory` with exported buffers cannot close itself."""

    def __init__(self, block: SharedMemory) -> None:
        self._block = block
        address = np.frombuffer(_buffer(block), np.uint8).ctypes.data
        self.__array_interface__ = {"version": 3, "shape": (block.size,), "typestr": "|u1", "data": (address, False)}


def _buffer(block: SharedMemory) -> memoryview:
    view = block.buf
    if view is None:
        raise ValueError("the shared block is closed")
    return view


def _room_for(size: int) -> bool:
    """Containers often have 64 MB of shared memory; writing past it would kill the process without a word."""
    return not _POSIX_SHARED_FOLDER.is_dir() or shutil.disk_usage(_POSIX_SHARED_FOLDER).free > size + (1 << 20)
