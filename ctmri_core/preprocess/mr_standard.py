"""MR onto a scale that was learnt from other scans, and MR with a contrast of its own.

Landmarks: Nyul and Udupa, Magn Reson Med 42, 1999; Nyul, Udupa and Zhang, IEEE TMI 19, 2000. Where the whole distribution is the
landmark, it is histogram matching. What is learnt stands in the recipe, so that one scan alone is enough in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ctmri_core.errors import WrongInput
from ctmri_core.preprocess.intensity import (
    Body,
    CurvedScale,
    MinMaxRange,
    PercentileRange,
    Scale,
    Slices,
    Step,
    ZScore,
    values_in_body,
)
from ctmri_core.preprocess.mr_interior import InteriorScale
from ctmri_core.volume import Volume

_LEAST_APART = 1e-4
"""Of neighbouring landmarks, as a share of the scale: what differs stays different."""
_HISTOGRAM_POINTS = 129
_DECILES = tuple(float(n) for n in range(10, 100, 10))


@dataclass(frozen=True, slots=True)
class PiecewiseScale:
    """Linear pieces from `knots`, rising, onto `units`, rising from -1 to 1; what is beyond is clipped."""

    knots: tuple[float, ...]
    units: tuple[float, ...]

    @property
    def low(self) -> float:
        return self.knots[0]

    @property
    def high(self) -> float:
        return self.knots[-1]

    def to_unit(self, values: NDArray[Any]) -> Slices:
        """As `Scale.to_unit`."""
        source = np.nan_to_num(values.astype(np.float32), copy=False, nan=self.knots[0])
        result: Slices = np.interp(source, self.knots, self.units).astype(np.float32)
        return result

    def from_unit(self, values: NDArray[Any]) -> Slices:
        """[-1, 1] -> from the lowest to the highest knot, float32."""
        result: Slices = np.interp(values, self.units, self.knots).astype(np.float32)
        return result


@dataclass(frozen=True, slots=True)
class GammaScale:
    """[low, high] onto [-1, 1] by the power `gamma` of the share of the range: below 1 dark parts take more of it."""

    low: float
    high: float
    gamma: float

    def to_unit(self, values: NDArray[Any]) -> Slices:
        """As `Scale.to_unit`."""
        share = (Scale(self.low, self.high).to_unit(values) + np.float32(1.0)) * np.float32(0.5)
        result: Slices = np.float32(2.0) * share ** np.float32(self.gamma) - np.float32(1.0)
        return result

    def from_unit(self, values: NDArray[Any]) -> Slices:
        """[-1, 1] -> [low, high], float32."""
        share = np.clip((values.astype(np.float32) + np.float32(1.0)) * np.float32(0.5), 0.0, 1.0)
        result: Slices = share ** np.float32(1.0 / self.gamma) * np.float32(self.high - self.low) + np.float32(self.low)
        return result


AnyScale = Scale | CurvedScale | PiecewiseScale | GammaScale


class _Learnt(Step):
    """Percentiles of the voxels in the body onto those of a standard scale, `standard`: shares of it, rising from 0 to 1."""

    low: float = Field(default=0.5, ge=0, lt=10)
    high: float = Field(default=99.5, gt=90, le=100)
    standard: tuple[float, ...] = Field(default=(), max_length=1025)
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    @property
    def percentages(self) -> tuple[float, ...]:
        raise NotImplementedError

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.standard:
            if len(self.standard) != len(self.percentages):
                raise ValueError(f"must be {len(self.percentages)} landmarks, not {len(self.standard)}")
            if self.standard[0] != 0 or self.standard[-1] != 1 or not all(one < other for one, other in pairwise(self.standard)):
                raise ValueError("landmarks must rise from 0 to 1")
        return self

    def landmarks(self, volume: Volume, body: Body = None) -> NDArray[np.float64]:
        """The volume's own percentiles in `body` (None: where it is found); all 0 without a voxel."""
        values = values_in_body(volume, body)
        if not values.size:
            return np.zeros(len(self.percentages))
        return np.asarray(np.percentile(values, self.percentages), np.float64)

    def learnt(self, landmarks: Sequence[NDArray[np.float64]]) -> Self:
        """With the mean of what several volumes have, each stretched to one range. Raises `WrongInput` where none has a range."""
        shares = [(own - own[0]) / (own[-1] - own[0]) for own in landmarks if own[-1] > own[0]]
        if not shares:
            raise WrongInput("There is no MR with different values in the body, so its scale cannot be learnt.")
        steps = np.maximum(np.diff(np.mean(shares, 0)), _LEAST_APART)
        rising = np.concatenate(([0.0], np.cumsum(steps / steps.sum())))
        inner = tuple(round(float(value), 7) for value in rising[1:-1])
        return self.model_copy(update={"standard": (0.0, *inner, 1.0)})

    def scale_of(self, volume: Volume, body: Body = None) -> PiecewiseScale | Scale:
        """From `volume` alone, in `body`. A constant volume gets a range of one unit. Raises `WrongInput` before `learnt`."""
        if not self.standard:
            raise WrongInput("The standard scale of MR was not learnt; prepare the data with ctmri prepare.")
        own = self.landmarks(volume, body)
        if own[-1] <= own[0]:
            return Scale(float(own[0]), float(own[0]) + 1.0)
        units = 2 * np.asarray(self.standard) - 1
        kept = np.concatenate((own[:-1] < own[1:], [True]))  # of equal ones the last: what is brighter is not darker then
        kept[0], knots = True, own.copy()
        kept[1:] &= own[1:] > own[0]
        return PiecewiseScale(tuple(knots[kept].tolist()), tuple(units[kept].tolist()))

    @property
    def nominal(self) -> Scale:
        return Scale(0.0, self.nominal_high)


class NyulScale(_Learnt):
    """Deciles and two ends as landmarks."""

    kind: Literal["nyul"] = "nyul"

    @property
    def percentages(self) -> tuple[float, ...]:
        return (self.low, *_DECILES, self.high)


class HistogramMatch(_Learnt):
    """The whole distribution, at 129 places."""

    kind: Literal["histogram"] = "histogram"

    @property
    def percentages(self) -> tuple[float, ...]:
        return tuple(np.linspace(self.low, self.high, _HISTOGRAM_POINTS).tolist())


class Contrast(Step):
    """As `PercentileRange`, bent by `gamma`: below 1 what is dark becomes brighter."""

    kind: Literal["contrast"] = "contrast"
    low: float = Field(default=0.5, ge=0, lt=50)
    high: float = Field(default=99.5, gt=50, le=100)
    gamma: float = Field(default=1.0, ge=0.2, le=5)
    nominal_high: float = Field(default=1000.0, gt=0, le=32767)

    def scale_of(self, volume: Volume, body: Body = None) -> GammaScale:
        """As `PercentileRange.scale_of`."""
        own = PercentileRange(low=self.low, high=self.high).scale_of(volume, body)
        return GammaScale(own.low, own.high, self.gamma)

    @property
    def nominal(self) -> GammaScale:
        """Undoes the bending: results have the contrast of the scans that were learnt from."""
        return GammaScale(0.0, self.nominal_high, self.gamma)


class MrWindow(Step):
    """Values from `low` to `high` of the scan's own units, bent by `gamma`: for scanners whose units are known."""

    kind: Literal["window"] = "window"
    low: float = Field(default=0.0, ge=-32768, le=1e6)
    high: float = Field(default=1000.0, ge=-32768, le=1e6)
    gamma: float = Field(default=1.0, ge=0.2, le=5)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high <= self.low:
            raise ValueError("high must be above low")
        return self

    def scale_of(self, volume: Volume, body: Body = None) -> GammaScale:  # noqa: ARG002  # same signature as PercentileRange
        return self.nominal

    @property
    def nominal(self) -> GammaScale:
        return GammaScale(self.low, self.high, self.gamma)

    @property
    def nominal_high(self) -> float:
        return self.high


MrScaling = PercentileRange | MinMaxRange | ZScore | NyulScale | HistogramMatch | Contrast | MrWindow | InteriorScale


def unmeasured(scaling: MrScaling) -> MrWindow:
    """For values on the nominal scale of `scaling` already."""
    nominal = scaling.nominal
    return MrWindow(low=nominal.low, high=nominal.high, gamma=nominal.gamma if isinstance(nominal, GammaScale) else 1.0)
