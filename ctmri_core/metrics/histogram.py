"""How far the values of two images differ as a whole, wherever they lie."""

from __future__ import annotations

import numpy as np

from ctmri_core.metrics.checks import Image, Mask, check_pair
from ctmri_core.metrics.errors import mae


def histogram_distance(a: Image, b: Image, mask: Mask | None = None) -> float:
    """Wasserstein-1 (earth mover's) distance of the values in `mask`, in the images' unit: how far values must be moved on
    average to make one histogram the other. At most the MAE.

    Without bins: the mean difference of the sorted values (Rubner et al., Int J Comput Vis 40, 2000; in one dimension). Raises
    as `mae`.
    """
    check_pair(a, b, mask)
    first, second = (np.sort(image if mask is None else image[mask], axis=None) for image in (a, b))
    return mae(first, second)
