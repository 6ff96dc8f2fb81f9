"""GIF 89a, written frame by frame as they come: Pillow compresses, this module puts the parts together.

Pillow's own writer keeps all frames in memory and can neither say how far it is nor be stopped.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from ctmri_core.io.film_palette import Frame, FramePalette

_TABLE_OF_256 = 0xF7  # global, 8 bits a colour, 256 entries
_AGAIN = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
_LONGEST_BLOCK = 255
_STAYS = 1  # what was painted remains below the next frame


class GifWriter:
    """Frames of one size, shown over and over. Times are hundredths of a second; what rounding leaves goes to the next frame.

    `told`: the comment, ASCII.
    """

    def __init__(self, path: Path, rate: float, palette: FramePalette, told: str) -> None:
        self._path, self._rate, self._palette, self._told = path, rate, palette, told
        self._shown: NDArray[np.uint8] | None = None
        self._count = 0

    def __enter__(self) -> Self:
        self._file: BinaryIO = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        with self._file:
            if kind is None:
                self._file.write(b";")

    def add(self, frame: Frame) -> None:
        """Only the rectangle that differs from the frame before is written."""
        indices = self._palette.indices(frame)
        if self._shown is None:
            self._file.write(self._start(*indices.shape))
        top, bottom, left, right = _changed(self._shown, indices)
        self._shown = indices
        part = Image.fromarray(np.ascontiguousarray(indices[top:bottom, left:right]))
        for piece in GifImagePlugin.getdata(part, (left, top), duration=10 * self._hundredths(), disposal=_STAYS):
            self._file.write(piece)
        self._count += 1

    def _hundredths(self) -> int:
        here, there = (round(100 * number / self._rate) for number in (self._count, self._count + 1))
        return there - here

    def _start(self, rows: int, columns: int) -> bytes:
        screen = struct.pack("<HHBBB", columns, rows, _TABLE_OF_256, 0, 0)
        return b"GIF89a" + screen + self._palette.colours.tobytes() + _AGAIN + _comment(self._told)


def _comment(text: str) -> bytes:
    content = text.encode("ascii", "replace")
    blocks = [content[start : start + _LONGEST_BLOCK] for start in range(0, len(content), _LONGEST_BLOCK)]
    return b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _changed(before: NDArray[np.uint8] | None, now: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Rows and columns (first, end, first, end) of what differs; one pixel where nothing does."""
    if before is None:
        return 0, now.shape[0], 0, now.shape[1]
    differs = before != now
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not rows.size:
        return 0, 1, 0, 1
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
