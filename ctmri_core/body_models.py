"""A model that outlines the body of whole cases: before they are prepared, and where they are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.errors import WrongInput
from ctmri_core.events import Event, Noted, StopSignal, Work, relayed
from ctmri_core.inference.order import Order
from ctmri_core.inference.outlining import body_by_model
from ctmri_core.model_card import ModelCard, find_model
from ctmri_core.model_file import LoadedModel, load_model
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.resources_folder import model_folders
from ctmri_core.volume import Volume

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BodyModel:
    """Outlines in float32: the fastest way is found by timing, and an outline is to be the same another time."""

    loaded: LoadedModel
    device: str = "auto"

    @property
    def card(self) -> ModelCard:
        return self.loaded.card

    @property
    def mark(self) -> str:
        return self.card.weights_sha256

    def takes(self, domain: Domain) -> bool:
        return self.card.takes(domain)

    def body(self, volume: Volume, stop: StopSignal) -> Work[Mask | None]:
        """On the volume's own grid; None when stopped. Raises `WrongInput` where it outlines nothing. Progress is not told here:
        it is told of cases."""
        order = Order(device=self.device, precision="float32")
        return (yield from relayed(body_by_model(volume, self.loaded, order, stop), _only_serious))

    def body_of(self, case: Case, domains: Sequence[Domain], stop: StopSignal) -> Work[Mask | None]:
        """In the first of `domains` that it takes, on the grid of `domains[0]`; None where it takes none, or when stopped."""
        shown = next(filter(self.takes, domains), None)
        if shown is None:
            return None
        volume, grid = case.aligned(shown), case.aligned(domains[0]).geometry
        body = yield from self.body(volume, stop)
        if body is None or volume.geometry.is_close(grid):
            return body
        return resample_array(body, volume.geometry, grid, order=0)


def body_model(named: str | Path, domains: Sequence[Domain], device: str = "auto") -> BodyModel:
    """The model in that file, or of that name. Raises `ModelRefused`, and `WrongInput` where it outlines nothing, or in none of
    `domains`."""
    model = BodyModel(load_model(find_model(named, model_folders())), device)
    card = model.card
    if not card.outlines:
        raise WrongInput(f"{card.name} translates {card.direction.label}; it outlines no body. Choose a model that outlines.")
    if not any(map(model.takes, domains)):
        there = " and ".join(domain.label for domain in domains if domain is not Domain.MASK)
        raise WrongInput(f"{card.name} outlines in {card.direction.source.label}, not in {there}. Choose another model, or none.")
    return model


def _only_serious(event: Event) -> Event | None:
    return event if isinstance(event, Noted) and event.serious else None
