"""One model made ready for one volume: prepared grid, timed plan, as much at a time as the memory allows."""

from __future__ import annotations

import numpy as np

from ctmri_core.events import Noted, Progress, StopSignal, Work
from ctmri_core.inference.one_pass import OnePass, seen
from ctmri_core.inference.order import Order
from ctmri_core.inference.precision import Plan, choose_device, choose_plan, fitting_batch, prepare_generator, usable_memory
from ctmri_core.inference.slice_runner import SliceRunner, fitting_patch
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.recipe import Record
from ctmri_core.preprocess.slice_grid import Plane
from ctmri_core.registry import validated_config
from ctmri_core.volume import Volume


def make_ready(
    volume: Volume, model: LoadedModel, planes: tuple[Plane, ...], order: Order, stop: StopSignal
) -> Work[dict[Plane, OnePass] | None]:
    """A pass of `model` over `volume` for each of `planes`; None when stopped. Raises `WrongInput` where it cannot be cut so."""
    generator, card = model
    device = choose_device(order.device)
    config = validated_config(card)
    yield Progress(done=0, message="preparing the volume")
    for plane in planes:
        card.recipe.grid_of(volume.geometry, plane=plane)  # what cannot be cut so is refused before any work
    record = card.recipe.record_of(volume, order.body)
    passes: dict[Plane, OnePass] = {}
    for plane in planes:
        cut = card.recipe.along(record, plane)
        middle = seen(volume, card, cut, config.context, cut.count // 2, cut.count // 2 + 1, cut.grid)[0]
        if stop():
            return None
        yield Progress(done=0, message="timing this machine")
        plan = choose_plan(generator, middle, device, order.precision)
        batch, patch, words = _fitting(plan, cut, order, fixed=card.recipe.size is not None)
        if words:
            yield Noted(message=words, serious=patch is None and batch == 0)
        network = prepare_generator(generator, plan)
        runner = SliceRunner(network, plan, batch, patch=patch, overlap=order.overlap, multiple=config.size_multiple)
        passes[plane] = OnePass(volume, card, cut, runner, plane)
    return passes


def _fitting(plan: Plan, record: Record, order: Order, *, fixed: bool) -> tuple[int, int | None, str]:
    """(slices at a time, edge of patches or None for whole slices, what there is to say of it)."""
    wanted = order.batch or plan.batch
    if order.patch is not None:
        part = min(order.patch**2 / float(np.prod(record.slice_shape)), 1.0)
        room = int(usable_memory(plan.device) // max(plan.bytes_per_slice * part, 1))
        return max(min(order.batch or round(plan.batch / part), room), 1), order.patch, ""
    fitting = fitting_batch(plan, wanted)
    if fitting:
        few = "1 slice at a time fits" if fitting == 1 else f"{fitting} slices at a time fit"
        short = order.batch is not None and fitting < order.batch
        return fitting, None, f"No more than {few} the memory that is free." if short else ""
    needed = f"One slice of {' x '.join(map(str, record.slice_shape))} pixels takes about {plan.bytes_per_slice / 1e9:.1f} GB"
    patch = None if fixed else fitting_patch(plan.bytes_per_slice, record.slice_shape, usable_memory(plan.device))
    if patch is None:
        return 0, None, f"{needed}, which is more than is free. Close other programs if translating fails."
    return 1, patch, f"{needed}, which is more than is free: it is translated in patches of {patch} pixels."
