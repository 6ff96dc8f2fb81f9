"""Masks as they are drawn, 0 and 1 or 255 or numbers of labels, as label maps to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.preprocess.slice_grid import SliceGrid

MOST_LABELS = 254
UNDECIDED = 255
"""Where the one who drew left it open: nothing is learnt there, nothing judged."""
Labels = NDArray[np.uint8]


def label_numbers(values: NDArray[Any]) -> Labels:
    """Of any shape. 0 and 255 alone are a mask, 0 and 1; else the numbers are those of labels, 255 what is undecided.

    Raises `WrongInput` for what are no whole numbers from 0 to 255.
    """
    there = np.unique(values)
    if not np.isfinite(there).all() or (there != np.rint(there)).any() or there.min() < 0 or there.max() > UNDECIDED:
        raise WrongInput("The mask holds values other than whole numbers from 0 to 255: labels are numbered from 1, 0 is none.")
    if there.max() == UNDECIDED and len(there) <= 2 and set(there.tolist()) <= {0, UNDECIDED}:
        values = np.equal(values, UNDECIDED)
    numbers: Labels = values.astype(np.uint8)
    return numbers


def given_labels(case: Case, domain: Domain, *, together: bool) -> Labels | None:
    """(k, j, i) on the grid of `domain`: what came with the case, else its body as 1; None where nothing did.

    It lies on the grid of the case's first volume; where volumes are not `together`, on that alone.
    """
    given = case.labels
    if given is None and (body := case.masks.get("body")) is not None:
        given = body.astype(np.uint8)
    first = next(iter(case.volumes))
    geometry = case[first].geometry
    if given is None or given.shape != geometry.shape or (domain is not first and not together):
        return None
    wanted = case.aligned(domain).geometry
    return given if wanted.is_close(geometry) else resample_array(given, geometry, wanted, order=0)


def prepared_labels(labels: Labels, grid: SliceGrid) -> NDArray[np.float32]:
    """(n, h, w) on the network's grid: each label's share of a pixel, and of these the one that has most of it."""
    oriented = grid.oriented(labels)
    best = np.full((grid.count, *grid.slice_shape), 0.5, np.float32)
    result = np.zeros_like(best)
    for number in np.unique(labels):
        if number:
            share = grid.forward((oriented == number).astype(np.float32), 0.0)
            result[share > best] = number
            np.maximum(best, share, out=best)
    return result
