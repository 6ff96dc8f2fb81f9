"""Images of half the size, as multi-scale measures take them."""

from __future__ import annotations

import numpy as np

from ctmri_core.metrics.checks import Image, Mask, Values


def block_means(image: Image) -> Values:
    """Means of the blocks of two along every axis of a slice or volume; what is left over at an odd end is dropped.

    A volume is gone through two slices at a time.
    """
    if image.ndim == 2:
        rows, columns = (n // 2 for n in image.shape)
        blocks = image[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
        means: Values = blocks.mean((1, 3), dtype=np.float64)
        return means
    result = np.empty(tuple(n // 2 for n in image.shape))
    for n, halved in enumerate(result):
        halved[...] = (block_means(image[2 * n]) + block_means(image[2 * n + 1])) / 2
    return result


def block_majority(mask: Mask) -> Mask:
    """The same of a mask: blocks of which at least half lie in it."""
    return block_means(mask.view(np.uint8)) >= 0.5
