"""Structural similarity (Wang et al., IEEE TIP 13, 2004, Eq. 13; K1 = 0.01, K2 = 0.03) of slices and volumes.

`uniform7`: 7 x 7 (x 7) box, sample covariance, as scikit-image's default and SynthRAD2023.
`gaussian1.5`: Gaussian of sigma 1.5 cut off at 11 x 11 (x 11), population covariance, as in the paper.
Only windows that lie wholly inside the images count. SSIM is not invariant to shifts: say what was added before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Image, Mask, check_data_range, check_dimensions, check_finite, check_pair
from ctmri_core.metrics.volume_ssim import VolumeSsim

Window = Literal["uniform7", "gaussian1.5"]
_MARGIN: dict[str, int] = {"uniform7": 3, "gaussian1.5": 5}
_SLAB = 24


def ssim(a: Image, b: Image, *, data_range: float, mask: Mask | None = None, window: Window = "uniform7") -> float:
    """Mean SSIM of two images (2-D or 3-D), over window centres in `mask` where given.

    int16 and float images go through one compiled pass without copies (uniform7). Raises `GeometryMismatch` on unequal shapes or
    images smaller than the window, `NotComparable` on NaN, a mask without window centres or a range that is not positive.
    """
    constants = checked_constants(a, b, data_range, window, mask)
    margin = window_margin(window)
    inside = None if mask is None else mask[tuple(slice(margin, n - margin) for n in mask.shape)]
    if inside is not None and not inside.any():
        raise NotComparable("The mask lies wholly in the border that no window reaches: there is nothing to compare.")
    if a.ndim == 2 and window == "uniform7":
        return _compiled(a, b, constants, None if inside is None else np.empty(inside.shape, np.float32), inside)
    if window == "uniform7":
        return _compiled_volume(a, b, data_range, mask)
    total, count = 0.0, 0
    for start, luminance, structure in factors_by_slab(a, b, constants, window):
        values = luminance * structure
        chosen = values if inside is None else values[inside[start : start + len(values)]]
        total, count = total + float(chosen.sum()), count + chosen.size
    return total / count


def ssim_map(a: Image, b: Image, *, data_range: float, window: Window = "uniform7") -> NDArray[np.float32]:
    """SSIM at every window centre: float32 of the images' shape, NaN in the border that no window reaches.

    Raises as `ssim`.
    """
    constants = checked_constants(a, b, data_range, window, None)
    margin = window_margin(window)
    result = np.full(a.shape, np.nan, np.float32)
    inside: NDArray[np.float32] = result[tuple(slice(margin, n - margin) for n in a.shape)]
    if a.ndim == 2 and window == "uniform7":
        values = np.empty(inside.shape, np.float32)
        _compiled(a, b, constants, values, None)
        inside[...] = values
    else:
        for start, luminance, structure in factors_by_slab(a, b, constants, window):
            inside[start : start + len(structure)] = luminance * structure
    return result


def window_margin(window: Window) -> int:
    """Pixels of the border that no window's centre reaches."""
    return _MARGIN[window]


def checked_constants(a: Image, b: Image, data_range: float, window: Window, mask: Mask | None) -> tuple[float, float]:
    """(C1, C2) after all checks but the one for NaN. Raises as `ssim`."""
    check_pair(a, b, mask)
    check_data_range(data_range)
    if window not in _MARGIN:
        raise NotComparable(f"The window is one of {', '.join(_MARGIN)}, not {window}.")
    check_dimensions(a, "SSIM")
    size = 2 * window_margin(window) + 1
    if min(a.shape) < size:
        raise GeometryMismatch(f"Images of {a.shape} are smaller than the SSIM window of {size} along each axis.")
    return (0.01 * data_range) ** 2, (0.03 * data_range) ** 2


def _compiled(
    a: Image, b: Image, constants: tuple[float, float], out: NDArray[np.float32] | None, inside: Mask | None
) -> float:
    from ctmri_core.metrics.ssim_kernel import uniform7  # numba costs 0.2 s: not before the first score

    dtype = _common_type(a, b)
    first, second = np.ascontiguousarray(a, dtype), np.ascontiguousarray(b, dtype)
    values = np.empty((0, a.shape[1] - 6), np.float32) if out is None else out
    mean = uniform7(first, second, *constants, values)
    if not np.isfinite(mean):  # a NaN anywhere stays in the sliding sums
        check_finite(a)
        check_finite(b)
    return float(mean if inside is None else values[inside].mean(dtype=np.float64))


def _compiled_volume(a: Image, b: Image, data_range: float, mask: Mask | None) -> float:
    dtype = _common_type(a, b)
    tally, everywhere = VolumeSsim(data_range), np.ones(a.shape[1:], np.bool_)
    for n in range(len(a)):
        centres = everywhere if mask is None else np.ascontiguousarray(mask[n])
        tally.add(np.ascontiguousarray(a[n], dtype), np.ascontiguousarray(b[n], dtype), centres)
    if not np.isfinite(tally.mean):
        check_finite(a)
        check_finite(b)
    return tally.mean


def _common_type(a: Image, b: Image) -> np.dtype[Any]:
    """A type that the compiled loops take, and that holds both."""
    fit = a.dtype == b.dtype and a.dtype in (np.int16, np.float32)
    return a.dtype if fit else np.dtype(np.float64)


def factors_by_slab(
    a: Image, b: Image, constants: tuple[float, float], window: Window
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """(index of the first, luminance, contrast-structure) of window centres, a few slices at a time so that whole scans fit
    the memory; SSIM is the product. Raises `NotComparable` on NaN.
    """
    check_finite(a)
    check_finite(b)
    margin = window_margin(window)
    rows = _SLAB if a.ndim == 3 else len(a)
    for start in range(0, a.shape[0] - 2 * margin, rows):
        part = slice(start, start + rows + 2 * margin)
        yield start, *_factors(a[part].astype(np.float64), b[part].astype(np.float64), constants, window)


def _factors(
    a: NDArray[np.float64], b: NDArray[np.float64], constants: tuple[float, float], window: Window
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Luminance and contrast-structure at the window centres of one slab, border removed."""
    from scipy.ndimage import gaussian_filter, uniform_filter

    margin = window_margin(window)
    inner = tuple(slice(margin, n - margin) for n in a.shape)

    def mean(image: NDArray[np.float64]) -> Any:
        filtered = uniform_filter(image, 7) if window == "uniform7" else gaussian_filter(image, 1.5, radius=5)
        return filtered[inner]

    samples = 7**a.ndim
    unbiased = samples / (samples - 1) if window == "uniform7" else 1.0
    mean_a, mean_b = mean(a), mean(b)
    mean_product, mean_squares = mean_a * mean_b, mean_a**2 + mean_b**2
    covariance = unbiased * (mean(a * b) - mean_product)
    variances = unbiased * (mean(a * a + b * b) - mean_squares)
    c1, c2 = constants
    return (2 * mean_product + c1) / (mean_squares + c1), (2 * covariance + c2) / (variances + c2)
