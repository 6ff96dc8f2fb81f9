"""Several answers for every voxel in one, as their slices come."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ctmri_core.inference.order import Fusion
from ctmri_core.preprocess.slice_grid import SliceGrid, Slices
from ctmri_core.volume import Voxels

Shape = tuple[int, int, int]
Stored = type[np.int16] | type[np.float32]


class Taker(Protocol):
    """Takes slices `start` to `end` of one pass after another, on the volume's own pixels."""

    def begin(self) -> None:
        """A pass begins."""

    def take(self, grid: SliceGrid, start: int, end: int, values: Slices) -> None: ...


class Picture(Taker, Protocol):
    """Makes one volume of the passes."""

    def give_up(self) -> None:
        """The pass that began last will not become whole."""

    def fused(self, dtype: Stored) -> Voxels:
        """Asked once, at the end: may take the memory of what was collected."""


class Kept:
    """Of one pass: its values as they are stored, `background` where none came."""

    def __init__(self, shape: Shape, background: float, dtype: Stored) -> None:
        self.voxels: Voxels
        self.voxels = np.full(shape, background, np.int16) if dtype is np.int16 else np.full(shape, background, np.float32)

    def begin(self) -> None:
        """It is the only one."""

    def take(self, grid: SliceGrid, start: int, end: int, values: Slices) -> None:
        grid.oriented(self.voxels)[start:end] = as_stored(values, self.voxels.dtype.type)

    def give_up(self) -> None:
        """What came stays."""

    def fused(self, dtype: Stored) -> Voxels:
        assert self.voxels.dtype == dtype
        return self.voxels


class Mean:
    """float32 mean of the passes, and with `spread` what is needed for their standard deviation (Welford 1962).

    A voxel that fewer passes have reached is the mean of those; `background` where none did.
    """

    def __init__(self, shape: Shape, background: float, *, spread: bool = False) -> None:
        self.values = np.full(shape, background, np.float32)
        self._squares = np.zeros(shape, np.float32) if spread else None
        self.passes = 0

    def begin(self) -> None:
        self.passes += 1

    def take(self, grid: SliceGrid, start: int, end: int, values: Slices) -> None:
        mean = grid.oriented(self.values)[start:end]
        if self.passes == 1:
            mean[:] = values
            return
        difference = values - mean
        mean += difference / self.passes
        if self._squares is not None:
            squares = grid.oriented(self._squares)[start:end]
            squares += difference * (values - mean)

    def give_up(self) -> None:
        """What came counts where it came."""

    def fused(self, dtype: Stored) -> Voxels:
        if dtype is np.float32:
            return self.values
        result = np.empty(self.values.shape, np.int16)
        for k, values in enumerate(self.values):
            result[k] = as_stored(values, np.int16)
        return result

    def deviation(self) -> NDArray[np.float32]:
        """Standard deviation of the passes as a sample (n - 1); of two whole ones at least. Asked once."""
        assert self._squares is not None and self.passes > 1
        self._squares /= self.passes - 1
        return np.sqrt(self._squares, out=self._squares)


class Median:
    """The middle one of the passes for every voxel, all of which are kept until then."""

    def __init__(self, shape: Shape, background: float) -> None:
        self._shape, self._background = shape, background
        self._passes: list[NDArray[np.float32]] = []

    def begin(self) -> None:
        self._passes.append(np.full(self._shape, self._background, np.float32))

    def take(self, grid: SliceGrid, start: int, end: int, values: Slices) -> None:
        grid.oriented(self._passes[-1])[start:end] = values

    def give_up(self) -> None:
        """It counts for nothing where there is another."""
        del self._passes[max(len(self._passes) - 1, 1) :]

    def fused(self, dtype: Stored) -> Voxels:
        result = np.empty(self._shape, np.int16) if dtype is np.int16 else self._passes[0]
        for k in range(self._shape[0]):  # a slice at a time: no further copy of all
            result[k] = as_stored(np.median([each[k] for each in self._passes], axis=0), dtype)
        return result

    def deviation(self) -> NDArray[np.float32]:
        """Standard deviation of the passes as a sample (n - 1); asked before `fused`."""
        result = np.empty(self._shape, np.float32)
        for k in range(self._shape[0]):
            result[k] = np.std([each[k] for each in self._passes], axis=0, ddof=1)
        return result


def fusing(how: Fusion, shape: Shape, background: float, *, spread: bool) -> Mean | Median:
    return Median(shape, background) if how == "median" else Mean(shape, background, spread=spread)


def as_stored(values: NDArray[np.float32], dtype: Stored) -> Voxels:
    """Rounded, and kept within what int16 holds, for HU."""
    if dtype is np.int16:
        return np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    return values.astype(np.float32, copy=False)
