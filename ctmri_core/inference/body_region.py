"""Whether a scan shows the part of the body that a model was made for, as far as its size tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.model_card import ModelCard
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.slice_grid import plane_order
from ctmri_core.volume import Finding, Volume

_CELL_MM = 4.0
# Adults' heads are at most about 180 mm broad and, with the nose, 240 mm deep; head-rests and ears add to that.
_LARGEST_HEAD_MM = {"wide": 260.0, "deep": 290.0, "long": 450.0}


def doubt_about_region(volume: Volume, card: ModelCard, body: NDArray[np.bool_] | None = None) -> Finding | None:
    """A serious finding when the model was made for heads and `volume` shows more than a head, else None. `body`: on the volume's
    grid, what a person says it is.
    """
    if card.body_region.strip().lower() != "head":
        return None
    for way, millimetres in _body_size(volume, body).items():
        if millimetres > _LARGEST_HEAD_MM[way]:
            size = f"about {millimetres:.0f} mm {way}"
            message = f"This model was made for heads; this scan looks larger than a head: {size}. Do not trust what it shows."
            return Finding("not_a_head", message, serious=True)
    return None


def _body_size(volume: Volume, given: NDArray[np.bool_] | None) -> dict[str, float]:
    """mm left to right and front to back, of the median axial slice (shoulders below a head do not count), and in length."""
    mask, grid = coarse_body_mask(volume, _CELL_MM) if given is None else (given, volume.geometry)
    order, _ = plane_order(grid, "axial")
    body = mask.transpose(order)
    slices = body[body.any((1, 2))]
    if not len(slices):
        return {}
    length, depth, width = (grid.spacing[axis] for axis in order)
    return {
        "wide": width * float(np.median([np.ptp(np.flatnonzero(one.any(0))) + 1 for one in slices])),
        "deep": depth * float(np.median([np.ptp(np.flatnonzero(one.any(1))) + 1 for one in slices])),
        "long": length * len(slices),
    }
