"""The compiled loop behind the voxelwise errors. Importing this module compiles it once per machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_Array = NDArray[Any]
_F8 = types.float64
_VALUES = [types.Array(kind, 1, "C", readonly=True) for kind in (types.int16, types.float32, types.float64)]
_MASK = types.Array(types.boolean, 1, "C", readonly=True)


@njit(  # type: ignore[untyped-decorator]  # numba ships no types
    [types.UniTuple(_F8, 4)(values, values, _MASK, _F8, _F8) for values in _VALUES],
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"},
)  # fmt: skip
def error_sums(a: _Array, b: _Array, mask: _Array, low: float, high: float) -> tuple[float, float, float, float]:
    """Over `mask`: values, sum of b - a, of |b - a|, and of (b - a)² with both clipped to [`low`, `high`]."""
    count = signed = absolute = squares = 0.0
    for i in range(a.size):
        inside = mask[i]
        p, q = np.float64(a[i]), np.float64(b[i])
        difference = q - p if inside else 0.0
        clipped = min(max(q, low), high) - min(max(p, low), high) if inside else 0.0
        count += 1.0 if inside else 0.0
        signed += difference
        absolute += abs(difference)
        squares += clipped * clipped
    return count, signed, absolute, squares
