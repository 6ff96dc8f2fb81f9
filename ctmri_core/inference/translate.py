"""A volume in, its synthetic twin out: on the source's own grid, in the target's own unit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ctmri_core import __version__
from ctmri_core.domain import Domain
from ctmri_core.errors import ModelRefused, Stopped, WrongInput
from ctmri_core.events import Noted, Progress, Started, StopSignal, Work, never
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.precision import Plan, choose_device, choose_plan, fitting_batch, prepare_generator, run_batch
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel, load_model
from ctmri_core.preprocess.recipe import Record
from ctmri_core.preprocess.slice_context import neighbours, stride_for
from ctmri_core.preprocess.slice_grid import SliceGrid, Slices
from ctmri_core.registry import validated_config
from ctmri_core.volume import Finding, Synthetic, Volume, Voxels

_TELL_TIME_LEFT_AFTER = 3.0


@dataclass(frozen=True)
class _Job:
    source: Volume
    card: ModelCard
    record: Record
    context: int
    plan: Plan
    network: nn.Module
    doubts: tuple[Finding, ...]

    @property
    def target(self) -> Domain:
        return self.card.direction.target

    def seen(self, start: int, end: int) -> Slices:
        """What the network is shown for slices `start` to `end`: float32 (end - start, context, h, w)."""
        return _seen(self.source, self.card, self.record, self.context, start, end, self.record.grid_at(start))


def check_input(volume: Volume, card: ModelCard) -> None:
    """Raises `WrongInput` when the model does not take volumes of this domain or of this geometry."""
    expected = card.direction.source
    if not expected.accepts(volume.domain):
        raise WrongInput(
            f"{card.name} takes {expected.label} volumes; this one is {volume.label}. "
            f"Choose a model for {volume.domain.label}, or correct the volume's modality if it was guessed wrongly."
        )
    if problem := card.recipe.problem_with(volume.geometry):
        raise WrongInput(problem)


def translate(
    volume: Volume,
    model: str | Path | LoadedModel,
    *,
    device: str = "auto",
    batch: int | None = None,
    threads: int | None = None,
    stop: StopSignal = never,
) -> Work[Volume | None]:
    """The synthetic volume of `model`'s target domain: int16 HU for CT, float32 0 to 1000 a.u. for MR.

    Its geometry is the source's own object; values never depend on any truth, nor (beyond rounding) on the batch size.
    `batch`: slices at a time, None lets a short timing choose. `threads`: CPU threads to use while it runs. Returns None when
    stopped. Raises `WrongInput`, `ModelRefused`, `OutOfMemory`, and `CtmriError` for a device that is not there.
    """
    with _limited_threads(threads):
        yield Progress(done=0, message="loading the model")
        generator, card = model if isinstance(model, LoadedModel) else load_model(model)
        check_input(volume, card)
        if volume.domain is Domain.MR and card.direction.source is not Domain.MR:
            yield Noted(message=f"The weighting of this MR is not known; {card.name} was made for {card.direction.source.label}.")
        if volume.synthetic:
            yield Noted(message="The source is itself synthetic; what comes of it is twice removed from a patient.", serious=True)
        torch_device = choose_device(device)
        if stop():
            return None
        yield Progress(done=0, message="preparing the volume")
        record = card.recipe.record_of(volume)
        context = validated_config(card).context
        doubts = doubts_before(volume, card, record)
        for doubt in doubts:
            yield Noted(message=doubt.message, serious=doubt.serious)
        middle = _seen(volume, card, record, context, record.count // 2, record.count // 2 + 1, record.grid)[0]
        if stop():
            return None
        yield Progress(done=0, message="timing this machine")
        plan = choose_plan(generator, middle, torch_device)
        job = _Job(volume, card, record, context, plan, prepare_generator(generator, plan), doubts)
        wanted = batch or plan.batch
        fitting = fitting_batch(plan, wanted)
        if not fitting or (batch and fitting < batch):
            yield Noted(message=_memory_words(plan, record, fitting), serious=not fitting)
        return (yield from _run(job, max(fitting, 1), stop))


def _memory_words(plan: Plan, record: Record, fitting: int) -> str:
    if fitting:
        slices = "1 slice at a time fits" if fitting == 1 else f"{fitting} slices at a time fit"
        return f"No more than {slices} the memory that is free."
    needed = f"One slice of {' x '.join(map(str, record.slice_shape))} pixels takes about {plan.bytes_per_slice / 1e9:.1f} GB"
    return f"{needed}, which is more than is free. Close other programs if translating fails."


def _run(job: _Job, batch: int, stop: StopSignal) -> Work[Volume | None]:
    count = job.record.count
    yield Started(
        job=f"translating {job.card.direction.label}",
        total=count,
        unit="slices",
        details={
            "model": job.card.name,
            "device": job.plan.device,
            "precision": job.plan.precision,
            "batch": batch,
            "estimated_memory_mb": round(job.plan.bytes_per_slice * batch / 1e6),
            "estimated_seconds": round(job.plan.seconds_per_slice * job.record.slices_of_full_size, 1),
        },
    )
    background = job.card.recipe.intensity(job.target).nominal.low
    shape = job.record.geometry.shape
    is_ct = job.target is Domain.CT
    result: Voxels = np.full(shape, background, np.int16) if is_ct else np.full(shape, background, np.float32)
    done, begun = 0, time.perf_counter()
    while done < count:
        end = job.record.alike(done, min(done + batch, count))
        if stop() or not _translate_slices(job, done, end, result, background, stop):
            return None
        done = end
        yield _progress(done, count, time.perf_counter() - begun)
    return _synthetic(job, result)


def _translate_slices(job: _Job, start: int, end: int, result: Voxels, background: float, stop: StopSignal) -> bool:
    """Fills slices `start` to `end` (feet first) of `result`; False when stopped on the way."""
    recipe, grid = job.card.recipe, job.record.grid_at(start)
    slices = job.seen(start, end)
    try:
        with _stoppable(job.network, stop):
            answer = run_batch(job.network, slices, torch.device(job.plan.device))
    except Stopped:
        return False
    if not np.isfinite(answer).all():
        raise ModelRefused(f"{job.card.name} answered with values that are no numbers. Use another model.")
    np.clip(answer, -1.0, 1.0, out=answer)  # a network without a last tanh may leave the range, which is all that has a meaning
    values = grid.undo(recipe.to_nominal(answer, job.target), background)
    grid.oriented(result)[start:end] = _as_stored(values, result.dtype)
    return True


def _seen(
    source: Volume, card: ModelCard, record: Record, context: int, start: int, end: int, grid: SliceGrid
) -> Slices:  # fmt: skip
    stride = stride_for(card.recipe.slice_mm, record.grid.slice_mm)
    places = neighbours(start, end, context, record.count, stride)
    first = int(places.min())
    return card.recipe.forward_slices(source, record, first, int(places.max()) + 1, grid)[places - first]


def _as_stored(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16) if dtype == np.int16 else values


def _progress(done: int, count: int, seconds: float) -> Progress:
    rate = done / max(seconds, 1e-9)
    left = round((count - done) / rate, 1) if seconds >= _TELL_TIME_LEFT_AFTER or done == count else None
    return Progress(done=done, total=count, unit="slices", rate=round(rate, 3), seconds_left=left)


def _synthetic(job: _Job, voxels: Voxels) -> Volume:
    card, source = job.card, job.source
    findings = [*source.findings, *job.doubts]
    if card.demo:
        findings.append(Finding("demo_model", f"{card.name} is a demonstration model: it shows how the program works, no more."))
    details = {
        "direction": card.direction.name,
        "device": job.plan.device,
        "precision": job.plan.precision,
        "context_slices": job.context,
        "program_version": __version__,
        "recipe": card.recipe.model_dump(mode="json"),
        "source_range": [job.record.scale.low, job.record.scale.high],
        "source_history": list(source.history),
    }
    return Volume(
        voxels=voxels,
        geometry=source.geometry,
        domain=job.target,
        name=f"Synthetic {job.target.label}" + (f" of {source.name}" if source.name else ""),
        frame_of_reference=source.frame_of_reference,
        findings=tuple(findings),
        history=(*source.history, f"translated {card.direction.label} by {card.name} ({card.short_hash})"),
        synthetic=Synthetic(card.name, card.weights_sha256, details),
        phantom=source.phantom,
        dicom=source.dicom,
    )


@contextmanager
def _stoppable(network: nn.Module, stop: StopSignal) -> Iterator[None]:
    """Asks `stop` before every layer: one slice alone may take seconds on a CPU."""

    def check(*_: object) -> None:
        if stop():
            raise Stopped("Translation was stopped.")

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [layer.register_forward_pre_hook(check) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _limited_threads(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(max(1, threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)
