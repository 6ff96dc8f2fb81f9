"""Slices that do not lie on a straight, even grid, brought onto one by linear interpolation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ctmri_core.io.series_judgement import Stack
from ctmri_core.volume import Voxels

Float32 = NDArray[np.float32]


def regridded(voxels: Voxels, stack: Stack, background: float) -> Voxels:
    """Slices (n, rows, columns) in the order of `stack`, on its grid (k, j, i); int16 stays int16, rounded.

    `background` fills what lies beside a shifted slice. Unchanged when the slices lie on the grid as they are.
    """
    if stack.shifts is None and stack.places is None:
        return voxels
    rows, columns = stack.geometry.shape[1:]
    shifts = stack.shifts or ((0.0, 0.0),) * len(voxels)
    result: Voxels = np.empty(stack.geometry.shape, voxels.dtype)
    slices = (shifted(part, shift, (rows, columns), background) for part, shift in zip(voxels, shifts, strict=True))
    straight = slices if stack.places is None else between(slices, stack.places, stack.geometry.shape[0])
    for k, values in enumerate(straight):
        result[k] = np.rint(values) if voxels.dtype == np.int16 else values
    return result


def shifted(part: Voxels, shift: tuple[float, float], shape: tuple[int, int], background: float) -> Float32:
    """`part` moved by `shift` (rows, columns; fractional, not negative) on a field of `shape` filled with `background`."""
    field = np.zeros(shape, np.float32)
    above = part.astype(np.float32) - np.float32(background)
    rows, columns = part.shape
    (row, down), (column, right) = ((int(s), s - int(s)) for s in shift)
    for step_row, weight_row in ((0, 1 - down), (1, down)):
        for step_column, weight_column in ((0, 1 - right), (1, right)):
            weight = np.float32(weight_row * weight_column)
            if weight:
                top, left = row + step_row, column + step_column
                field[top : top + rows, left : left + columns] += weight * above
    return field + np.float32(background)


def between(slices: Iterator[Float32], places: Sequence[float], count: int) -> Iterator[Float32]:
    """Linear interpolation of slices lying at the ascending fractional `places` onto k = 0 .. count - 1."""
    below, above = next(slices), next(slices)
    n = 0
    for k in range(count):
        while n + 2 < len(places) and k > places[n + 1]:
            below, above, n = above, next(slices), n + 1
        weight = np.float32(min(max((k - places[n]) / (places[n + 1] - places[n]), 0.0), 1.0))
        yield below + weight * (above - below)
