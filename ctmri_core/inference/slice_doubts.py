"""Whether a scan's slices are what a model was made for: as far apart, and no larger than it sees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.recipe import Recipe, Record
from ctmri_core.preprocess.slice_context import stride_for
from ctmri_core.volume import Finding, Volume

_FAR = 1.5
"""How many times as far apart slices may be as those that were learnt from."""
_CELL_MM = 4.0


def doubts_about_slices(volume: Volume, record: Record, recipe: Recipe, context: int) -> Iterator[Finding]:
    """Serious findings: slices too far apart, or alone, for a model that is shown `context` of them; a body cut off."""
    wanted, own = recipe.slice_mm, record.grid.slice_mm
    if context > 1 and record.count == 1:
        message = f"This model looks at {context} slices at a time; this scan has one, which is shown to it {context} times."
        yield Finding("slice_distance", f"{message} Do not trust what it shows.", serious=True)
    elif context > 1 and wanted is not None and own * stride_for(wanted, own) > _FAR * wanted:
        message = f"This model looks at slices {wanted:.3g} mm apart beside the one it translates; those of this scan are"
        yield Finding("slice_distance", f"{message} {own:.3g} mm apart. Do not trust what it shows.", serious=True)
    if _is_cut(volume, record):
        rows, columns = record.grid.rows, record.grid.columns
        size = f"{columns.size * columns.spacing:.0f} x {rows.size * rows.spacing:.0f} mm"
        message = f"This model sees the middle {size} of a slice; the body in this scan reaches beyond, and is cut off there."
        yield Finding("cropped", message, serious=True)


def _is_cut(volume: Volume, record: Record) -> bool:
    """Whether body lies where a recipe of fixed size crops slices."""
    axes = zip(record.grid.order[1:], (record.grid.rows, record.grid.columns), strict=True)
    cropped = [(number, axis.size * axis.spacing / 2) for number, axis in axes if axis.offset < 0]
    if not cropped:
        return False
    mask, grid = coarse_body_mask(volume, _CELL_MM)
    for number, reach in cropped:
        cells = np.flatnonzero(np.moveaxis(mask, number, 0).any((1, 2)))
        inner_edge = (np.abs(cells - (mask.shape[number] - 1) / 2) - 0.5) * grid.spacing[number]
        if (inner_edge > reach).any():
            return True
    return False
