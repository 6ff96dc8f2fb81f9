"""Whether a scan's slices are what a model was made for: as far apart, and no larger than it sees."""

from __future__ import annotations

from collections.abc import Iterator

from ctmri_core.preprocess.recipe import Recipe, Record
from ctmri_core.preprocess.slice_context import stride_for
from ctmri_core.volume import Finding

_FAR = 1.5
"""How much farther apart slices may be than those that were learnt from."""


def doubts_about_slices(record: Record, recipe: Recipe, context: int) -> Iterator[Finding]:
    """Serious findings about slices too far apart, or alone, for a model that is shown `context` of them; about cropped ones."""
    wanted, own = recipe.slice_mm, record.grid.slice_mm
    if context > 1 and record.count == 1:
        message = f"This model looks at {context} slices at a time; this scan has one, which is shown to it {context} times."
        yield Finding("slice_distance", f"{message} Do not trust what it shows.", serious=True)
    elif context > 1 and wanted is not None and own * stride_for(wanted, own) > _FAR * wanted:
        message = f"This model looks at slices {wanted:.3g} mm apart beside the one it translates; those of this scan are"
        yield Finding("slice_distance", f"{message} {own:.3g} mm apart. Do not trust what it shows.", serious=True)
    rows, columns = record.grid.rows, record.grid.columns
    if rows.offset < 0 or columns.offset < 0:
        size = f"{columns.size * columns.spacing:.0f} x {rows.size * rows.spacing:.0f} mm"
        message = f"This model sees the middle {size} of a slice; this scan is larger. What lies beyond is empty in the result."
        yield Finding("cropped", message, serious=True)
