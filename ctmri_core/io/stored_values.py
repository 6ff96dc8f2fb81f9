"""From numbers as a file stores them to the voxels of a Volume: int16 where that loses nothing, else float32.

The voxels grow piece by piece in one block of memory, so that a volume needs no more than itself to be opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import FileRefused
from ctmri_core.io.checked_bytes import CHUNK
from ctmri_core.volume import Finding, Voxels

_INT16 = np.iinfo(np.int16)
_PIECE = 1 << 16  # voxels, of which float64 stays in the cache


class VoxelSink:
    """Takes the stored bytes of `count` voxels in order and turns them into `stored * slope + intercept` as they come.

    `dtype`: any real type and byte order. `step`, `place`: of every `step` stored numbers the one at `place` is wanted (volumes
    whose voxels alternate). Raises `FileRefused` when slope and intercept are no scaling.
    """

    def __init__(
        self,
        path: Path,
        count: int,
        dtype: np.dtype[Any],
        slope: float = 1.0,
        intercept: float = 0.0,
        *,
        step: int = 1,
        place: int = 0,
    ) -> None:
        if not np.isfinite([slope, intercept]).all() or slope == 0:
            problem = f"slope {slope:g} and intercept {intercept:g} are no scaling."
            raise FileRefused(path, problem, "Correct the header and open it again.")
        self._path, self._count, self._dtype = path, count, np.dtype(np.uint8) if dtype.kind == "b" else dtype
        self._slope, self._intercept = float(slope), float(intercept)
        self._scaled = (slope, intercept) != (1.0, 0.0)
        self._step, self._place = step, place
        self._whole = dtype.kind in "iub" and self._slope.is_integer() and self._intercept.is_integer()
        self._fits = not self._scaled and (dtype.itemsize == 1 or dtype == np.int16 or dtype == np.dtype(">i2"))
        self._direct = step == 1 and not self._scaled and self._dtype in (np.int16, np.float32)
        self._memory = np.empty(count * (2 if self._whole else 4), np.uint8)
        self._done = 0
        self._part = self._staging = np.empty(0, np.uint8)
        self._level = 0
        self._odd = 0

    @property
    def byte_count(self) -> int:
        """How many stored bytes it needs."""
        return self._count * self._step * self._dtype.itemsize

    def room(self) -> NDArray[np.uint8]:
        """Where the next stored bytes go: memory of the voxels themselves where they need no conversion."""
        if self._level == len(self._part):
            self._part, self._level = self._next_part(), 0
        return self._part[self._level :]

    def filled(self, count: int) -> None:
        """The first `count` bytes of the last `room` have been written."""
        self._level += count
        if self._level < len(self._part):
            return
        raw = self._part.view(self._dtype)
        if self._direct:
            self._done += len(raw)
            self._look(raw)
        else:
            self.take(raw[self._place :: self._step])

    def take(self, raw: NDArray[Any]) -> None:
        """The next voxels as stored numbers, one-dimensional."""
        if self._whole and not self._fits and not self._all_fit(raw):
            self._widen()
        target = self._voxels()[self._done : self._done + len(raw)]
        self._done += len(raw)
        if self._whole:
            target[...] = raw  # modulo 2**16, as all that follows; exact, for the results were seen to fit
            if self._scaled:
                target *= np.array(int(self._slope) & 0xFFFF, np.uint16).astype(np.int16)
                target += np.array(int(self._intercept) & 0xFFFF, np.uint16).astype(np.int16)
            return
        for start in range(0, len(raw), _PIECE):
            piece, stored = target[start : start + _PIECE], raw[start : start + _PIECE]
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows becomes infinite and is seen below
                piece[...] = stored.astype(np.float64) * self._slope + self._intercept if self._scaled else stored
            self._look(piece)

    def result(self, shape: tuple[int, int, int]) -> tuple[Voxels, tuple[Finding, ...]]:
        """The voxels, C-contiguous (k, j, i), once all bytes were filled in and proved right.

        Non-finite values become the lowest finite value, with a serious finding; a file of nothing else is refused.
        """
        if self._done != self._count:
            raise ValueError(f"{self._done} of {self._count} voxels were filled in")
        voxels = self._voxels()
        if not self._odd:
            return voxels.reshape(shape), ()
        if self._odd == self._count:
            raise FileRefused(self._path, "holds no finite value at all (only NaN or infinite voxels).", "Export it again.")
        pieces = [voxels[start : start + _PIECE] for start in range(0, self._count, _PIECE)]
        lowest = min(float(piece.min(where=np.isfinite(piece), initial=np.inf)) for piece in pieces)
        for piece in pieces:
            piece[~np.isfinite(piece)] = lowest
        share = self._odd / self._count
        message = f"{share:.2%} of the voxels are NaN or infinite; they are shown as the lowest value ({lowest:g})."
        return voxels.reshape(shape), (Finding("not_finite", message, serious=True),)

    def _voxels(self) -> Voxels:
        return self._memory.view(np.int16) if self._whole else self._memory.view(np.float32)

    def _next_part(self) -> NDArray[np.uint8]:
        if self._direct:
            start = self._done * self._dtype.itemsize
            return self._memory[start : start + CHUNK]
        item = self._step * self._dtype.itemsize
        length = item * min(max(1, CHUNK // item), self._count - self._done)
        if len(self._staging) < length:
            self._staging = np.empty(length, np.uint8)
        return self._staging[:length]

    def _all_fit(self, raw: NDArray[Any]) -> bool:
        slope, intercept = int(self._slope), int(self._intercept)
        ends = [int(raw.min()) * slope + intercept, int(raw.max()) * slope + intercept]
        return min(ends) >= _INT16.min and max(ends) <= _INT16.max

    def _widen(self) -> None:
        """From int16 to float32 on the same memory, from its end on, so that no value is overwritten before it was moved."""
        self._whole = False
        self._memory.resize(4 * self._count, refcheck=False)
        narrow, wide = self._memory.view(np.int16), self._memory.view(np.float32)
        for end in range(self._done, 0, -_PIECE):
            start = max(0, end - _PIECE)
            wide[start:end] = narrow[start:end].copy()

    def _look(self, piece: NDArray[Any]) -> None:
        if piece.dtype.kind == "f" and (self._scaled or self._dtype.kind == "f"):
            self._odd += piece.size - int(np.count_nonzero(np.isfinite(piece)))


def to_voxels(path: Path, raw: NDArray[Any], slope: float = 1.0, intercept: float = 0.0) -> tuple[Voxels, tuple[Finding, ...]]:
    """A (k, j, i) array of stored numbers as `VoxelSink` makes it. `raw` stays as it is."""
    sink = VoxelSink(path, raw.size, raw.dtype, slope, intercept)
    for plane in raw:
        sink.take(plane.reshape(-1))
    k, j, i = raw.shape
    return sink.result((k, j, i))
