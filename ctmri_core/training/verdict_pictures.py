"""A case of a verdict as a picture: source, synthetic, truth and difference of one slice, with words beside the anatomy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ctmri_core import NOT_FOR_DIAGNOSIS
from ctmri_core.domain import Direction, Domain
from ctmri_core.files import atomic_file
from ctmri_core.preprocess.recipe import Recipe

_CT_WINDOW = (-200.0, 600.0)  # HU: soft tissue in greys and bone not all white
_LARGEST_ERROR = {True: 500.0, False: 50.0}  # white in the picture of differences: HU of CT, percent of the range of MR
_PANE, _GAP, _STRIP = 320, 6, 26
_BACKGROUND, _TEXT, _WARNING = (16, 18, 22), (225, 228, 232), (255, 190, 70)


@dataclass(frozen=True, eq=False)
class ShownSlice:
    """(h, w) each: pictures in [-1, 1] as the recipe scales them, and the body."""

    source: NDArray[np.float32]
    synthetic: NDArray[np.float32]
    truth: NDArray[np.float32]
    body: NDArray[np.bool_]

    def copy(self) -> ShownSlice:
        """By itself, without the volumes that it is a view of."""
        return ShownSlice(self.source.copy(), self.synthetic.copy(), self.truth.copy(), self.body.copy())


def write_case(path: Path, shown: ShownSlice, direction: Direction, recipe: Recipe, caption: str) -> None:
    """A private PNG. What may not be missing stands in a strip below, not on the anatomy. Raises `WriteFailed`."""
    scale, is_ct = recipe.intensity(direction.target).nominal, direction.target is Domain.CT
    width, unit = (scale.high - scale.low, "HU") if is_ct else (100.0, "% of the range")
    largest = min(_LARGEST_ERROR[is_ct], width)
    error = np.abs(scale.from_unit(shown.synthetic) - scale.from_unit(shown.truth)) * width / (scale.high - scale.low)
    panes = {
        f"Source: {direction.source.label}": _grey(shown.source, direction.source, recipe),
        f"Synthetic {direction.target.label}": _grey(shown.synthetic, direction.target, recipe),
        f"Truth: {direction.target.label}": _grey(shown.truth, direction.target, recipe),
        f"Error: white is {largest:.0f} {unit}": _shares(np.where(shown.body, error, 0) / largest),
    }
    height = round(_PANE * shown.source.shape[0] / shown.source.shape[1])
    page = Image.new("RGB", (len(panes) * (_PANE + _GAP) + _GAP, height + 2 * _STRIP + 2 * _GAP), _BACKGROUND)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for column, (title, pane) in enumerate(panes.items()):
        left = _GAP + column * (_PANE + _GAP)
        draw.text((left, _GAP), title, font=font, fill=_TEXT)
        page.paste(Image.fromarray(pane).resize((_PANE, height), Image.Resampling.BILINEAR), (left, _STRIP + _GAP))
    below = height + _STRIP + 2 * _GAP
    draw.text((_GAP, below), caption, font=font, fill=_TEXT)
    right = page.width - _GAP - draw.textlength(NOT_FOR_DIAGNOSIS, font=font)
    draw.text((right, below), NOT_FOR_DIAGNOSIS, font=font, fill=_WARNING)
    with atomic_file(path, private=True) as temporary:
        page.save(temporary)


def _grey(picture: NDArray[np.float32], domain: Domain, recipe: Recipe) -> NDArray[np.uint8]:
    scale = recipe.intensity(domain).nominal
    low, high = scale.low, scale.high
    if domain is Domain.CT:
        low, high = max(low, _CT_WINDOW[0]), min(high, _CT_WINDOW[1])
    return _shares((scale.from_unit(picture) - low) / max(high - low, 1.0))


def _shares(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return result
