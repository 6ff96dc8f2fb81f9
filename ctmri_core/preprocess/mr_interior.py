"""MR by what lies deep in the body: in a head the brain, whatever is bright at its surface.

Fat of the scalp, vessels after a contrast agent and noise move the ends of the range, so scans (and single slices) of one person
that are scaled by those differ by a third and more. The median of what lies deep is that of the brain's tissue within a few
percent.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.intensity import Body, Scale, Step, values_in_body
from ctmri_core.volume import Volume

_CELL_MM = 3.0
_LEAST_SHARE = 0.02
_LOWEST = 0.5
"""Percentile of all values that is black where values go below zero."""


class InteriorScale(Step):
    """0 to `reach` times the median of what lies more than `depth_mm` below the surface of the body onto [-1, 1]; results are
    written as 0 to `nominal_high` arbitrary units. One slice is scaled as the volume is that it was taken from."""

    kind: Literal["interior"] = "interior"
    depth_mm: float = Field(default=20.0, ge=1, le=200)
    reach: float = Field(default=3.0, ge=1.1, le=20)
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    def scale_of(self, volume: Volume, body: Body = None) -> Scale:
        """Measured on `volume` alone, in `body` (None: where it is found), in all of it where next to nothing lies deep. A
        constant volume gets a range of one unit."""
        values = self._deep(volume, body)
        if not values.size:
            values = values_in_body(volume, body)
        if not values.size:
            return Scale(0.0, 1.0)
        middle, low = float(np.median(values)), _black(volume)
        return Scale(low, low + self.reach * (middle - low)) if middle > low else Scale(low, low + 1.0)

    def _deep(self, volume: Volume, body: Body) -> NDArray[Any]:
        """Every few voxels of what lies deep; empty where that is little. Where the picture ends the body goes on."""
        from scipy.ndimage import distance_transform_edt

        mask = body_mask(volume) if body is None else body
        steps = tuple(
            slice(None, None, max(1, round(_CELL_MM / mm)) if n > 2 * _CELL_MM else 1)
            for n, mm in zip(mask.shape, volume.geometry.spacing, strict=True)
        )
        values, inside = volume.voxels[steps], mask[steps]
        if inside.all() or not inside.any():
            return values.ravel()[:0]
        spacing = [mm * (step.step or 1) for mm, step in zip(volume.geometry.spacing, steps, strict=True)]
        deep = distance_transform_edt(inside, sampling=spacing) > self.depth_mm
        chosen: NDArray[Any] = values[deep & np.isfinite(values)]
        return chosen if chosen.size >= _LEAST_SHARE * np.count_nonzero(inside) else chosen[:0]

    @property
    def nominal(self) -> Scale:
        return Scale(0.0, self.nominal_high)


def _black(volume: Volume) -> float:
    """0, where a receiver heard nothing; of values that go below it, the lowest but for outliers."""
    low = float(np.nanpercentile(volume.voxels[::2, ::2, ::2], _LOWEST))
    return min(low, 0.0)
