"""Whether a scan's slices are what a model was made for: as far apart, and as large."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.field_window import body_boxes
from ctmri_core.preprocess.recipe import Recipe, Record
from ctmri_core.preprocess.slice_context import stride_for
from ctmri_core.volume import Finding, Volume

_FAR = (1.5, 3.0)
"""How many times as far apart slices may be as those that were learnt from: (warned of, asked about)."""
_LARGER = (1.1, 1.5)
"""How many times as large as the slices that were learnt from a body may be."""
_SMALLER = (1.5, 3.0)
"""How many times as large slices may be that were learnt from."""
_CELL_MM = 4.0


def doubts_about_slices(volume: Volume, record: Record, recipe: Recipe, context: int) -> Iterator[Finding]:
    """Slices too far apart for a model that is shown `context` of them; a body too large, or slices too small, beside what was
    learnt from: serious where far beyond. Serious as well: a slice alone for such a model; a body cut off. And that only a part
    of the slices is translated."""
    wanted, own = recipe.slice_mm, record.grid.slice_mm
    if context > 1 and record.count == 1:
        message = f"This model looks at {context} slices at a time; this scan has one, which is shown to it {context} times."
        yield Finding("slice_distance", f"{message} Do not trust what it shows.", serious=True)
    elif context > 1 and wanted is not None and (times := own * stride_for(wanted, own) / wanted) > _FAR[0]:
        message = f"This model looks at slices {wanted:.3g} mm apart beside the one it translates; those of this scan are"
        yield Finding("slice_distance", f"{message} {own:.3g} mm apart. {_means(times > _FAR[1])}", times > _FAR[1])
    if _is_cut(volume, record):
        rows, columns = record.grid.rows, record.grid.columns
        size = f"{columns.size * columns.spacing:.0f} x {rows.size * rows.spacing:.0f} mm"
        message = f"This model sees the middle {size} of a slice; the body in this scan reaches beyond, and is cut off there."
        yield Finding("cropped", message, serious=True)
    if recipe.field_mm is not None and recipe.size is None:
        yield from _doubts_about_field(volume, record, recipe.field_mm)


def _doubts_about_field(volume: Volume, record: Record, field_mm: tuple[float, float]) -> Iterator[Finding]:
    grid = record.grid
    edges = grid.rows.source_spacing, grid.columns.source_spacing
    own = tuple(n * edge for n, edge in zip(grid.source_shape, edges, strict=True))
    learnt = f"This model learnt from slices of about {_size(field_mm)}"
    smaller = max(theirs / ours for ours, theirs in zip(own, field_mm, strict=True))
    if smaller > _SMALLER[0]:
        far = smaller > _SMALLER[1]
        yield Finding("small_field", f"{learnt}; those of this scan are only {_size(own)}. {_means(far)}", serious=far)
    if any(ours > _LARGER[0] * theirs for ours, theirs in zip(own, field_mm, strict=True)):
        bodies = np.ptp(body_boxes(volume, record.body), axis=2) * edges
        times = (bodies / np.array(field_mm)).max(1)
        large, far = times > _LARGER[0], bool((times > _LARGER[1]).any())
        if large.any():
            message = f"{learnt}; the body is larger in {large.sum()} of {len(large)} slices of this scan, "
            yield Finding("large_body", f"{message}up to {_size(tuple(bodies.max(0)))}. {_means(far)}", serious=far)
    if grid.is_window or record.field_grid:
        shown = record.field_grid or grid
        size = _size((shown.rows.source_size * edges[0], shown.columns.source_size * edges[1]))
        more = ", more where it is larger," if record.field_grid else ""
        message = f"{learnt}; {size} about the body{more} are translated, and beyond that is background."
        yield Finding("window", message)


def _means(far: bool) -> str:
    return "Do not trust what it shows." if far else "Look at it with care."


def _size(rows_and_columns: tuple[float, ...]) -> str:
    return f"{rows_and_columns[1]:.0f} x {rows_and_columns[0]:.0f} mm"


def _is_cut(volume: Volume, record: Record) -> bool:
    """Whether body lies where a recipe of fixed size crops slices."""
    axes = zip(record.grid.order[1:], (record.grid.rows, record.grid.columns), strict=True)
    cropped = [(number, axis.size * axis.spacing / 2) for number, axis in axes if axis.offset < 0]
    if not cropped:
        return False
    mask, grid = coarse_body_mask(volume, _CELL_MM) if record.body is None else (record.body, volume.geometry)
    for number, reach in cropped:
        cells = np.flatnonzero(np.moveaxis(mask, number, 0).any((1, 2)))
        inner_edge = (np.abs(cells - (mask.shape[number] - 1) / 2) - 0.5) * grid.spacing[number]
        if (inner_edge > reach).any():
            return True
    return False
