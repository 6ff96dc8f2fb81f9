"""The compiled loops behind `ssim` for slices and volumes. Importing this module compiles them once per machine.

The signatures take read-only arrays so that views of shared memory and mapped files pass without a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_Array = NDArray[Any]
_WINDOW = 7
_F8 = types.float64
_IMAGES = [types.Array(kind, 2, "C", readonly=True) for kind in (types.int16, types.float32, types.float64)]
_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]  # numba ships no types
def _slide_down(
    old_a: _Array, old_b: _Array, new_a: _Array, new_b: _Array, a: _Array, b: _Array, squares: _Array, products: _Array
) -> None:
    """Per column the sums of a, b, a² + b² and a b over seven rows: a new row enters, an old one leaves."""
    for c in range(a.size):
        p, q = np.float64(new_a[c]), np.float64(new_b[c])
        x, y = np.float64(old_a[c]), np.float64(old_b[c])
        a[c] += p - x
        b[c] += q - y
        squares[c] += (p * p + q * q) - (x * x + y * y)
        products[c] += p * q - x * y


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]  # as above
def _slide_along(
    a: _Array, b: _Array, squares: _Array, products: _Array, n: float, c1: float, c2: float, line: _Array
) -> float:
    """SSIM of one row of windows (Wang et al. 2004, Eq. 13, sample covariance) into `line`; returns their sum.

    `n`: voxels of a window. Numerator and denominator are multiplied through by it; of the variances only the sum is needed.
    """
    c1, c2 = c1 * n * n, c2 * n * (n - 1.0)
    sa = sb = ss = sp = 0.0
    for c in range(_WINDOW - 1):
        sa += a[c]
        sb += b[c]
        ss += squares[c]
        sp += products[c]
    next_a, next_b, next_squares, next_products = a[6:], b[6:], squares[6:], products[6:]
    total = 0.0
    for c in range(line.size):
        sa += next_a[c]
        sb += next_b[c]
        ss += next_squares[c]
        sp += next_products[c]
        mean_product, mean_squares = sa * sb, sa * sa + sb * sb
        value = (2.0 * mean_product + c1) * (2.0 * (n * sp - mean_product) + c2)
        value /= (mean_squares + c1) * (n * ss - mean_squares + c2)
        line[c] = value
        total += value
        sa -= a[c]
        sb -= b[c]
        ss -= squares[c]
        sp -= products[c]
    return total


@njit([_F8(image, image, _F8, _F8, types.float32[:, ::1]) for image in _IMAGES], **_OPTIONS)  # type: ignore[untyped-decorator]  # as above
def uniform7(a: _Array, b: _Array, c1: float, c2: float, out: _Array) -> float:
    """Mean SSIM over all 7 x 7 windows that lie inside the pictures; one pass, sums slide down and along in float64.

    `out`: (rows - 6, columns - 6) receives the value of every window; (0, columns - 6) to do without.
    """
    rows, columns = a.shape
    sums = np.zeros((4, columns))
    nothing = np.zeros(columns, a.dtype)
    spare = np.empty(columns - _WINDOW + 1, np.float32)
    total = 0.0
    for row in range(rows):
        if row < _WINDOW:
            _slide_down(nothing, nothing, a[row], b[row], sums[0], sums[1], sums[2], sums[3])
        else:
            _slide_down(a[row - _WINDOW], b[row - _WINDOW], a[row], b[row], sums[0], sums[1], sums[2], sums[3])
        if row >= _WINDOW - 1:
            line = out[row - _WINDOW + 1] if out.shape[0] else spare
            total += _slide_along(sums[0], sums[1], sums[2], sums[3], float(_WINDOW**2), c1, c2, line)
    mean: float = total / ((rows - _WINDOW + 1) * (columns - _WINDOW + 1))
    return mean


@njit([types.void(image, image, image, image, types.float64[:, :, ::1]) for image in _IMAGES], **_OPTIONS)  # type: ignore[untyped-decorator]  # as above
def slide_deep(old_a: _Array, old_b: _Array, new_a: _Array, new_b: _Array, sums: _Array) -> None:
    """Per pixel the sums of a, b, a² + b² and a b, `sums` (4, rows, columns), over seven slices: one enters, one leaves."""
    for r in range(sums.shape[1]):
        _slide_down(old_a[r], old_b[r], new_a[r], new_b[r], sums[0, r], sums[1, r], sums[2, r], sums[3, r])


@njit(  # type: ignore[untyped-decorator]  # as above
    types.UniTuple(_F8, 2)(
        types.Array(_F8, 3, "C", readonly=True), types.Array(types.boolean, 2, "C", readonly=True), _F8, _F8, _F8
    ),
    **_OPTIONS,
)
def uniform7_deep(sums: _Array, mask: _Array, c1: float, c2: float, power: float) -> tuple[float, float]:
    """(sum of SSIM, count) of the 7 x 7 x 7 windows of one slice whose centres lie in `mask` (rows, columns).

    `sums`: of the seven slices about it, as `slide_deep` keeps them. `power`: other than 1, what is summed is SSIM where
    positive, raised to it.
    """
    _, rows, columns = sums.shape
    down = np.zeros((4, columns))
    line = np.empty(columns - _WINDOW + 1)
    total, count = 0.0, 0.0
    for row in range(rows):
        for n in range(4):
            for c in range(columns):
                down[n, c] += sums[n, row, c] - (sums[n, row - _WINDOW, c] if row >= _WINDOW else 0.0)
        if row < _WINDOW - 1:
            continue
        centre = mask[row - _WINDOW // 2]
        _slide_along(down[0], down[1], down[2], down[3], float(_WINDOW**3), c1, c2, line)
        for c in range(line.size):
            if centre[c + _WINDOW // 2]:
                value = line[c]
                total += value if power == 1.0 else max(value, 0.0) ** power
                count += 1.0
    return total, count
