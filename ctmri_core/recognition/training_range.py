"""What the pictures were like that a model learnt from; how far beyond them another one lies is said in `far_off`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.volume import Volume, Voxels

_CELL_MM = 4.0
_LEAST_BODY = 0.01


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """Of one case: pixel size and distance of slices (mm), their height and width (mm), 5th, 50th and 95th percentile of the
    body's values as a network sees them ([-1, 1]), the share of a slice that is not body, and of single slices the body in mm2.
    None where nobody knows."""

    pixel_mm: float | None
    slice_mm: float | None
    height_mm: float | None
    width_mm: float | None
    dark: float
    middle: float
    bright: float
    air: float
    body_mm2: float | None = None


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if span[1] < span[0]:
        raise ValueError("the range ends before it begins")
    return span


Span = Annotated[tuple[float, float], AfterValidator(_ordered)]


class TrainingRange(BaseModel):
    """(lowest, highest) of `SliceFacts` over `cases` scans or single slices that a model learnt from. `body_mm2`: where all
    of them were single slices, so that other parts of a body than these show were never seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    cases: int = Field(ge=1)
    pixel_mm: Span | None = None
    slice_mm: Span | None = None
    height_mm: Span | None = None
    width_mm: Span | None = None
    dark: Span
    middle: Span
    bright: Span
    air: Span
    body_mm2: Span | None = None

    @classmethod
    def over(cls, cases: Iterable[SliceFacts]) -> Self | None:
        """None where there is no case."""
        known = list(cases)
        spans: dict[str, tuple[float, float]] = {}
        for each in fields(SliceFacts):
            values = [value for value in (getattr(case, each.name) for case in known) if value is not None]
            if values and (len(values) == len(known)):
                spans[each.name] = (round(float(min(values)), 4), round(float(max(values)), 4))
        return cls(cases=len(known), **spans) if known else None


def range_of(volumes: Iterable[Volume], recipe: Recipe) -> TrainingRange | None:
    """Of whole volumes of the kind that is translated."""
    return TrainingRange.over(facts for volume in volumes if (facts := facts_of(volume, recipe)) is not None)


def facts_of(volume: Volume, recipe: Recipe) -> SliceFacts | None:
    """Of a volume as `recipe` would prepare it, to about a hundredth; None where no body is seen. Costs tens of milliseconds."""
    mask, grid = coarse_body_mask(volume, _CELL_MM)
    order, _ = slice_order(volume.geometry)
    body = mask.transpose(order)
    shown = body.mean((1, 2)) >= _LEAST_BODY
    if not shown.any():
        return None
    step = [round(coarse / fine) for coarse, fine in zip(grid.spacing, volume.geometry.spacing, strict=True)]
    few: Voxels = volume.voxels[tuple(slice(None, None, n) for n in step)].copy()
    scale = recipe.intensity(volume.domain).scale_of(replace(volume, voxels=few, geometry=grid))
    values = scale.to_unit(few[mask])
    sizes = [volume.geometry.shape[axis] for axis in order]
    spacing = [volume.geometry.spacing[axis] for axis in order]
    return slice_facts(values, float(1 - body[shown].mean()), spacing, sizes)


def slice_facts(
    values: NDArray[np.float32], air: float, spacing: Sequence[float | None], shape: Sequence[int]
) -> SliceFacts:  # fmt: skip
    """`values`: of the body, in [-1, 1]; `spacing` (mm) and `shape`: of slices, rows, columns, or (slices, rows, columns)."""
    (apart, down, across), (rows, columns) = spacing, shape[-2:]
    dark, middle, bright = (float(value) for value in np.percentile(values, (5, 50, 95)))
    pixel = None if down is None or across is None else max(down, across)
    height = None if down is None else rows * down
    width = None if across is None else columns * across
    area = (1 - air) * height * width if len(shape) == 3 and shape[0] == 1 and height and width else None
    return SliceFacts(pixel, apart, height, width, dark, middle, bright, air, area)
