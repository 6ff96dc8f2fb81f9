"""From what the core tells of a synthetic volume voxel by voxel to what lies over its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ctmri_core.geometry import FloatArray
from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.volume import Volume
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.maps.map_model import Inside, MapLayer, round_limit

if TYPE_CHECKING:
    from ctmri_core.inference.value_map import ValueMap

_BLOCK = 8
"""Pixels of an edge, of whose mean the highest is looked for: one voxel alone would be noise."""
_CELL_MM = 4.0  # known already: the panes ask for it


def layers_of(made: Made | None) -> tuple[MapLayer, ...]:
    """In the order of the maps."""
    return () if made is None else tuple(_layer(one, made) for one in made.maps)


def inside_of(source: Volume | None) -> Inside | None:
    """Where the body of `source` is; None where none is seen."""
    if source is None:
        return None
    mask, grid = coarse_body_mask(source, _CELL_MM)
    return Inside(mask.view(np.uint8) * np.uint8(255), grid) if mask.any() else None


def _layer(told: ValueMap, made: Made) -> MapLayer:
    limit = round_limit(told.summary.get("p95", 0.0) or float(told.values.max(initial=0.0)))
    return MapLayer(told.title, told.what, told.as_volume(made.volume), told.unit, limit, told.sentence, _worst(told))


def _worst(told: ValueMap) -> FloatArray | None:
    """Where the map is highest in the slice in which it is on average: LPS mm."""
    if "worst_slice" not in told.summary:
        return None
    order, flips = slice_order(told.geometry)
    number, count = int(told.summary["worst_slice"]), told.geometry.shape[order[0]]
    k = count - 1 - number if flips[0] else number
    plane = told.values.transpose(order)[k]
    rows, columns = (max(n // _BLOCK, 1) for n in plane.shape)
    height, width = (min(n, _BLOCK) for n in plane.shape)
    blocks = plane[: rows * height, : columns * width].reshape(rows, height, columns, width).mean((1, 3))
    row, column = np.unravel_index(int(blocks.argmax()), blocks.shape)
    at = np.zeros(3)
    at[list(order)] = k, (row + 0.5) * height - 0.5, (column + 0.5) * width - 0.5
    return told.geometry.index_to_mm(at)
