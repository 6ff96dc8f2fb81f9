"""The slices of a DICOM series into one array, int16 as long as that is exact, else float32, with no second whole copy.

Slices that lie on their grid are read straight into their places on a few threads. Where one turns out to need float32 the array
grows and is converted in place, which holds one slice twice. Slices that are shifted or interpolated come a few at a time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import Stopped
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.io.dicom_pixels import SliceReader
from ctmri_core.io.dicom_slice import PixelFormat, SliceHeader
from ctmri_core.io.preflight import check_memory
from ctmri_core.io.series_judgement import Stack
from ctmri_core.io.series_regrid import between, shifted
from ctmri_core.volume import Voxels

_SLICES_PER_EVENT = 20
_MOST_THREADS = 4


def read_voxels(
    path: Path, headers: Sequence[SliceHeader], stack: Stack, straighten: bool, background: float, stop: StopSignal
) -> Work[Voxels]:
    """(k, j, i) on the grid of `stack` or, to `straighten` its tilt, on that of the tilt; beside shifted slices `background`.

    `headers`: in the order of k. `path`: named when there is too little memory. Raises `FileRefused`, `Stopped`.
    """
    straight = stack.tilt if straighten else None
    shape = (straight or stack).geometry.shape
    room = _Room(path, shape, any(_surely_float32(header.pixels) for header in headers))
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        if straight is None and stack.places is None:
            yield from _in_place(headers, room, pool, stop)
        else:
            slices = _a_few_at_a_time(headers, room, pool)
            if straight is not None:
                slices = (shifted(part, by, shape[1:], math.nan) for part, by in zip(slices, straight.shifts, strict=True))
            if stack.places is not None:
                slices = between(slices, stack.places, shape[0])
            yield from _one_by_one((_filled(part, background) for part in slices), room, stop)
    return room.voxels


def read_one(header: SliceHeader, reader: SliceReader | None = None) -> Voxels:
    """(rows, columns) of one slice. `reader`: of the other slices of its series, if any. Raises `FileRefused`."""
    whole = np.empty((header.pixels.rows, header.pixels.columns), np.int16)
    values = (reader or SliceReader()).read(header, whole)
    return whole if values is None else values


class _Room:
    """An array that begins as int16 where that may do, and becomes float32 in place.

    `needs_float`: a slice that was read, but is not in its place yet, needs it.
    """

    def __init__(self, path: Path, shape: tuple[int, int, int], as_float: bool) -> None:
        self._path, self._shape, self.is_float, self.needs_float = path, shape, as_float, as_float
        check_memory(path, math.prod(shape) * (4 if as_float else 2))
        self._buffer: NDArray[Any] = np.empty(math.prod(shape) * (4 if as_float else 2), np.uint8)

    @property
    def count(self) -> int:
        return self._shape[0]

    @property
    def voxels(self) -> Voxels:
        """A view; none may be held while the array becomes float32."""
        flat: Voxels = self._buffer.view(np.float32) if self.is_float else self._buffer.view(np.int16)
        return flat.reshape(self._shape)

    def become_float(self, filled: int) -> None:
        """Keeps the values of the first `filled` slices."""
        check_memory(self._path, math.prod(self._shape) * 2)
        # Memory of this size is grown by moving its pages, not its content. Nobody holds a view: threads make theirs anew.
        self._buffer.resize(self._buffer.size * 2, refcheck=False)
        narrow = self._buffer.view(np.int16)[: math.prod(self._shape)].reshape(self._shape)
        self.is_float = True
        wide = self.voxels
        for k in reversed(range(filled)):  # from behind, for slice k comes to lie where the slices 2 k and 2 k + 1 were
            wide[k] = narrow[k]


def _in_place(headers: Sequence[SliceHeader], room: _Room, pool: Executor, stop: StopSignal) -> Work[None]:
    reader = SliceReader()

    def fill(k: int) -> bool:
        """Whether slice k is in its place now: it is not when it needs float32 and the room is int16."""
        if not room.is_float:
            return reader.read(headers[k], room.voxels[k]) is None
        room.voxels[k] = read_one(headers[k], reader)
        return True

    for start in range(0, room.count, _SLICES_PER_EVENT):
        _go_on_unless(stop)
        end = min(start + _SLICES_PER_EVENT, room.count)
        if not all(list(pool.map(fill, range(start, end)))):
            room.become_float(start)
            list(pool.map(fill, range(start, end)))
        yield Progress(done=end, total=room.count, unit="slices")


def _a_few_at_a_time(headers: Sequence[SliceHeader], room: _Room, pool: Executor) -> Iterator[Voxels]:
    reader = SliceReader()
    for start in range(0, len(headers), _MOST_THREADS):
        few = list(pool.map(lambda header: read_one(header, reader), headers[start : start + _MOST_THREADS]))
        room.needs_float |= any(part.dtype == np.float32 for part in few)
        yield from few


def _filled(part: Voxels, background: float) -> Voxels:
    part[np.isnan(part)] = background
    return part


def _one_by_one(slices: Iterator[Voxels], room: _Room, stop: StopSignal) -> Work[None]:
    for k, values in enumerate(slices):
        _go_on_unless(stop)
        if room.needs_float and not room.is_float:
            room.become_float(k)
        room.voxels[k] = values if room.is_float else np.rint(values)
        if (k + 1) % _SLICES_PER_EVENT == 0 or k + 1 == room.count:
            yield Progress(done=k + 1, total=room.count, unit="slices")


def _surely_float32(pixels: PixelFormat) -> bool:
    plain = not pixels.wide and pixels.table is None
    return plain and not (pixels.slope.is_integer() and pixels.intercept.is_integer())


def _go_on_unless(stop: StopSignal) -> None:
    if stop():
        raise Stopped("Opening was stopped.")
