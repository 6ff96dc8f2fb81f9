"""Pictures of a run: the same few slices again and again, translated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ctmri_core.data.label_values import UNDECIDED
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.domain import Direction, Domain
from ctmri_core.events import StopSignal
from ctmri_core.files import atomic_file
from ctmri_core.method import Method, SliceBatch
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.training.health import variety
from ctmri_core.training.overlap_sums import found_labels
from ctmri_core.training.validation import evaluating

_CT_WINDOW = (-200.0, 600.0)  # HU: soft tissue in greys and bone not all white
_GAP = 4
_ROWS = 3


@dataclass(frozen=True)
class Preview:
    """`caption`: what its columns show; `variety`: see `health.variety`."""

    caption: str
    variety: float | None


def write_preview(
    path: Path, method: Method[Any], slices: PreparedSlices, direction: Direction, recipe: Recipe, device: torch.device,
    stop: StopSignal,
) -> Preview | None:  # fmt: skip
    """Writes a PNG with source, synthetic and, where it is known, target side by side, one row for each of three fixed slices.

    None when stopped, without a file.
    """
    rows, known = [], slices.pairs > 0
    shown: list[tuple[Tensor, Tensor, Tensor]] = []
    with evaluating(method):
        for batch in _fixed(slices, direction):
            if stop():
                return None
            seen = batch.seen(direction.source).to(device)
            synthetic = method.translate(seen, direction).float().cpu()
            shown.append((batch[direction.source][0, 0], synthetic[0, 0], batch.masks[direction.source][0, 0]))
            parts = [(batch[direction.source], direction.source), (synthetic, direction.target)]
            if known:
                parts.append((batch[direction.target], direction.target))
            rows.append(np.hstack([_shown(part[0].numpy(), domain, recipe) for part, domain in parts]))
    width = max(row.shape[1] for row in rows)
    page = np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])
    with atomic_file(path, private=True) as temporary:
        Image.fromarray(page).save(temporary)
    if direction.target is Domain.MASK:
        return Preview(f"{direction.label}: source, found" + (", drawn" if known else ""), None)
    caption = f"{direction.label}: source, synthetic" + (", target" if known else "")
    return Preview(caption, variety(*map(list, zip(*shown, strict=True))))


def _fixed(slices: PreparedSlices, direction: Direction) -> Iterator[SliceBatch]:
    """A quarter, half and three quarters of the way through all slices."""
    quarters = range(1, _ROWS + 1)
    if slices.pairs:
        return slices.whole_batches([slices.pairs * quarter // (_ROWS + 1) for quarter in quarters], 1)
    count = slices.count(direction.source)
    return slices.single_batches(direction.source, [count * quarter // (_ROWS + 1) for quarter in quarters])


def _shown(picture: NDArray[np.float32], domain: Domain, recipe: Recipe) -> NDArray[np.uint8]:
    """(c, h, w) as greys: a picture, or how sure labels are, or numbers of labels; each label lighter than the one before."""
    if domain is not Domain.MASK:
        return _grey(picture[0], domain, recipe)
    number = found_labels(picture[None])[0] if picture.min() < 0 else np.where(picture[0] == UNDECIDED, 0, picture[0])
    return np.pad((255 * number / (number + 1) * (number > 0)).astype(np.uint8), _GAP)


def _grey(picture: NDArray[np.float32], domain: Domain, recipe: Recipe) -> NDArray[np.uint8]:
    values = np.nan_to_num(recipe.to_nominal(picture, domain), nan=-np.inf)  # a generator that is broken shows black
    low, high = _CT_WINDOW if domain is Domain.CT else (0.0, recipe.mr.nominal_high)
    grey = (np.clip((values - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
    return np.pad(grey, _GAP)
