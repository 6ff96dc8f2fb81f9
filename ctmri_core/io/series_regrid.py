"""Slices that do not lie on a straight, even grid, brought onto one by linear interpolation, one slice at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ctmri_core.volume import Voxels

Float32 = NDArray[np.float32]


def shifted(part: Voxels, shift: tuple[float, float], shape: tuple[int, int], background: float) -> Float32:
    """`part` moved by `shift` (rows, columns; fractional, not negative) on a field of `shape`.

    A voxel belongs to the slice when its centre lies within the slice's outermost voxels, and takes its value from slice voxels
    alone; every other is `background`. So the slice keeps its size and no edge of half a value appears.
    """
    field: Float32 = np.full(shape, background, np.float32)
    values = part.astype(np.float32)
    tops = []
    for axis, distance in enumerate(shift):
        top = math.floor(distance + 0.5)
        values = _moved_within(values, distance - top, axis)
        tops.append(top)
    rows, columns = part.shape
    field[tops[0] : tops[0] + rows, tops[1] : tops[1] + columns] = values
    return field


def _moved_within(values: Float32, distance: float, axis: int) -> Float32:
    """Moved by at most half a voxel along `axis`; what comes in at the edge repeats it."""
    if not distance:
        return values
    forwards, last = np.arange(values.shape[axis]), values.shape[axis] - 1
    neighbour = np.clip(forwards - (1 if distance > 0 else -1), 0, last)
    weight = np.float32(abs(distance))
    return values + weight * (values.take(neighbour, axis) - values)


def between(slices: Iterator[Voxels], places: Sequence[float], count: int) -> Iterator[Float32]:
    """Linear interpolation of slices lying at the ascending fractional `places` onto k = 0 .. count - 1.

    Where one of two slices is NaN, which stands for nothing, the nearer one is taken: nothing is mixed with something.
    """
    below, above = next(slices), next(slices)
    n = 0
    for k in range(count):
        while n + 2 < len(places) and k > places[n + 1]:
            below, above, n = above, next(slices), n + 1
        weight = np.float32(min(max((k - places[n]) / (places[n + 1] - places[n]), 0.0), 1.0))
        values = below + weight * (above.astype(np.float32) - below)
        alone = np.isnan(values)
        values[alone] = (below if weight < 0.5 else above)[alone]
        yield values
