"""How far two sets of pictures lie apart in the features of a network, whoever is in them.

Features are (pictures, features) of any real type; which network they come from belongs to the name of the score. Both raise
`GeometryMismatch` when the features are not as many, `NotComparable` on NaN or sets of fewer than two pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch, NotComparable
from ctmri_core.metrics.checks import Values, check_finite

Features = NDArray[np.floating[Any]]
_ROWS = 512


def frechet_distance(real: Features, synthetic: Features) -> float:
    """|m - n|² + tr(C + D - 2 (C D)^½) of means and sample covariances (Heusel et al., NeurIPS 2017, Eq. 6), 0 or more.

    With standard Inception features this is the FID. It falls with the number of pictures: compare equal numbers only, of more
    pictures than features. The trace of the root is the sum of the singular values of the product of both sets of centred
    features, which needs no root of a singular matrix.
    """
    sets = _checked(real, synthetic)
    means = [features.mean(0) for features in sets]
    reduced = [_triangle(features, mean) for features, mean in zip(sets, means, strict=True)]
    root = np.linalg.svd(reduced[0] @ reduced[1].T, compute_uv=False).sum()
    apart = float(((means[0] - means[1]) ** 2).sum())
    spread = sum(float((triangle**2).sum()) for triangle in reduced)
    return max(0.0, apart + spread - 2 * float(root))


def kernel_distance(real: Features, synthetic: Features) -> float:
    """Squared maximum mean discrepancy with the kernel (x y / features + 1)³, unbiased, so that it may fall below 0.

    With standard Inception features this is the KID (Bińkowski et al., ICLR 2018, Eq. 4), here once over all pictures, not the
    mean over random subsets. Its expectation does not depend on the number of pictures.
    """
    a, b = _checked(real, synthetic)
    n, m = len(a), len(b)
    own = _kernel_sum(a, a, without_self=True) / (n * (n - 1)) + _kernel_sum(b, b, without_self=True) / (m * (m - 1))
    return own - 2 * _kernel_sum(a, b) / (n * m)


def _triangle(features: Values, mean: Values) -> Values:
    """R with RᵀR = the covariance; no larger than features x features."""
    triangle: Values = np.asarray(np.linalg.qr((features - mean) / math.sqrt(len(features) - 1), mode="r"))
    return triangle


def _kernel_sum(a: Values, b: Values, *, without_self: bool = False) -> float:
    """Over all pairs, some rows at a time; `without_self`: of a set with itself, but for each picture with itself."""
    total = 0.0
    for rows in _blocks(a):
        total += float(((rows @ b.T / a.shape[1] + 1) ** 3).sum())
        if without_self:
            total -= float((((rows**2).sum(1) / a.shape[1] + 1) ** 3).sum())
    return total


def _blocks(features: Values) -> Iterator[Values]:
    for start in range(0, len(features), _ROWS):
        yield features[start : start + _ROWS]


def _checked(real: Features, synthetic: Features) -> tuple[Values, Values]:
    for features in (real, synthetic):
        if features.ndim != 2:
            raise GeometryMismatch(f"Features are (pictures, features); these have {features.ndim} dimensions.")
        if len(features) < 2:
            raise NotComparable(f"A set of {len(features)} pictures has no spread: two are needed, and thousands are better.")
        check_finite(features)
    if real.shape[1] != synthetic.shape[1] or not real.shape[1]:
        raise GeometryMismatch(f"The sets have {real.shape[1]} and {synthetic.shape[1]} features: not of one network.")
    return real.astype(np.float64, copy=False), synthetic.astype(np.float64, copy=False)
