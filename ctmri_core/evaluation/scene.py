"""The real pictures of a case and what is to be scored on one grid, and where in it scores count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.evaluation.cases import OpenedCase, Placed
from ctmri_core.evaluation.results import Problem
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.resample import resample_array, resample_to
from ctmri_core.volume import Volume

Mask = NDArray[np.bool_]
_LEAST_COVERED = 0.9
"""Share of the mask that a picture must show to be scored in it."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All on the grid of `truth`. `mask`: where scores count; `given`: whether it came with the data."""

    truth: Volume
    source: Volume | None
    mask: Mask = field(repr=False)
    given: bool
    labels: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def grid(self) -> Geometry:
        return self.truth.geometry


def set_scene(
    opened: OpenedCase, *, finished: bool = False, outlined: Placed | None = None
) -> tuple[Scene | None, tuple[Problem, ...]]:  # fmt: skip
    """On the grid of the source, on which models answer; `finished` pictures on the truth's, so that their scores are the same
    whether a source is there or not. `outlined`: the body where the case brings no mask; None finds it in the truth. None where
    there is nothing to score, with a problem that says so."""
    source, truth = opened.source, opened.truth
    grid = truth.geometry if source is None or finished else source.geometry
    seen, problems = _seen(truth, grid), []
    if not seen.any():
        message = "The truth shows another part of space than the source: there is nothing to compare. Register them first."
        return None, (Problem(kind="geometry", message=message, left_out=True),)
    if not truth.geometry.is_close(grid):
        message = "The truth lies on another grid and was resampled (linear) to that of the source."
        problems.append(Problem(kind="resampled", message=message, serious=False))
    mask = (opened.body or outlined or Placed(body_mask(truth), truth.geometry)).on(grid)
    moved = resample_to(truth, grid)
    mask = mask & seen & np.isfinite(moved.voxels)
    if opened.chosen is not None:
        counted = np.zeros(len(mask), np.bool_)
        counted[list(opened.chosen)] = True
        mask &= counted[:, None, None]
    if not mask.any():
        what = "The mask given for this case is empty" if opened.body is not None else "No body is seen in the truth"
        return None, (*problems, Problem(kind="empty_mask", message=f"{what}: there is nothing to compare.", left_out=True))
    labels = None if opened.labels is None else opened.labels.on(grid)
    source = None if source is None else resample_to(source, grid)
    return Scene(moved, source, mask, opened.body is not None, labels), tuple(problems)


def placed(synthetic: Volume, scene: Scene) -> tuple[Volume | None, tuple[Problem, ...]]:
    """A finished picture on the scene's grid; None where it shows too little of what is to be scored, with a problem."""
    if synthetic.geometry.is_close(scene.grid):
        return synthetic, ()
    share = float(_seen(synthetic, scene.grid)[scene.mask].mean())
    if share < _LEAST_COVERED:
        grids = (synthetic.geometry.shape, scene.grid.shape)
        sizes = " and ".join(" × ".join(map(str, shape)) for shape in grids)
        told = f" (grids of {sizes} voxels)" if grids[0] != grids[1] else ""
        message = (
            f"The prediction covers {share:.0%} of the truth's body{told}: it is of another part of space, or its file says"
            " another position. Save it on the grid of its source."
        )
        return None, (Problem(kind="geometry", message=message, left_out=True),)
    message = "The prediction lies on another grid and was resampled (linear) to that of the real pictures."
    return resample_to(synthetic, scene.grid), (Problem(kind="resampled", message=message, serious=False),)


def _seen(volume: Volume, grid: Geometry) -> Mask:
    """Where on `grid` the volume is."""
    if volume.geometry.is_close(grid):
        return np.ones(grid.shape, np.bool_)
    lattice = volume.geometry
    whole = Geometry((1, 1, 1), lattice.extent, tuple(lattice.centre), lattice.direction)
    seen: Mask = resample_array(np.ones((1, 1, 1), np.bool_), whole, grid)
    return seen
