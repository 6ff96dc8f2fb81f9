"""Which part of wide slices a network is shown: as much as it learnt from, about the body.

A network that norms over whole slices answers otherwise where air makes up more of them than in training.
"""

from __future__ import annotations

import numpy as np

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.slice_grid import Window, axial_order
from ctmri_core.volume import Volume

_CLEARLY = 1.25
"""How many times as wide as what was learnt from slices may be: the cases of one collection differ by as much."""
_MARGIN_MM = 10.0
"""Beside the body: its outline is found on blocks, and leaves thin parts out, such as ears."""
_CELL_MM = 4.0


def window_of(volume: Volume, field_mm: tuple[float, float]) -> Window | None:
    """About `field_mm` (rows, columns) around the body, more where the body is larger; one window for all slices.

    An axis that is not clearly wider than that is kept whole. None where both are, and where no body is seen.
    """
    (_, *order), _ = axial_order(volume.geometry)
    wide = [volume.geometry.extent[axis] > _CLEARLY * field for axis, field in zip(order, field_mm, strict=True)]
    body = body_box(volume) if any(wide) else None
    if body is None:
        return None
    spans = []
    for axis, is_wide, (start, stop), field in zip(order, wide, body, field_mm, strict=True):
        pixels, edge = volume.geometry.shape[axis], volume.geometry.spacing[axis]
        size = int(np.ceil(max(field, (stop - start) * edge + 2 * _MARGIN_MM) / edge - 1e-6))
        first = min(max((start + stop - size) // 2, 0), max(pixels - size, 0))
        spans.append((first, min(first + size, pixels)) if is_wide else (0, pixels))
    window = Window(*spans)
    return None if all(span == (0, volume.geometry.shape[axis]) for axis, span in zip(order, window, strict=True)) else window


def body_box(volume: Volume) -> Window | None:
    """What the body takes up of rows and columns in any slice, to about 4 mm; None where no body is seen."""
    mask, grid = coarse_body_mask(volume, _CELL_MM)
    if not mask.any():
        return None
    (_, *order), (_, *flips) = axial_order(volume.geometry)
    spans = []
    for axis, flip in zip(order, flips, strict=True):
        cells = np.flatnonzero(np.moveaxis(mask, axis, 0).any((1, 2)))
        pixels, step = volume.geometry.shape[axis], round(grid.spacing[axis] / volume.geometry.spacing[axis])
        start, stop = int(cells[0]) * step, min((int(cells[-1]) + 1) * step, pixels)
        spans.append((pixels - stop, pixels - start) if flip else (start, stop))
    return Window(*spans)
