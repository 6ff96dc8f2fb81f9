"""How well two images of one patient lie on each other, for pictures of different contrast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import NotComparable
from ctmri_core.metrics.checks import Image, Mask, Values, check_pair, paired_values


def outline_dice(mask_a: Mask, mask_b: Mask) -> float:
    """Dice overlap 2 |A and B| / (|A| + |B|) of two outlines; raises `NotComparable` when both are empty."""
    check_pair(mask_a, mask_b)
    total = int(np.count_nonzero(mask_a)) + int(np.count_nonzero(mask_b))
    if total == 0:
        raise NotComparable("Both masks are empty: there is no outline to compare.")
    return 2 * int(np.count_nonzero(mask_a & mask_b)) / total


def mutual_information(a: Image, b: Image, mask: Mask | None = None, bins: int = 64) -> float:
    """H(a) + H(b) - H(a, b) in bits over `mask`: 0 for independent images, at most log2(`bins`). Binned and raises as
    `normalized_mutual_information`. Viola and Wells, Int J Comput Vis 24, 1997, Eq. 3.
    """
    joint = _joint_counts(a, b, mask, bins)
    return max(0.0, _entropy(joint.sum(0)) + _entropy(joint.sum(1)) - _entropy(joint.ravel())) / math.log(2)


def normalized_mutual_information(a: Image, b: Image, mask: Mask | None = None, bins: int = 64) -> float:
    """(H(a) + H(b)) / H(a, b) over `mask`: 1 for independent images, 2 when one determines the other.

    Studholme et al., Pattern Recognition 32, 1999, Eq. 4. Each image is binned evenly between its own 0.5 and 99.5 %
    quantiles; what lies beyond goes to the end bins. Raises `GeometryMismatch` on unequal shapes, `NotComparable` on NaN or
    an empty mask.
    """
    return _normalized(_joint_counts(a, b, mask, bins))


def binned_information(a: NDArray[Any], b: NDArray[Any], bins: int) -> float:
    """The same of two images whose values are bins already, 0 to `bins` - 1."""
    joint = np.bincount(a.astype(np.intp) * bins + b, minlength=bins * bins).reshape(bins, bins)
    return _normalized(joint)


def rank_edges(values: NDArray[Any], bins: int) -> NDArray[np.float64]:
    """(bins - 1,): bounds of bins that hold equally many of `values` each, for `np.searchsorted`.

    Where most of the range is air or metal, or a display window has cut it, even bins would leave all tissue in one.
    """
    return np.asarray(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]), np.float64)


def _normalized(joint: NDArray[np.intp]) -> float:
    together = _entropy(joint.ravel())
    if together == 0:  # both constant: neither tells anything about the other
        return 1.0
    return (_entropy(joint.sum(0)) + _entropy(joint.sum(1))) / together


def _joint_counts(a: Image, b: Image, mask: Mask | None, bins: int) -> NDArray[np.intp]:
    """(bins, bins): how often the bins of both occur together."""
    check_pair(a, b, mask)
    bounds = [np.percentile(image if mask is None else image[mask], (0.5, 99.5)) for image in (a, b)]
    if not np.isfinite(bounds).all():
        raise NotComparable("The images hold values that are not finite (NaN or infinity).")
    joint = np.zeros(bins * bins, np.intp)
    for pair in paired_values(a, b, mask):
        first, second = (_binned(values, low, high, bins) for values, (low, high) in zip(pair, bounds, strict=True))
        joint += np.bincount(first * bins + second, minlength=bins * bins)
    return joint.reshape(bins, bins)


def _binned(values: Values, low: float, high: float, bins: int) -> NDArray[np.intp]:
    if high <= low:
        return np.zeros(values.shape, np.intp)
    scaled = (values - low) * (bins / (high - low))
    result: NDArray[np.intp] = np.clip(scaled, 0, bins - 1).astype(np.intp)
    return result


def _entropy(counts: NDArray[np.intp]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
