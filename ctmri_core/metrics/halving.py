"""Images of half the size, as multi-scale measures take them."""

from __future__ import annotations

import numpy as np

from ctmri_core.metrics.checks import Image, Mask, Values


def block_means(image: Image) -> Values:
    """Means of the blocks of two along every axis of a slice or volume; what is left over at an odd end is dropped.

    A volume is gone through two slices at a time.
    """
    if image.ndim == 2:
        return _halved(image.astype(np.float64)) / 4
    result = np.empty(tuple(n // 2 for n in image.shape))
    for n, halved in enumerate(result):
        np.divide(_halved(np.add(image[2 * n], image[2 * n + 1], dtype=np.float64)), 8, out=halved)
    return result


def block_majority(mask: Mask) -> Mask:
    """The same of a mask: blocks of which at least half lie in it."""
    return block_means(mask.view(np.uint8)) >= 0.5


def _halved(plane: Values) -> Values:
    """Sums of blocks of two by two."""
    rows, columns = (n // 2 * 2 for n in plane.shape)
    both = plane[:rows:2] + plane[1:rows:2]
    sums: Values = both[:, :columns:2] + both[:, 1:columns:2]
    return sums
