"""How far one image is a linear function of the other."""

from __future__ import annotations

import math

import numpy as np

from ctmri_core.errors import NotComparable
from ctmri_core.metrics.checks import Image, Mask, paired_values


def ncc(a: Image, b: Image, mask: Mask | None = None) -> float:
    """Normalised cross-correlation over `mask`: Pearson's correlation of the values, -1 to 1.

    In two passes, so that a large mean costs no digits. Raises `GeometryMismatch` on unequal shapes, `NotComparable` on NaN,
    an empty mask, or an image that is constant there.
    """
    count, sums = 0, np.zeros(2)
    low, high = np.full(2, math.inf), np.full(2, -math.inf)
    for pair in paired_values(a, b, mask):
        count, sums = count + pair[0].size, sums + [values.sum() for values in pair]
        low = np.minimum(low, [values.min() for values in pair])
        high = np.maximum(high, [values.max() for values in pair])
    if (low == high).any():
        raise NotComparable("One image is constant where it is compared: nothing correlates with that. See the MAE instead.")
    moments = np.zeros((2, 2))
    for pair in paired_values(a, b, mask):
        centred = (np.stack(pair) - (sums / count)[:, None]) / (high - low)[:, None]  # scaled, so that squares stay finite
        moments += centred @ centred.T
    return float(np.clip(moments[0, 1] / math.sqrt(moments[0, 0] * moments[1, 1]), -1, 1))
