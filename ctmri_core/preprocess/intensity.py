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
Body = NDArray[np.bool_] | None


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


@dataclass(frozen=True, slots=True)
class CurvedScale:
    """Three linear pieces of [low, high] onto [-1, 1]: the middle one, [soft_low, soft_high], takes `share` of the result."""

    low: float
    soft_low: float
    soft_high: float
    high: float
    share: float

    @property
    def _knots(self) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
        return (self.low, self.soft_low, self.soft_high, self.high), (-1.0, -self.share, self.share, 1.0)

    def to_unit(self, values: NDArray[Any]) -> Slices:
        """As `Scale.to_unit`. A sum of clipped ramps: several times as fast as interpolating between knots."""
        ends, units = self._knots
        source = np.nan_to_num(values.astype(np.float32), copy=False, nan=self.low)
        result: Slices = np.full(source.shape, -1.0, np.float32)
        for n in range(3):
            ramp = np.clip(source, ends[n], ends[n + 1])
            ramp -= np.float32(ends[n])
            ramp *= np.float32((units[n + 1] - units[n]) / (ends[n + 1] - ends[n]))
            result += ramp
        np.clip(result, -1.0, 1.0, out=result)
        return result

    def from_unit(self, values: NDArray[Any]) -> Slices:
        """[-1, 1] -> [low, high], float32."""
        ends, units = self._knots
        result: Slices = np.interp(values, units, ends).astype(np.float32)
        return result


class Step(BaseModel):
    """How values are scaled: a part of the recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HuRange(Step):
    """CT: `low` to `high` HU onto [-1, 1]; the clipping is part of the recipe and so of the record."""

    kind: Literal["hu_range"] = "hu_range"
    low: float = Field(default=-1024.0, ge=-4096, le=4096)
    high: float = Field(default=2000.0, ge=-4096, le=32767)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high - self.low < 1.0:
            raise ValueError("high must be at least 1 HU above low")
        return self

    def scale_of(self, volume: Volume, body: Body = None) -> Scale:  # noqa: ARG002  # same signature as PercentileRange
        return Scale(self.low, self.high)

    @property
    def nominal(self) -> Scale:
        return Scale(self.low, self.high)


class HuCurve(Step):
    """CT as a source: `low` to `high` HU onto [-1, 1], with most of it for soft tissue.

    On a linear range grey and white matter, some 8 HU apart, differ by half a hundredth, less than the noise of a
    half-precision network. Bone and air keep the rest.
    """

    kind: Literal["hu_curve"] = "hu_curve"
    low: float = Field(default=-1024.0, ge=-4096, le=4096)
    soft_low: float = Field(default=-30.0, ge=-4096, le=4096)
    soft_high: float = Field(default=100.0, ge=-4096, le=4096)
    high: float = Field(default=2000.0, ge=-4096, le=32767)
    share: float = Field(default=0.8, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if min(self.soft_low - self.low, self.soft_high - self.soft_low, self.high - self.soft_high) < 1.0:
            raise ValueError("low, soft_low, soft_high and high must rise by at least 1 HU each")
        return self

    def scale_of(self, volume: Volume, body: Body = None) -> CurvedScale:  # noqa: ARG002  # same signature as PercentileRange
        return self.nominal

    @property
    def nominal(self) -> CurvedScale:
        return CurvedScale(self.low, self.soft_low, self.soft_high, self.high, self.share)


class PercentileRange(Step):
    """MR: percentiles of the voxels in the body onto [-1, 1]; results are written as 0 to `nominal_high` arbitrary units."""

    kind: Literal["percentile_range"] = "percentile_range"
    low: float = Field(default=0.5, ge=0, lt=50)
    high: float = Field(default=99.5, gt=50, le=100)
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    def scale_of(self, volume: Volume, body: Body = None) -> Scale:
        """Measured on `volume` alone, in `body` (None: where it is found). A constant volume gets a range of one unit."""
        values = values_in_body(volume, body)
        if values.size == 0:
            return Scale(0.0, 1.0)
        low, high = (float(value) for value in np.percentile(values, (self.low, self.high)))
        return _scale_between(low, high)

    @property
    def nominal(self) -> Scale:
        return Scale(0.0, self.nominal_high)


class MinMaxRange(Step):
    """MR: the lowest and the highest value in the body onto [-1, 1]; one bright voxel darkens all others."""

    kind: Literal["min_max"] = "min_max"
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    def scale_of(self, volume: Volume, body: Body = None) -> Scale:
        """Measured on `volume` alone, in `body` (None: where it is found). A constant volume gets a range of one unit."""
        values = values_in_body(volume, body)
        return _scale_between(float(values.min()), float(values.max())) if values.size else Scale(0.0, 1.0)

    @property
    def nominal(self) -> Scale:
        return Scale(0.0, self.nominal_high)


class ZScore(Step):
    """MR: the mean in the body to 0 and `reach` standard deviations beside it to -1 and 1; what is beyond is clipped."""

    kind: Literal["z_score"] = "z_score"
    reach: float = Field(default=3.0, gt=0, le=20)
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    def scale_of(self, volume: Volume, body: Body = None) -> Scale:
        """Measured on `volume` alone, in `body` (None: where it is found). A constant volume gets a range of one unit."""
        values = values_in_body(volume, body)
        if values.size == 0:
            return Scale(0.0, 1.0)
        middle, reach = float(values.mean(dtype=np.float64)), self.reach * float(values.std(dtype=np.float64))
        return _scale_between(middle - reach, middle + reach)

    @property
    def nominal(self) -> Scale:
        return Scale(0.0, self.nominal_high)


def values_in_body(volume: Volume, body: Body) -> NDArray[Any]:
    """The finite values in the body; those of the whole volume where there is no body."""
    inside = volume.voxels[body_mask(volume) if body is None else body]
    values: NDArray[Any] = inside[np.isfinite(inside)]
    return values if values.size else volume.voxels[np.isfinite(volume.voxels)]


def _scale_between(low: float, high: float) -> Scale:
    return Scale(low, max(high, low + 1e-6 * max(abs(low), 1.0))) if high > low else Scale(low, low + 1.0)
