"""A volume in, its synthetic twin out: on the source's own grid, in the target's own unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, WrongInput
from ctmri_core.events import Noted, Progress, StopSignal, Work, never
from ctmri_core.inference.engine import make_ready
from ctmri_core.inference.one_pass import OnePass
from ctmri_core.inference.order import Doubt, Order
from ctmri_core.inference.outlining import translating_with_body
from ctmri_core.inference.precision import choose_device
from ctmri_core.inference.sampling import MOST_MIRRORED, ways_of
from ctmri_core.inference.translating import WAYS, Translating, Translation
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel, load_model
from ctmri_core.preprocess.recipe import Recipe, Record
from ctmri_core.preprocess.slice_grid import PLANES, Plane
from ctmri_core.volume import Volume

__all__ = ["Model", "Translation", "check_input", "translate", "translate_as"]

Model = str | Path | LoadedModel


def check_input(volume: Volume, card: ModelCard) -> None:
    """Raises `WrongInput` when the model does not take volumes of this domain or of this geometry."""
    if card.outlines:
        raise WrongInput(f"{card.name} outlines the body or labels; it does not translate. Choose another model.")
    expected = card.direction.source
    if not card.takes(volume.domain):
        raise WrongInput(
            f"{card.name} takes {expected.label} volumes; this one is {volume.label}. "
            f"Choose a model for {volume.domain.label}, or correct the volume's modality if it was guessed wrongly."
        )
    if problem := card.recipe.problem_with(volume.geometry):
        raise WrongInput(problem)


def translate(
    volume: Volume,
    model: Model,
    *,
    device: str = "auto",
    batch: int | None = None,
    threads: int | None = None,
    stop: StopSignal = never,
) -> Work[Volume | None]:
    """The synthetic volume alone; see `translate_as`."""
    made = yield from translate_as(volume, model, Order(device=device, batch=batch, threads=threads), stop)
    return None if made is None else made.volume


def translate_as(volume: Volume, model: Model, order: Order, stop: StopSignal = never) -> Work[Translation | None]:
    """The synthetic volume of `model`'s target domain, int16 HU for CT, float32 0 to 1000 a.u. for MR, and what `order` wants to
    be told of it, which does not change the picture.

    Its geometry is the source's own object; values never depend on any truth, nor (beyond rounding) on the batch size. Returns
    None when stopped, unless the order keeps what is unfinished and some is. Raises `WrongInput`, `ModelRefused`, `OutOfMemory`,
    and `CtmriError` for a device that is not there or a question about certainty that the model cannot answer.
    """
    with _limited_threads(order.threads):
        yield Progress(done=0, message="loading the model")
        models = [_loaded(each) for each in (model, *order.beside)]
        back = None if order.back is None else _loaded(order.back)
        _check_models(volume, [each.card for each in models], back.card if back else None)
        doubt = _doubt_of(volume, models, order)
        if volume.domain is Domain.MR and models[0].card.direction.source is not Domain.MR:
            card = models[0].card
            yield Noted(message=f"The weighting of this MR is not known; {card.name} was made for {card.direction.source.label}.")
        if volume.synthetic:
            yield Noted(message="The source is itself synthetic; what comes of it is twice removed from a patient.", serious=True)
        choose_device(order.device)
        if stop():
            return None
        outliner = None if order.body_model is None else _loaded(order.body_model)
        with_body = yield from translating_with_body(volume, outliner, order, stop)
        if with_body is None:
            return None
        order = with_body
        wanted = _planes_of(volume, models[0].card, order)
        passes = yield from _passes(volume, models, PLANES if doubt == "planes" else wanted, order, stop)
        if passes is None:
            return None
        mains, beside = ([one for one in passes if (one.plane in wanted) is among] for among in (True, False))
        work = Translating(mains, beside, doubt, back, order, stop)
        yield from work.say_doubts()
        return (yield from work.run())


def _loaded(model: Model) -> LoadedModel:
    return model if isinstance(model, LoadedModel) else load_model(model)


def _passes(
    volume: Volume, models: list[LoadedModel], planes: tuple[Plane, ...], order: Order, stop: StopSignal
) -> Work[list[OnePass] | None]:  # fmt: skip
    """Of each model along all planes."""
    passes: list[OnePass] = []
    known: list[tuple[Recipe, Record]] = []  # models of one recipe share what was prepared
    for each in models:
        record = next((record for recipe, record in known if recipe == each.card.recipe), None)
        ready = yield from make_ready(volume, each, planes, order, stop, record)
        if ready is None:
            return None
        known.append((each.card.recipe, next(iter(ready.values())).record))
        passes += ready.values()
    return passes


def _planes_of(volume: Volume, card: ModelCard, order: Order) -> tuple[Plane, ...]:
    """Those that make the picture, axial ones first."""
    if order.planes is None:
        return card.recipe.planes_for(volume.geometry)
    return PLANES if order.planes == "three" else ("axial",)


def _check_models(volume: Volume, cards: list[ModelCard], back: ModelCard | None) -> None:
    """Raises `WrongInput` where one does not take the volume, or they do not lead to one place."""
    for card in cards:
        check_input(volume, card)
    first, target = cards[0], cards[0].direction.target
    for card in cards[1:]:
        if card.direction.target is not target:
            raise WrongInput(f"{first.name} makes {target.label}, {card.name} {card.direction.target.label}: nothing to fuse.")
        if not _alike(card, first, target):
            raise WrongInput(f"{first.name} and {card.name} give {target.label} on different scales: they cannot be fused.")
    if back is None:
        return
    if not (back.takes(target) and back.direction.target.accepts(volume.domain)):
        wanted = first.direction.reverse.label
        raise WrongInput(f"{back.name} translates {back.direction.label}; to see what comes back, take a model for {wanted}.")
    if not all(_alike(back, first, domain) for domain in (target, volume.domain)):
        raise WrongInput(f"{first.name} and {back.name} use different scales: what comes back cannot be compared.")


def _alike(one: ModelCard, other: ModelCard, domain: Domain) -> bool:
    """Whether both use one scale of arbitrary units; HU are HU."""
    return not domain.is_mr or one.recipe.intensity(domain).nominal == other.recipe.intensity(domain).nominal


def _doubt_of(volume: Volume, models: list[LoadedModel], order: Order) -> Doubt:
    """Where the map of uncertainty comes from. Raises `CtmriError` when the model has no such thing."""
    ways = ways_of(models[0].generator)
    doubt = order.doubt
    if doubt == "auto" and not order.draws and order.beside:
        doubt = "ensemble"
    elif doubt == "auto":
        several = len(_planes_of(volume, models[0].card, order)) > 1 and not order.draws
        doubt = "planes" if several else ways[0]
    if doubt in WAYS and doubt not in ways:
        raise CtmriError(f"{models[0].card.name} has no {doubt} to ask for other answers; it has: {', '.join(ways)}.")
    most = min(order.samples, MOST_MIRRORED) - 1
    if doubt == "mirrored" and order.draws > most:
        raise CtmriError(f"Mirrored and shifted slices give at most {most} draws beside the picture, not {order.draws}.")
    return doubt


@contextmanager
def _limited_threads(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(max(1, threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)
