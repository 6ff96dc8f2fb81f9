"""The recipe as a person asks for it: a flat form with one field per question, for flags and dialogs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ctmri_core.preprocess.bias_field import BiasField
from ctmri_core.preprocess.intensity import HuCurve, HuRange, MinMaxRange, PercentileRange, ZScore
from ctmri_core.preprocess.mr_interior import InteriorScale
from ctmri_core.preprocess.mr_standard import Contrast, HistogramMatch, MrScaling, MrWindow, NyulScale
from ctmri_core.preprocess.recipe import Recipe, SliceChoice


class RecipeChoices(BaseModel):
    """How pictures are prepared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spacing_mm: float = Field(default=1.0, ge=0.05, le=20, description="pixel spacing in mm that slices are resampled to")
    size: int = Field(default=0, ge=0, le=2048, description="edge in pixels to crop or pad slices to; 0: as large as they are")
    hu_low: float = Field(default=-1024.0, ge=-4096, le=4096, description="HU of CT at and below which all is alike")
    hu_high: float = Field(default=2000.0, ge=-4096, le=32767, description="HU of CT at and above which all is alike")
    soft_tissue_curve: bool = Field(default=False, description="CT only as the source: soft tissue takes most of the range")
    mr_scaling: Literal["percentile", "z_score", "min_max", "nyul", "histogram", "contrast", "window", "interior"] = Field(
        default="percentile",
        description="how an MR's values in the body become the range; nyul, histogram (matching): learnt from training cases",
    )
    mr_low_percentile: float = Field(default=0.5, ge=0, lt=50, description="percentile: the lowest")
    mr_high_percentile: float = Field(default=99.5, gt=50, le=100, description="percentile: the highest")
    z_reach: float = Field(default=3.0, gt=0, le=20, description="z_score: standard deviations beside the mean")
    mr_gamma: float = Field(default=1.0, ge=0.2, le=5, description="contrast, window: below 1 what is dark becomes brighter")
    mr_window_low: float = Field(default=0.0, ge=-32768, le=1e6, description="window: the value of MR that becomes black")
    mr_window_high: float = Field(default=1000.0, ge=-32768, le=1e6, description="window: the value of MR that becomes white")
    interior_reach: float = Field(
        default=3.0, ge=1.1, le=20, description="interior: white, in times the median of what lies 20 mm deep in the body"
    )
    n4: bool = Field(default=False, description="correct the bias field of MR (N4); takes seconds per volume")
    only_body: bool = Field(default=False, description="make everything outside the outline of the body background")
    three_planes: bool = Field(
        default=False, description="slices of all three planes are learnt from: models translate along each and fuse the results"
    )
    least_body: float = Field(default=0.01, ge=0, le=1, description="leave out slices with less body than this share")
    every: int = Field(default=1, ge=1, le=100, description="take every n-th slice")
    trim: float = Field(default=0.0, ge=0, lt=0.5, description="share of a patient's slices left out at either end")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = (-31.0, 101.0) if self.soft_tissue_curve else (self.hu_low, self.hu_low + 1)
        if self.hu_low > low or self.hu_high < high:
            raise ValueError(f"--hu-low must be at most {low:g} and --hu-high at least {high:g}")
        if self.mr_window_high <= self.mr_window_low:
            raise ValueError("--mr-window-high must be above --mr-window-low")
        return self

    def recipe(self, multiple: int = 4) -> Recipe:
        """The steps; slices are padded to a `multiple`. Raises `pydantic.ValidationError` where values do not go together."""
        curve = HuCurve(low=self.hu_low, high=self.hu_high) if self.soft_tissue_curve else None
        return Recipe(
            spacing_mm=self.spacing_mm, size=(self.size, self.size) if self.size else None, multiple=multiple,
            ct=curve or HuRange(low=self.hu_low, high=self.hu_high), mr=self._mr(),
            bias_field=BiasField() if self.n4 else None, only_body=self.only_body,
            planes="three" if self.three_planes else "axial",
            slices=SliceChoice(least_body=self.least_body, every=self.every, trim=self.trim),
        )  # fmt: skip

    def _mr(self) -> MrScaling:
        if self.mr_scaling == "z_score":
            return ZScore(reach=self.z_reach)
        if self.mr_scaling == "min_max":
            return MinMaxRange()
        if self.mr_scaling == "nyul":
            return NyulScale()
        if self.mr_scaling == "histogram":
            return HistogramMatch()
        if self.mr_scaling == "interior":
            return InteriorScale(reach=self.interior_reach)
        if self.mr_scaling == "window":
            return MrWindow(low=self.mr_window_low, high=self.mr_window_high, gamma=self.mr_gamma)
        low, high = self.mr_low_percentile, self.mr_high_percentile
        if self.mr_scaling == "contrast":
            return Contrast(low=low, high=high, gamma=self.mr_gamma)
        return PercentileRange(low=low, high=high)
