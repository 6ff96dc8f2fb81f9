"""One model made ready for one volume: prepared grid, timed plan, as much at a time as the memory allows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ctmri_core.events import Noted, Progress, StopSignal, Work
from ctmri_core.inference.one_pass import OnePass, seen
from ctmri_core.inference.order import Order
from ctmri_core.inference.precision import Plan, choose_device, choose_plan, fitting_batch, prepare_generator, usable_memory
from ctmri_core.inference.slice_runner import SliceRunner, allowed_patch, fitting_patch
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.recipe import Record
from ctmri_core.preprocess.slice_grid import Plane
from ctmri_core.registry import validated_config
from ctmri_core.volume import Volume


def make_ready(
    volume: Volume, model: LoadedModel, planes: tuple[Plane, ...], order: Order, stop: StopSignal, known: Record | None = None
) -> Work[dict[Plane, OnePass] | None]:
    """A pass of `model` over `volume` for each of `planes`; None when stopped. Raises `WrongInput` where it cannot be cut so.

    `known`: the record of `volume` by the model's recipe, where it is at hand.
    """
    generator, card = model
    config = validated_config(card)
    yield Progress(done=0, message="preparing the volume")
    for plane in planes:
        card.recipe.grid_of(volume.geometry, plane=plane)  # what cannot be cut so is refused before any work
    record = known or card.recipe.record_of(volume, order.body)
    cuts = {plane: card.recipe.along(record, plane) for plane in planes}
    first = cuts[planes[0]]
    middle = seen(volume, card, first, config.context, first.count // 2, first.count // 2 + 1, first.grid)[0]
    if stop():
        return None
    yield Progress(done=0, message="timing this machine")
    timed = choose_plan(generator, middle, choose_device(order.device), order.precision)
    if stop():
        return None
    network = prepare_generator(generator, timed)  # one for all planes
    passes: dict[Plane, OnePass] = {}
    for plane, cut in cuts.items():
        plan = timed if cut is first else timed.of_slices(float(np.prod(cut.slice_shape) / np.prod(first.slice_shape)))
        fit = _fitting(plan, cut, order, config.size_multiple, fixed=card.recipe.size is not None)
        if fit.words:
            yield Noted(message=fit.words, serious=fit.hardly)
        runner = SliceRunner(network, plan, fit.batch, patch=fit.patch, overlap=order.overlap, multiple=config.size_multiple)
        passes[plane] = OnePass(volume, card, cut, runner, plane, order.only if planes == ("axial",) else None)
    return passes


class _Fitting(NamedTuple):
    """Slices at a time, edge of patches or None for whole slices, what there is to say of it; `hardly`: probably too much."""

    batch: int
    patch: int | None = None
    words: str = ""
    hardly: bool = False


def _fitting(plan: Plan, record: Record, order: Order, multiple: int, *, fixed: bool) -> _Fitting:
    """`fixed`: whether the network was made for slices of one size, which patches would not be."""
    if order.patch is not None:
        asked = allowed_patch(order.patch, multiple)
        part = plan.of_slices(min(asked**2 / float(np.prod(record.slice_shape)), 1.0))
        return _Fitting(max(fitting_batch(part, order.batch or part.batch), 1), asked)
    fitting = fitting_batch(plan, order.batch or plan.batch)
    if fitting:
        few = "1 slice at a time fits" if fitting == 1 else f"{fitting} slices at a time fit"
        short = order.batch is not None and fitting < order.batch
        return _Fitting(fitting, None, f"No more than {few} the memory that is free." if short else "")
    needed = f"One slice of {' x '.join(map(str, record.slice_shape))} pixels takes about {plan.bytes_per_slice / 1e9:.1f} GB"
    edge = None if fixed else fitting_patch(plan.bytes_per_slice, record.slice_shape, usable_memory(plan.device))
    patch = None if edge is None else allowed_patch(edge, multiple)
    if patch is None or patch >= max(record.slice_shape):
        return _Fitting(1, None, f"{needed}, which is more than is free. Close other programs if translating fails.", True)
    return _Fitting(1, patch, f"{needed}, which is more than is free: it is translated in patches of {patch} pixels.")
