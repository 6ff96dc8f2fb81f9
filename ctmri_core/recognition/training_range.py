"""What the pictures were like that a model learnt from, and how far beyond them another one lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_grid import axial_order
from ctmri_core.volume import Finding, Volume, Voxels

_CELL_MM = 4.0
_LEAST_BODY = 0.01
_COARSER, _THICKER, _WIDER = 1.75, 2.5, 1.5
"""How many times the largest pixels, distances of slices and fields that were learnt from."""
_GREY, _AIR = 0.2, 0.2
"""How far beyond the range, as shares of all greys and of a slice."""


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """Of one case: pixel size and distance of slices (mm), their height and width (mm), 5th, 50th and 95th percentile of the
    body's values as a network sees them ([-1, 1]), and the share of a slice that is not body. None where nobody knows."""

    pixel_mm: float | None
    slice_mm: float | None
    height_mm: float | None
    width_mm: float | None
    dark: float
    middle: float
    bright: float
    air: float


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if span[1] < span[0]:
        raise ValueError("the range ends before it begins")
    return span


Span = Annotated[tuple[float, float], AfterValidator(_ordered)]


class TrainingRange(BaseModel):
    """(lowest, highest) of `SliceFacts` over `cases` cases that a model learnt from."""

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
    order, _ = axial_order(volume.geometry)
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
    """`values`: of the body, in [-1, 1]; `spacing` (mm) and `shape`: of slices, rows, columns."""
    (apart, down, across), (rows, columns) = spacing, shape[-2:]
    dark, middle, bright = (float(value) for value in np.percentile(values, (5, 50, 95)))
    pixel = None if down is None or across is None else max(down, across)
    height = None if down is None else rows * down
    width = None if across is None else columns * across
    return SliceFacts(pixel, apart, height, width, dark, middle, bright, air)


def far_off(volume: Volume, known: TrainingRange, recipe: Recipe) -> Iterator[Finding]:
    """In what `volume` lies far beyond `known`, each with what that means; serious but for the distance of slices."""
    one = facts_of(volume, recipe)
    if one is None:
        yield Finding("no_body", "No body is seen in this scan. There is nothing for a model to translate.", serious=True)
        return
    yield from _coarse(one, known)
    if recipe.field_mm is None:  # what is wider or smaller than that is told of otherwise
        yield from _odd_field(one, known)
    yield from _odd_greys(one, known)


def _coarse(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    if one.pixel_mm and known.pixel_mm and one.pixel_mm > _COARSER * known.pixel_mm[1]:
        own = f"those of this scan are {one.pixel_mm:.2g} mm wide"
        learnt = f"This model learnt from pixels of {_span(known.pixel_mm)} mm; {own}."
        yield Finding("coarse_pixels", f"{learnt} What it shows is blurred and may be wrong.", serious=True)
    if one.slice_mm and known.slice_mm and one.slice_mm > _THICKER * known.slice_mm[1]:
        own = f"those of this scan are {one.slice_mm:.2g} mm apart"
        learnt = f"This model learnt from slices {_span(known.slice_mm)} mm apart; {own}."
        yield Finding("thick_slices", f"{learnt} If they are as thick, tissues mix in them as it never saw.")


def _odd_field(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    for own, span, way in ((one.height_mm, known.height_mm, "high"), (one.width_mm, known.width_mm, "wide")):
        if own and span and not span[0] / _WIDER <= own <= span[1] * _WIDER:
            learnt = f"This model learnt from slices {_span(span)} mm {way}; those of this scan are {own:.0f} mm {way}."
            yield Finding("odd_field", f"{learnt} Do not trust what it shows.", serious=True)
    if one.air < known.air[0] - _AIR:
        learnt = f"Slices that this model learnt from are {_percent(known.air)} % air; those of this scan {100 * one.air:.0f} %."
        yield Finding("little_air", f"{learnt} A picture cut off close to the body looks unlike them.", serious=True)


def _odd_greys(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    """One finding for all three: what is wrong with values shows in several of them."""
    for own, span, which in (
        (one.middle, known.middle, "middle"), (one.bright, known.bright, "brightest"), (one.dark, known.dark, "darkest"),
    ):  # fmt: skip
        margin = max(_GREY, span[1] - span[0])
        if not span[0] - margin <= own <= span[1] + margin:
            learnt = f"The {which} greys in the body lie at {_place(own)} % of the model's range;"
            message = f"{learnt} in what it learnt from they lie at {_place(span[0])} to {_place(span[1])} %."
            means = "Values may be of another unit or kind: do not trust what it shows."
            yield Finding("odd_greys", f"{message} {means}", serious=True)
            return


def _place(unit: float) -> str:
    """Of [-1, 1], in percent."""
    return f"{50 * (unit + 1):.0f}"


def _percent(span: tuple[float, float]) -> str:
    return f"{100 * span[0]:.0f} to {100 * span[1]:.0f}"


def _span(span: tuple[float, float]) -> str:
    low, high = (f"{value:.3g}" for value in span)
    return low if low == high else f"{low} to {high}"
