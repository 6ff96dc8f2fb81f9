"""Prepared slices of a case as volumes again, for the verdict: what a user would have opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.data.dataset import DatasetIndex
from ctmri_core.data.prepared_slices import PreparedCase
from ctmri_core.domain import Direction, Domain
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.volume import Volume

MOST_SLICES = 32
"""Of one case; of longer ones every n-th slice is taken."""
_MOST_MEANED = 512
Pictures = NDArray[np.float32]
"""(n, h, w) in [-1, 1], as the data's recipe scales a domain."""


@dataclass(frozen=True, eq=False)
class JudgedCase:
    """Slices of one case, feet first, `spacing` mm apart along (slice, row, column); `counted`: those that are judged."""

    source: Pictures
    target: Pictures
    body: NDArray[np.bool_]
    counted: NDArray[np.intp]
    spacing: tuple[float, float, float]

    def volume(self, direction: Direction, recipe: Recipe) -> Volume:
        """The source in HU, or in the nominal units of an MR. What the range cut off is lost."""
        voxels = recipe.to_nominal(self.source, direction.source)
        return Volume(voxels, Geometry(self.source.shape, self.spacing), direction.source, name="validation patient")


def read_case(case: PreparedCase, direction: Direction, recipe: Recipe, *, every_slice: bool) -> JudgedCase:
    """`every_slice`: for networks that are shown neighbours; else of long cases some, evenly spaced. Raises `FileRefused`."""
    source, target, body = case.unpacked(direction.source, direction.target)
    chosen = np.arange(len(source)) if case.chosen is None else np.array(case.chosen, np.intp)
    every = 1 if every_slice else max(-(-len(chosen) // MOST_SLICES), 1)
    counted = chosen[::every]
    taken = np.arange(len(source)) if every_slice else counted
    apart = float(taken[1] - taken[0]) if len(taken) > 1 else 1.0
    slice_mm, *edges = case.spacing(recipe)
    return JudgedCase(
        source=source[taken].astype(np.float32), target=target[taken].astype(np.float32), body=body[taken] > 0,
        counted=np.searchsorted(taken, counted), spacing=(apart * slice_mm, edges[0], edges[1]),
    )  # fmt: skip


def patients_of(index: DatasetIndex, folder: Path, direction: Direction) -> list[list[PreparedCase]]:
    """The validation patients with slices that show both domains, in the order of the index."""
    found: dict[str, list[PreparedCase]] = {}
    for case in index.cases:
        if case.side == "validation" and case.shows(direction.source, direction.target):
            found.setdefault(case.patient, []).append(case.prepared_in(folder))
    return list(found.values())


def training_mean(cases: Sequence[PreparedCase], domain: Domain, recipe: Recipe) -> float:
    """Mean nominal value of `domain` inside the body of at most 512 training slices, evenly spaced."""
    places = [(case, n) for case in cases if domain in case.domains for n in case.chosen or range(len(case.mapped()))]
    total, voxels = 0.0, 0
    for place in np.unique(np.linspace(0, len(places) - 1, min(len(places), _MOST_MEANED)).round().astype(int)):
        case, n = places[place]
        pictures, body = case.unpacked(domain)
        values = recipe.to_nominal(pictures[n][body[n] > 0], domain)
        total, voxels = total + float(values.sum(dtype=np.float64)), voxels + values.size
    return total / max(voxels, 1)
