"""The compiled loop that brings two images to the scale of a convention. Importing this module compiles it once per machine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_Array = NDArray[Any]
_F8 = types.float64
_IMAGE = types.Array(types.float32, 2, "C", readonly=True)
_OUT, _MASK = types.float32[:, ::1], types.boolean[:, ::1]


@njit(  # type: ignore[untyped-decorator]  # numba ships no types
    types.UniTuple(_F8, 4)(_IMAGE, _IMAGE, _MASK, types.boolean, *([_F8] * 5), _OUT, _OUT),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def mapped(
    x: _Array, y: _Array, mask: _Array, masked: bool,
    x_low: float, x_factor: float, y_low: float, y_factor: float, top: float, a: _Array, b: _Array,
) -> tuple[float, float, float, float]:  # fmt: skip
    """`x` and `y` as (value - low) * factor within [0, `top`] in `a` and `b`; 0 where either is not finite and, when `masked`,
    outside `mask`, from which pixels that are not finite are taken.

    Returns, over the mask: pixels, sum of |x - y|, sum of |a - b|, sum of (a - b)².
    """
    count = raw = absolute = squares = 0.0
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            p, q = np.float64(x[r, c]), np.float64(y[r, c])
            seen = math.isfinite(p) and math.isfinite(q)
            inside = seen and mask[r, c]
            mask[r, c] = inside
            if not inside and (masked or not seen):
                a[r, c] = b[r, c] = 0.0
                continue
            u = min(max((p - x_low) * x_factor, 0.0), top)
            v = min(max((q - y_low) * y_factor, 0.0), top)
            a[r, c], b[r, c] = u, v
            if inside:
                count += 1.0
                raw += abs(p - q)
                absolute += abs(u - v)
                squares += (u - v) * (u - v)
    return count, raw, absolute, squares
