"""What a model outlines in a volume: the body, or labels by number, on the volume's own grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ctmri_core.domain import Domain
from ctmri_core.errors import Stopped, WrongInput
from ctmri_core.events import Noted, Progress, StopSignal, Work, never
from ctmri_core.inference.engine import make_ready
from ctmri_core.inference.fusion import Kept, Mean
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.one_pass import OnePass
from ctmri_core.inference.order import Order
from ctmri_core.inference.sampling import Variation
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.body_mask import largest_piece
from ctmri_core.registry import validated_config
from ctmri_core.volume import Volume

_MEDIAN = 0.5


@dataclass(frozen=True, eq=False)
class Outlined:
    """`labels`: uint8 (k, j, i) on the volume's grid, 0 for nothing; `names`: of the labels 1, 2, ...; `card`: of the model."""

    labels: NDArray[np.uint8]
    names: tuple[str, ...]
    card: ModelCard

    @property
    def body(self) -> NDArray[np.bool_]:
        """The largest piece of all that is labelled."""
        return largest_piece(self.labels > 0)


class _OneLabel(nn.Module):
    """The answer of `network` for one of its labels, as slices are run for: float32 (n, 1, h, w)."""

    def __init__(self, network: nn.Module, place: int) -> None:
        super().__init__()
        self.network, self._place = network, place

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.network(x)
        return answer[:, self._place : self._place + 1]


def check_outliner(volume: Volume, card: ModelCard) -> None:
    """Raises `WrongInput` when the model does not outline, or was made for other scans."""
    if not card.outlines:
        raise WrongInput(f"{card.name} translates {card.direction.label}; it outlines nothing. Choose a model that outlines.")
    source = card.direction.source
    if not card.takes(volume.domain):
        raise WrongInput(f"{card.name} outlines in {source.label}; this volume is {volume.label}. Choose another model.")
    if problem := card.recipe.problem_with(volume.geometry):
        raise WrongInput(problem)


def outline(volume: Volume, model: LoadedModel, order: Order | None = None, stop: StopSignal = never) -> Work[Outlined | None]:
    """What `model` outlines in `volume`, on the machine that `order` names; None when stopped.

    Each label's share of a voxel comes back onto the volume's own grid before the surest is taken. Raises `WrongInput`,
    `ModelRefused`, `OutOfMemory`.
    """
    asked = order or Order()
    plain = Order(device=asked.device, precision=asked.precision, batch=asked.batch, patch=asked.patch, overlap=asked.overlap)
    card = model.card
    check_outliner(volume, card)
    for doubt in doubts_before(volume, card):
        yield Noted(message=doubt.message, serious=doubt.serious)
    passes = yield from make_ready(volume, model, card.recipe.planes_for(volume.geometry), plain, stop)
    if passes is None:
        return None
    names = validated_config(card).label_names
    try:
        labels = yield from _surest(list(passes.values()), len(names), stop)
    except Stopped:
        return None
    return Outlined(labels, names, card)


def body_by_model(volume: Volume, model: LoadedModel, order: Order, stop: StopSignal) -> Work[NDArray[np.bool_] | None]:
    """The body as `model` outlines it, in the place of the one that is found; None when stopped.

    Raises `WrongInput` where it outlines nothing, and what `outline` raises.
    """
    found = yield from outline(volume, model, order, stop)
    if found is None:
        return None
    body = found.body
    if not body.any():
        raise WrongInput(f"{model.card.name} outlines nothing in {volume.name or 'this scan'}. Draw the body, or leave it out.")
    return body


def translating_with_body(
    volume: Volume, model: LoadedModel | None, order: Order, stop: StopSignal
) -> Work[Order | None]:  # fmt: skip
    """`order` with the body that `model` outlines, where there is none yet; None when stopped."""
    if model is None or order.body is not None:
        return order
    body = yield from body_by_model(volume, model, order, stop)
    return None if body is None else replace(order, body=body, body_model=model)


def _surest(passes: list[OnePass], count: int, stop: StopSignal) -> Work[NDArray[np.uint8]]:
    """The label that has most of a voxel, 0 where none has more than what all of them leave. Raises `Stopped`."""
    shape = passes[0].source.geometry.shape
    labels = np.zeros(shape, np.uint8)
    best, total = (np.zeros(shape, np.float32) for _ in range(2)) if count > 1 else (None, None)
    networks = {id(one): one.runner.network for one in passes}
    for place in range(count):
        taker: Kept | Mean = Kept(shape, 0.0, np.float32) if len(passes) == 1 else Mean(shape, 0.0)
        for one in passes:
            one.runner.network = networks[id(one)] if count == 1 else _OneLabel(networks[id(one)], place)
            for done in one.run(Variation(), [taker], stop):
                yield Progress(done=done, total=one.record.count, unit="slices", message="outlining")
        share = np.asarray(taker.fused(np.float32), np.float32)
        if best is None or total is None:
            labels[share > _MEDIAN] = 1
            break
        total += share
        labels[share > best] = place + 1
        np.maximum(best, share, out=best)
    if best is not None and total is not None:
        labels[best <= 1 - total] = 0
    return labels


def label_volume(found: Outlined, source: Volume) -> Volume:
    """int16 numbers of labels on the grid of `source`, to be saved; without its patient data."""
    named = ", ".join(f"{number} {name}" for number, name in enumerate(found.names, 1))
    return Volume(
        found.labels.astype(np.int16), source.geometry, Domain.UNKNOWN, "Label map",
        frame_of_reference=source.frame_of_reference,
        history=(f"outlined by {found.card.name} ({found.card.short_hash}): {named}",),
    )  # fmt: skip
