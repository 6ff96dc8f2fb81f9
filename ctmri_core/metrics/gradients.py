"""Whether edges lie where they should and are as steep (Xue et al., IEEE TIP 23, 2014)."""

from __future__ import annotations

import numpy as np

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Image, Mask, Values, check_data_range, check_dimensions, check_finite, check_pair
from ctmri_core.metrics.halving import block_majority, block_means

_CONSTANT = 170 / 255**2  # section II-C, of pictures of 8 bits
_SMALLEST = 6  # one gradient of three blocks of two


def gradient_similarity(a: Image, b: Image, *, data_range: float, mask: Mask | None = None) -> float:
    """Mean similarity of the gradient magnitudes (2 g h + c) / (g² + h² + c) of slices or volumes, 0 to 1 (GMSM, Eq. 4, 5).

    Of means of blocks of two along each axis; Prewitt gradients, in three dimensions averaged over 3 x 3; only those
    that lie wholly inside the images, with their centre in `mask` where given (blocks of which half lies in it). c is 170 of
    255², scaled to `data_range`. Raises `GeometryMismatch` on unequal or too small shapes, `NotComparable` on NaN, a mask
    without centres or a range that is not positive.
    """
    return float(_similarities(a, b, data_range, mask).mean())


def gradient_deviation(a: Image, b: Image, *, data_range: float, mask: Mask | None = None) -> float:
    """Standard deviation of the same, 0 for equal images (GMSD, Eq. 6). Raises as `gradient_similarity`."""
    return float(_similarities(a, b, data_range, mask).std())


def _similarities(a: Image, b: Image, data_range: float, mask: Mask | None) -> Values:
    """At the places that count, in one row."""
    check_pair(a, b, mask)
    check_data_range(data_range)
    check_dimensions(a, "Gradient similarity")
    if min(a.shape) < _SMALLEST:
        raise GeometryMismatch(f"Images of {a.shape} are too small for gradients: {_SMALLEST} along each axis are needed.")
    check_finite(a)
    check_finite(b)
    g, h = (_gradient_squares(block_means(image)) for image in (a, b))
    constant = _CONSTANT * data_range**2
    similarity: Values = (2 * np.sqrt(g * h) + constant) / (g + h + constant)
    if mask is None:
        return similarity.ravel()
    chosen: Values = similarity[block_majority(mask)[(slice(1, -1),) * mask.ndim]]
    if not chosen.size:
        raise NotComparable("The mask lies wholly in the border that no gradient reaches, or is thinner than a block of two.")
    return chosen


def _gradient_squares(image: Values) -> Values:
    """Squared length of the Prewitt gradient where its window lies inside the image."""
    total = np.zeros(tuple(n - 2 for n in image.shape))
    for direction in range(image.ndim):
        part = image
        for axis in range(image.ndim):
            before, here, after = (
                part[(slice(None),) * axis + (slice(start, part.shape[axis] - 2 + start),)] for start in range(3)
            )
            part = after - before if axis == direction else (before + here + after) / 3
        total += part**2
    return total
