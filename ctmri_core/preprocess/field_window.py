"""Which part of wide slices a network is shown: as much as it learnt from, about the body.

A network that norms over whole slices answers otherwise where air makes up more of them than in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.slice_grid import Window, slice_order
from ctmri_core.volume import Volume

_CLEARLY = 1.25
"""How many times as wide as what was learnt from slices may be: the cases of one collection differ by as much."""
_MARGIN_MM = 10.0
"""Beside the body: its outline is found on blocks, and leaves thin parts out, such as ears."""
_CELL_MM = 4.0
_Boxes = NDArray[np.intp]
"""(n, 2, 2): of every slice, feet first, rows and columns, the first pixel with body and the one after the last; 0 for none."""


@dataclass(frozen=True, eq=False)
class Windows:
    """`whole` holds the body of all slices. `field`: a smaller one, as large as what was learnt from, for the slices that `fit`:
    above shoulders a head is shown as it was in training. None where all slices need `whole`, or it is no larger."""

    whole: Window
    field: Window | None
    fit: NDArray[np.bool_]


def windows_of(volume: Volume, field_mm: tuple[float, float], body: NDArray[np.bool_] | None = None) -> Windows | None:
    """About `field_mm` (rows, columns) around the body, more where the body is larger; one place for all slices.

    `body`: on the volume's grid, where it is known. An axis that is not clearly wider than that is kept whole. None where both
    are, and where no body is seen.
    """
    (_, *order), _ = slice_order(volume.geometry)
    sizes, edges = ([each[axis] for axis in order] for each in (volume.geometry.shape, volume.geometry.spacing))
    wide = [size * edge > _CLEARLY * field for size, edge, field in zip(sizes, edges, field_mm, strict=True)]
    boxes = body_boxes(volume, body) if any(wide) else None
    if boxes is None or not (with_body := boxes[..., 1].any(1)).any():
        return None
    pixels = np.array([field / edge for field, edge in zip(field_mm, edges, strict=True)])
    small = with_body & ((np.ptp(boxes, axis=2) <= pixels) | ~np.array(wide)).all(1)

    def window(low: NDArray[np.intp], high: NDArray[np.intp], margin_mm: float) -> Window:
        spans = []
        for size, edge, is_wide, start, stop, least in zip(sizes, edges, wide, low, high, pixels, strict=True):
            wanted = int(np.ceil(max(least, stop - start + 2 * margin_mm / edge) - 1e-6))
            first = min(max(int(start + stop - wanted) // 2, 0), max(size - wanted, 0))
            spans.append((first, min(first + wanted, size)) if is_wide else (0, size))
        return Window(*spans)

    whole = window(boxes[with_body, :, 0].min(0), boxes[with_body, :, 1].max(0), _MARGIN_MM)
    if small.any():
        middle = np.median(boxes[small].mean(2), 0).astype(np.intp)
        field = window(middle, middle, 0.0)
        low, high = np.transpose(field)
        fit = ~with_body | ((boxes[..., 0] >= low) & (boxes[..., 1] <= high)).all(1)
        if field != whole and not fit.all():
            return Windows(whole, field, fit)
        whole = field if fit.all() else whole
    return None if whole == ((0, sizes[0]), (0, sizes[1])) else Windows(whole, None, np.zeros(len(boxes), np.bool_))


def body_boxes(volume: Volume, body: NDArray[np.bool_] | None = None) -> _Boxes:
    """What the body takes up of rows and columns of every slice: exactly where `body` is given, else to about 4 mm."""
    mask, grid = coarse_body_mask(volume, _CELL_MM) if body is None else (body, volume.geometry)
    order, flips = slice_order(volume.geometry)
    cells = mask.transpose(order)
    steps = [round(grid.spacing[axis] / volume.geometry.spacing[axis]) for axis in order]
    sizes = [volume.geometry.shape[axis] for axis in order]
    boxes = np.zeros((len(cells), 2, 2), np.intp)
    for n, across in enumerate((2, 1)):
        filled: NDArray[np.bool_] = cells.max(across)
        first, last = filled.argmax(1), filled.shape[1] - filled[:, ::-1].argmax(1)
        size, step = sizes[1 + n], steps[1 + n]
        span = np.stack([first * step, np.minimum(last * step, size)], 1)
        boxes[:, n] = np.where(filled.max(1)[:, None], size - span[:, ::-1] if flips[1 + n] else span, 0)
    of_slices = boxes[np.arange(sizes[0]) // steps[0]]
    return of_slices[::-1] if flips[0] else of_slices
