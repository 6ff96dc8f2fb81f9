"""Where the body of a case is: as its files say, or as whoever outlines it says; else it is found when slices are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work
from ctmri_core.preprocess.recipe import Recipe

Mask = NDArray[np.bool_]


class BodyOutliner(Protocol):
    """Outlines the bodies of cases that bring no mask. `mark`: changes when its outlines would."""

    @property
    def mark(self) -> str: ...

    def body_of(self, case: Case, domains: Sequence[Domain], stop: StopSignal) -> Work[Mask | None]:
        """On the grid of `domains[0]`; None where it takes none of `domains`, or when stopped. Raises `WrongInput`."""
        ...


def given_body(case: Case, domain: Domain) -> Mask | None:
    """The case's own mask where it lies on the grid of `domain`."""
    given = case.masks.get("body")
    return None if given is None or given.shape != case[domain].geometry.shape else given


def given_mask(case: Case, domain: Domain, recipe: Recipe, mask: Mask) -> Mask:
    """The case's own mask on the prepared grid, where it lies on the grid of `domain`; else everything."""
    given = given_body(case, domain)
    if given is None:
        return np.ones_like(mask)
    grid = recipe.grid_of(case[domain].geometry)
    inside: Mask = grid.forward(grid.oriented(given.astype(np.float32)), 0.0) > 0.5
    return inside
