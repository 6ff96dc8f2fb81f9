"""Where the body of a case is: as its files say, as a model outlines it, else as it is found when slices are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Event, Noted, StopSignal, Work, relayed
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.preprocess.resample import resample_array

if TYPE_CHECKING:
    from ctmri_core.model_file import LoadedModel

Mask = NDArray[np.bool_]


def outliner_for(named: str, domains: Sequence[Domain]) -> LoadedModel | None:
    """The model of that file or name, read; None for "". Raises `ModelRefused`, and `TrainingFailed` where it outlines nothing,
    or in none of `domains`."""
    if not named:
        return None
    from ctmri_core.model_card import find_model
    from ctmri_core.model_file import load_model
    from ctmri_core.resources_folder import model_folders

    model = load_model(find_model(named, model_folders()))
    card = model.card
    if not card.outlines:
        raise TrainingFailed(f"{card.name} translates {card.direction.label}; it outlines no body. Choose a model that outlines.")
    if not any(card.direction.source.accepts(domain) for domain in domains):
        asked = " and ".join(domain.label for domain in domains if domain is not Domain.MASK)
        raise TrainingFailed(f"{card.name} outlines in {card.direction.source.label}; {asked} is to be prepared.")
    return model


def outlined_body(case: Case, domains: Sequence[Domain], model: LoadedModel, stop: StopSignal) -> Work[Mask | None]:
    """The body as `model` outlines it in the first of `domains` that it takes, on the grid of `domains[0]`.

    In float32, for the fastest way is found by timing, and data are to be the same another time. None where the case brings a
    mask of its own for that grid, where the model takes none of them, or when stopped. Raises `WrongInput` where it outlines
    nothing.
    """
    from ctmri_core.inference.order import Order
    from ctmri_core.inference.outlining import body_by_model

    shown = next((domain for domain in domains if model.card.direction.source.accepts(domain)), None)
    if shown is None or given_body(case, domains[0]) is not None:
        return None
    volume, grid = case.aligned(shown), case.aligned(domains[0]).geometry
    body = yield from relayed(body_by_model(volume, model, Order(precision="float32"), stop), _only_serious)
    if body is None or volume.geometry.is_close(grid):
        return body
    return resample_array(body, volume.geometry, grid, order=0)


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


def _only_serious(event: Event) -> Event | None:
    """Progress is told of cases, not of the slices of one."""
    return event if isinstance(event, Noted) and event.serious else None
