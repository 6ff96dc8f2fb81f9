"""Compiled loops behind `resample`. Importing this module compiles them once per machine and caches the result.

The signatures take read-only arrays so that views of shared memory and mapped files pass without a copy or a second
compilation. `matrix` (3, 3) and `offset` (3,) map target indices to fractional source indices; `out` arrives filled
with the background and only positions less than half a voxel outside the source's outermost centres are written,
which is where ITK's interpolators stop as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_Array = NDArray[Any]
_TILE = 32
_Index = np.uint64  # unsigned: no wrap-around of negative indices is compiled in
_VOXELS = [types.Array(kind, 3, "C", readonly=True) for kind in (types.int16, types.float32, types.uint8)]
_MATRIX = types.Array(types.float64, 2, "C", readonly=True)
_VECTOR = types.Array(types.float64, 1, "C", readonly=True)
_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


@njit("UniTuple(int64, 2)(float64, float64, int64, int64, int64)", **_OPTIONS)  # type: ignore[untyped-decorator]  # numba ships no types
def _columns_inside(start: float, step: float, size: int, low: int, high: int) -> tuple[int, int]:
    """The part of columns [low, high) whose index along one source axis lies in [-0.5, size - 0.5)."""
    first, last = -0.5, size - 0.5
    if step == 0.0:
        return (low, high) if first <= start < last else (low, low)
    near, far = (first - start) / step, (last - start) / step
    if near > far:
        near, far = far, near
    if near > high or far < low:
        return low, low
    return math.ceil(max(near, low)), math.ceil(min(far, high))  # a tiny step makes near and far overflow an integer


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]  # numba ships no types
def _linear_tile(
    voxels: _Array, matrix: _Array, start: _Array, out: _Array, top: int, bottom: int, left: int, right: int
) -> None:
    nk, nj, ni = voxels.shape
    one, last_k, last_j, last_i = _Index(1), _Index(nk - 1), _Index(nj - 1), _Index(ni - 1)
    step_k, step_j, step_i = matrix[0, 2], matrix[1, 2], matrix[2, 2]
    for row in range(top, bottom):
        k0 = matrix[0, 1] * row + start[0]
        j0 = matrix[1, 1] * row + start[1]
        i0 = matrix[2, 1] * row + start[2]
        low, high = _columns_inside(k0, step_k, nk, left, right)
        low, high = _columns_inside(j0, step_j, nj, low, high)
        low, high = _columns_inside(i0, step_i, ni, low, high)
        for column in range(low, high):
            k = min(max(k0 + column * step_k, 0.0), nk - 1.0)
            j = min(max(j0 + column * step_j, 0.0), nj - 1.0)
            i = min(max(i0 + column * step_i, 0.0), ni - 1.0)
            ka, ja, ia = _Index(k), _Index(j), _Index(i)
            kb, jb, ib = min(ka + one, last_k), min(ja + one, last_j), min(ia + one, last_i)
            fk, fj, fi = k - ka, j - ja, i - ia
            aa = voxels[ka, ja, ia] * (1.0 - fi) + voxels[ka, ja, ib] * fi
            ab = voxels[ka, jb, ia] * (1.0 - fi) + voxels[ka, jb, ib] * fi
            ba = voxels[kb, ja, ia] * (1.0 - fi) + voxels[kb, ja, ib] * fi
            bb = voxels[kb, jb, ia] * (1.0 - fi) + voxels[kb, jb, ib] * fi
            upper = aa * (1.0 - fj) + ab * fj
            lower = ba * (1.0 - fj) + bb * fj
            out[row, column] = upper * (1.0 - fk) + lower * fk


@njit([types.void(v, _MATRIX, _VECTOR, types.float32[:, :, ::1]) for v in _VOXELS], **_OPTIONS)  # type: ignore[untyped-decorator]  # numba ships no types
def linear(voxels: _Array, matrix: _Array, offset: _Array, out: _Array) -> None:
    """Trilinear interpolation of `voxels` at every index of `out`, in tiles so that an oblique plane stays in cache."""
    slices, rows, columns = out.shape
    for slice_ in range(slices):
        start = matrix[:, 0] * slice_ + offset
        for top in range(0, rows, _TILE):
            for left in range(0, columns, _TILE):
                bottom, right = min(top + _TILE, rows), min(left + _TILE, columns)
                _linear_tile(voxels, matrix, start, out[slice_], top, bottom, left, right)


@njit([types.void(v, _MATRIX, _VECTOR, types.Array(v.dtype, 3, "C")) for v in _VOXELS], **_OPTIONS)  # type: ignore[untyped-decorator]  # numba ships no types
def nearest(voxels: _Array, matrix: _Array, offset: _Array, out: _Array) -> None:
    """The nearest voxel at every index of `out`; ties go to the higher index."""
    nk, nj, ni = voxels.shape
    step_k, step_j, step_i = matrix[0, 2], matrix[1, 2], matrix[2, 2]
    for slice_ in range(out.shape[0]):
        for row in range(out.shape[1]):
            k0 = matrix[0, 0] * slice_ + matrix[0, 1] * row + offset[0]
            j0 = matrix[1, 0] * slice_ + matrix[1, 1] * row + offset[1]
            i0 = matrix[2, 0] * slice_ + matrix[2, 1] * row + offset[2]
            low, high = _columns_inside(k0, step_k, nk, 0, out.shape[2])
            low, high = _columns_inside(j0, step_j, nj, low, high)
            low, high = _columns_inside(i0, step_i, ni, low, high)
            for column in range(low, high):
                k = min(max(math.floor(k0 + column * step_k + 0.5), 0), nk - 1)
                j = min(max(math.floor(j0 + column * step_j + 0.5), 0), nj - 1)
                i = min(max(math.floor(i0 + column * step_i + 0.5), 0), ni - 1)
                out[slice_, row, column] = voxels[k, j, i]


@njit([types.void(v, types.float32[:, :, ::1]) for v in _VOXELS], **_OPTIONS)  # type: ignore[untyped-decorator]  # numba ships no types
def block_mean(voxels: _Array, out: _Array) -> None:
    """Mean of the equal blocks that `out` divides `voxels` into; blocks at the far ends may be cut short."""
    nk, nj, ni = voxels.shape
    size_k, size_j, size_i = -(-nk // out.shape[0]), -(-nj // out.shape[1]), -(-ni // out.shape[2])
    line = np.empty(ni)
    for k in range(out.shape[0]):
        last_k = min((k + 1) * size_k, nk)
        for j in range(out.shape[1]):
            last_j = min((j + 1) * size_j, nj)
            line[:] = 0.0
            for source_k in range(k * size_k, last_k):
                for source_j in range(j * size_j, last_j):
                    row = voxels[source_k, source_j]
                    for i in range(ni):
                        line[i] += row[i]
            area = (last_k - k * size_k) * (last_j - j * size_j)
            for i in range(out.shape[2]):
                last_i = min((i + 1) * size_i, ni)
                out[k, j, i] = line[i * size_i : last_i].sum() / (area * (last_i - i * size_i))
