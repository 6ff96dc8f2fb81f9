"""How far a scan lies beyond what a model learnt from, and what that means.

Two limits each: beyond the first a warning goes with the result, for a range that was measured on few cases is narrow; beyond the
second, or where the body is cut off, what comes out is of no use, and a person is asked before anything is translated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.preprocess.body_mask import coarse_body_mask
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.slice_grid import slice_order
from ctmri_core.recognition.training_range import SliceFacts, TrainingRange, facts_of
from ctmri_core.volume import Finding, Volume

COARSER, THICKER, WIDER = (1.75, 3.5), (2.5, 5.0), (1.5, 3.0)
"""How many times the pixels, distances of slices and fields that were learnt from: (warned of, asked about)."""
GREY = (0.2, 0.8)
"""How far beyond the greys that were learnt from, where all greys span 2: 10 % are warned of, 40 % asked about."""
AIR = 0.2
"""How much less of a slice than in the fullest that was learnt from is air."""
CUT = 0.25
"""Share of the borders of slices that body lies on, from which on it counts as cut off: a head that just fits touches them with
less."""
_CELL_MM = 4.0
_LOOK = "Look at it with care."
_NO_TRUST = "Do not trust what it shows."


def far_off(volume: Volume, known: TrainingRange, recipe: Recipe) -> Iterator[Finding]:
    """In what `volume` lies beyond `known`, each with what that means; serious where it is far beyond, or the body is cut off."""
    one = facts_of(volume, recipe)
    if one is None:
        yield Finding("no_body", "No body is seen in this scan. There is nothing for a model to translate.", serious=True)
        return
    windowed = recipe.field_mm is not None  # what is wider or smaller than that is told of otherwise
    yield from told_of(one, known, of_field=not windowed)
    if not windowed:
        yield from _little_air(volume, one, known)


def told_of(one: SliceFacts, known: TrainingRange, *, of_field: bool = True) -> Iterator[Finding]:
    """As `far_off`, of what is measured already. `of_field`: of height and width as well."""
    yield from _coarse(one, known)
    yield from _thick(one, known)
    if of_field:
        yield from _odd_field(one, known)
    yield from _odd_greys(one, known)


def _coarse(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    if one.pixel_mm and known.pixel_mm and (times := one.pixel_mm / known.pixel_mm[1]) > COARSER[0]:
        far = times > COARSER[1]
        own = f"those of this scan are {one.pixel_mm:.2g} mm wide"
        learnt = f"This model learnt from pixels of {_span(known.pixel_mm)} mm; {own}."
        yield Finding("coarse_pixels", f"{learnt} What it shows is blurred. {_NO_TRUST if far else _LOOK}", far)


def _thick(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    if one.slice_mm and known.slice_mm and (times := one.slice_mm / known.slice_mm[1]) > THICKER[0]:
        own = f"those of this scan are {one.slice_mm:.2g} mm apart"
        learnt = f"This model learnt from slices {_span(known.slice_mm)} mm apart; {own}."
        means = "If they are as thick, tissues mix in them as it never saw."
        yield Finding("thick_slices", f"{learnt} {means}", serious=times > THICKER[1])


def _odd_field(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    ways = ((one.height_mm, known.height_mm, "high"), (one.width_mm, known.width_mm, "wide"))
    odd = [(_times_off(own, span), own, span, way) for own, span, way in ways if own and span]
    if not odd or max(odd)[0] <= WIDER[0]:
        return
    times, own, span, way = max(odd)
    learnt = f"This model learnt from slices {_span(span)} mm {way}; those of this scan are {own:.0f} mm {way}."
    yield Finding("odd_field", f"{learnt} {_NO_TRUST if times > WIDER[1] else _LOOK}", serious=times > WIDER[1])


def _times_off(own: float, span: tuple[float, float]) -> float:
    return max(own / span[1], span[0] / own)


def _little_air(volume: Volume, one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    if one.air >= known.air[0] - AIR:
        return
    cut = share_on_border(volume)
    if cut > CUT:
        message = f"The body reaches beyond the picture: {100 * cut:.0f} % of the borders of its slices lie within it, and this"
        yield Finding("cut_body", f"{message} model learnt from whole ones. {_NO_TRUST}", serious=True)
        return
    learnt = f"Slices that this model learnt from are {_percent(known.air)} % air; those of this scan {100 * one.air:.0f} %."
    yield Finding("little_air", f"{learnt} A picture cut off close to the body looks unlike them. {_LOOK}")


def share_on_border(volume: Volume) -> float:
    """How much of the borders of axial slices is body, over all slices that show any."""
    mask, _ = coarse_body_mask(volume, _CELL_MM)
    order, _ = slice_order(volume.geometry)
    body = mask.transpose(order)
    body = body[body.any((1, 2))]
    if not len(body):
        return 0.0
    edges = (body[:, 0], body[:, -1], body[:, 1:-1, 0], body[:, 1:-1, -1])
    return float(np.concatenate([edge.ravel() for edge in edges]).mean())


def _odd_greys(one: SliceFacts, known: TrainingRange) -> Iterator[Finding]:
    """One finding for all three: what is wrong with values shows in several of them. That of the one furthest off."""
    ways = (
        (one.middle, known.middle, "middle"), (one.bright, known.bright, "brightest"), (one.dark, known.dark, "darkest"),
    )  # fmt: skip
    beyond = [(max(span[0] - own, own - span[1], 0.0) / max(GREY[0], span[1] - span[0]), own, span, which)
              for own, span, which in ways]  # fmt: skip
    times, own, span, which = max(beyond)
    if times <= 1:
        return
    far = times > GREY[1] / GREY[0]
    learnt = f"The {which} greys in the body lie at {_place(own)} % of the model's range;"
    message = f"{learnt} in what it learnt from they lie at {_place(span[0])} to {_place(span[1])} %."
    means = f"Values are of another unit or kind. {_NO_TRUST}" if far else f"Greys are spread otherwise there. {_LOOK}"
    yield Finding("odd_greys", f"{message} {means}", serious=far)


def _place(unit: float) -> str:
    """Of [-1, 1], in percent."""
    return f"{50 * (unit + 1):.0f}"


def _percent(span: tuple[float, float]) -> str:
    return f"{100 * span[0]:.0f} to {100 * span[1]:.0f}"


def _span(span: tuple[float, float]) -> str:
    low, high = (f"{value:.3g}" for value in span)
    return low if low == high else f"{low} to {high}"
