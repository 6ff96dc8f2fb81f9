"""The three metrics: their names, what they mean, how a figure is written, and which end is the bad one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

NO_NUMBER = "–"
LEAST_SHARE = 0.25
"""Of the pixels that the fullest slice compares: a slice with less, as at the ends of a stack, is not called the worst one."""
MetricName = Literal["SSIM", "PSNR", "MAE"]


class Scores(Protocol):
    """`ctmri_core.comparison.Scores` as far as it is shown."""

    @property
    def ssim(self) -> float: ...
    @property
    def psnr(self) -> float: ...
    @property
    def mae(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def voxels(self) -> int: ...
    @property
    def convention(self) -> str: ...


@dataclass(frozen=True)
class Metric:
    """`digits` after the point; `unit`: empty where the scores tell it or there is none; `high_is_bad`: which end is worst."""

    name: MetricName
    meaning: str
    digits: int
    unit: str = ""
    high_is_bad: bool = False

    def of(self, scores: Scores) -> float:
        return {"SSIM": scores.ssim, "PSNR": scores.psnr, "MAE": scores.mae}[self.name]

    def text(self, value: float, unit: str = "") -> str:
        """`0.812`, `31.2 dB`, `48.6 HU`. `unit`: that of the scores."""
        words = self.unit or (unit if self.name == "MAE" else "")
        return f"{number(value, self.digits)} {words}".rstrip()


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("SSIM", "Structural similarity: 1 is identical", 3),
        Metric("PSNR", "Peak signal-to-noise ratio: higher is more alike", 1, "dB"),
        Metric("MAE", "Mean absolute error: lower is more alike", 1, high_is_bad=True),
    )
}


def number(value: float, digits: int) -> str:
    """A dash for what is no number."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return NO_NUMBER if math.isnan(value) else f"{value:.{digits}f}"


class CurveValues:
    """The metrics of every slice of a stack as far as they are known: NaN where they are not, or there is nothing to compare.

    `flagged`: by slice, in what it is unlike those that the model learnt from.
    """

    def __init__(self, count: int, flagged: Mapping[int, str] | None = None) -> None:
        self.count, self.known, self.unit = count, 0, ""
        self.flagged = flagged or {}
        self._values = {name: np.full(count, np.nan) for name in METRICS}
        self._voxels = np.zeros(count, np.int64)

    def put(self, slices: range, scores: tuple[Scores | None, ...]) -> None:
        """The scores of the next slices."""
        for k, each in zip(slices, scores, strict=True):
            if each is not None:
                self.unit, self._voxels[k] = each.unit, each.voxels
                for name, metric in METRICS.items():
                    self._values[name][k] = metric.of(each)
        self.known = max(self.known, slices.stop)

    @property
    def complete(self) -> bool:
        return self.known >= self.count

    def of(self, name: str) -> NDArray[np.float64]:
        """(count,): what can be drawn. Identical slices, whose PSNR is infinite, are left out."""
        values = self._values[name]
        return np.where(np.isfinite(values), values, np.nan)

    def text(self, name: str, k: int) -> str:
        """`slice 41, SSIM 0.812`; also in what it is unlike what the model learnt from."""
        value = float(self._values[name][k])
        told = "nothing to compare" if math.isnan(value) else f"{name} {METRICS[name].text(value, self.unit)}"
        odd = f", unlike what the model learnt from ({self.flagged[k]})" if k in self.flagged else ""
        return f"slice {k + 1}, {told}{odd}"

    @property
    def small(self) -> int:
        """How many slices compare so little that none of them is the worst one."""
        return int(((self._voxels > 0) & ~self._large).sum())

    def worst(self, name: str) -> int | None:
        """The slice in which synthetic and truth are least alike, among those that compare `LEAST_SHARE` of what the fullest one
        does; None while no such slice has a finite value."""
        values = np.where(self._large, self.of(name), np.nan)
        if np.isnan(values).all():
            return None
        return int(np.nanargmax(values) if METRICS[name].high_is_bad else np.nanargmin(values))

    @property
    def _large(self) -> NDArray[np.bool_]:
        enough: NDArray[np.bool_] = self._voxels >= LEAST_SHARE * self._voxels.max(initial=0)
        return enough
