"""Voxel values to the networks' [-1, 1] and from there to the target's nominal scale.

Inference never looks at the truth: CT comes back by a fixed HU range, MR on a nominal scale of arbitrary units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.volume import Volume

Slices = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map of [low, high] onto [-1, 1]; values outside are clipped, voxels that are no number become `low`."""

    low: float
    high: float

    def to_unit(self, values: NDArray[Any]) -> Slices:
        """Any array -> float32 of the same shape in [-1, 1]."""
        scaled = values.astype(np.float32)
        scaled -= np.float32(self.low)
        scaled *= np.float32(2.0 / (self.high - self.low))
        scaled -= np.float32(1.0)
        np.nan_to_num(scaled, copy=False, nan=-1.0)
        np.clip(scaled, -1.0, 1.0, out=scaled)
        return scaled

    def from_unit(self, values: NDArray[Any]) -> Slices:
        """[-1, 1] -> [low, high], float32."""
        result: Slices = (values.astype(np.float32) + np.float32(1.0)) * np.float32((self.high - self.low) / 2)
        result += np.float32(self.low)
        return result


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HuRange(_Step):
    """CT: `low` to `high` HU onto [-1, 1]; the clipping is part of the recipe and so of the record."""

    kind: Literal["hu_range"] = "hu_range"
    low: float = Field(default=-1024.0, ge=-4096, le=4096)
    high: float = Field(default=2000.0, ge=-4096, le=32767)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high - self.low < 1.0:
            raise ValueError("high must be at least 1 HU above low")
        return self

    def scale_of(self, volume: Volume) -> Scale:  # noqa: ARG002  # same signature as PercentileRange
        return Scale(self.low, self.high)

    @property
    def nominal(self) -> Scale:
        return Scale(self.low, self.high)


class PercentileRange(_Step):
    """MR: percentiles of the voxels in the body onto [-1, 1]; results are written as 0 to `nominal_high` arbitrary units."""

    kind: Literal["percentile_range"] = "percentile_range"
    low: float = Field(default=0.5, ge=0, lt=50)
    high: float = Field(default=99.5, gt=50, le=100)
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    def scale_of(self, volume: Volume) -> Scale:
        """Measured on `volume` alone. A constant volume gets a range of one unit."""
        inside = volume.voxels[body_mask(volume)]
        values = inside[np.isfinite(inside)]
        if values.size == 0:
            values = volume.voxels[np.isfinite(volume.voxels)]
        if values.size == 0:
            return Scale(0.0, 1.0)
        low, high = (float(value) for value in np.percentile(values, (self.low, self.high)))
        return Scale(low, max(high, low + 1e-6 * max(abs(low), 1.0))) if high > low else Scale(low, low + 1.0)

    @property
    def nominal(self) -> Scale:
        return Scale(0.0, self.nominal_high)
