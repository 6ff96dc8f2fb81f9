"""A volume in, its synthetic twin out: on the source's own grid, in the target's own unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, Stopped, WrongInput
from ctmri_core.events import Noted, Progress, Started, StopSignal, Work, never
from ctmri_core.inference.course import Course
from ctmri_core.inference.engine import make_ready
from ctmri_core.inference.fusion import Kept, Mean, Median, Taker, as_stored, fusing
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.one_pass import OnePass
from ctmri_core.inference.order import Doubt, Order
from ctmri_core.inference.outcome import only_inside, synthetic_volume, unfinished, with_map
from ctmri_core.inference.precision import choose_device
from ctmri_core.inference.sampling import MOST_MIRRORED, Variation, Way, ways_of
from ctmri_core.inference.value_map import ValueMap
from ctmri_core.model_card import ModelCard
from ctmri_core.model_file import LoadedModel, load_model
from ctmri_core.preprocess.slice_grid import PLANES, Plane
from ctmri_core.volume import Finding, Volume, Voxels

Model = str | Path | LoadedModel
Engines = list[dict[Plane, OnePass]]
_Step = tuple[OnePass, Variation, list[Taker]]
_WAYS: dict[Way, str] = {
    "mirrored": "mirrored and shifted slices",
    "dropout": "patterns of dropout",
    "latent": "samples of the latent",
}


@dataclass(frozen=True, eq=False)
class Translation:
    """`draws`: other answers that are as plausible; `finished`: whether it was not stopped on the way."""

    volume: Volume
    uncertainty: ValueMap | None = None
    cycle: ValueMap | None = None
    draws: tuple[Volume, ...] = ()
    finished: bool = True


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
        models = [each if isinstance(each, LoadedModel) else load_model(each) for each in (model, *order.beside)]
        back = None if order.back is None else load_model(order.back)
        _check_models(volume, [each.card for each in models], back.card if back else None)
        doubt = _doubt_of(models, order)
        if volume.domain is Domain.MR and models[0].card.direction.source is not Domain.MR:
            card = models[0].card
            yield Noted(message=f"The weighting of this MR is not known; {card.name} was made for {card.direction.source.label}.")
        if volume.synthetic:
            yield Noted(message="The source is itself synthetic; what comes of it is twice removed from a patient.", serious=True)
        choose_device(order.device)
        if stop():
            return None
        engines: Engines = []
        planes = _planes_of(models[0].card, order)
        for each in models:
            ready = yield from make_ready(volume, each, planes, order, stop)
            if ready is None:
                return None
            engines.append(ready)
        work = _Translating(volume, engines, doubt, order, stop)
        yield from work.say_doubts()
        done = yield from work.run()
        if done is None or back is None or not done.finished:
            return done
        return (yield from _with_cycle(done, work.first, back, order, stop))


def _planes_of(card: ModelCard, order: Order) -> tuple[Plane, ...]:
    wanted = order.planes or ("three" if order.doubt == "planes" else card.recipe.planes)
    return PLANES if wanted == "three" else ("axial",)


def _check_models(volume: Volume, cards: list[ModelCard], back: ModelCard | None) -> None:
    """Raises `WrongInput` where one does not take the volume, or they do not lead to one place."""
    for card in cards:
        check_input(volume, card)
    target = cards[0].direction.target
    for card in cards[1:]:
        if card.direction.target is not target:
            raise WrongInput(f"{cards[0].name} makes {target.label}, {card.name} {card.direction.target.label}: nothing to fuse.")
        if card.recipe.intensity(target).nominal != cards[0].recipe.intensity(target).nominal:
            raise WrongInput(f"{cards[0].name} and {card.name} give {target.label} on different scales: they cannot be fused.")
    if back is not None and not (back.direction.source.accepts(target) and back.direction.target.accepts(volume.domain)):
        wanted = cards[0].direction.reverse.label
        raise WrongInput(f"{back.name} translates {back.direction.label}; to see what comes back, take a model for {wanted}.")


def _doubt_of(models: list[LoadedModel], order: Order) -> Doubt:
    """Where the map of uncertainty comes from. Raises `CtmriError` when the model has no such thing."""
    ways = ways_of(models[0].generator)
    if order.doubt == "auto":
        if order.beside:
            return "ensemble"
        return "planes" if len(_planes_of(models[0].card, order)) > 1 else ways[0]
    if order.doubt in _WAYS and order.doubt not in ways:
        raise CtmriError(f"{models[0].card.name} has no {order.doubt} to ask for other answers; it has: {', '.join(ways)}.")
    return order.doubt


class _Translating:
    """The passes of one translation, and what becomes of them. `engines`: the passes of each model by plane."""

    def __init__(self, volume: Volume, engines: Engines, doubt: Doubt, order: Order, stop: StopSignal) -> None:
        self.volume, self.doubt, self.order, self.stop = volume, doubt, order, stop
        self.mains = [one for engine in engines for one in engine.values()]
        first = self.first = self.mains[0]
        target = first.card.direction.target
        shape, background = volume.geometry.shape, first.card.recipe.intensity(target).nominal.low
        self._stored = np.int16 if target is Domain.CT else np.float32
        self._background = background
        spread = doubt in ("planes", "ensemble")
        self.main: Kept | Mean | Median
        if len(self.mains) == 1:
            self.main = Kept(shape, background, self._stored)
        else:
            self.main = fusing(order.fusion, shape, background, spread=spread)
        self.samples = Mean(shape, background, spread=True) if doubt in _WAYS else None
        self.draws: list[Kept] = []
        self.doubts: list[Finding] = []

    def say_doubts(self) -> Work[None]:
        """What speaks against giving this volume to these models."""
        for one in {id(one.card): one for one in self.mains}.values():
            for doubt in doubts_before(self.volume, one.card, one.record):
                self.doubts.append(doubt)
                yield Noted(message=doubt.message, serious=doubt.serious)

    def run(self) -> Work[Translation | None]:
        """Raises what the passes raise."""
        steps = list(self._steps())
        yield self._started(steps)
        course = Course(sum(one.record.count for one, _, _ in steps))
        finished, done = False, 0
        try:
            for number, (one, variation, takers) in enumerate(steps, 1):
                for taker in takers:
                    taker.begin()
                for count in one.run(variation, takers, self.stop):
                    done = course.at(count).done
                    yield course.at(count, f"pass {number} of {len(steps)}" if len(steps) > 1 else "")
                course.next_pass()
            finished = True
        except Stopped:
            if not (self.order.keep_unfinished and done):
                return None
        return self._outcome(done, finished)

    def _steps(self) -> list[_Step]:
        """(pass, how the network is asked, who takes what it says)."""
        asks_again = self.samples is not None and self.doubt == "mirrored" and len(self.mains) == 1
        steps: list[_Step] = []
        for one in self.mains:
            takers: list[Taker] = [self.main]
            if asks_again and self.samples is not None:
                takers.append(self.samples)  # the slices as they are count as one of the samples
            steps.append((one, Variation(), takers))
        if self.samples is None or self.doubt not in _WAYS:
            return steps
        count = min(self.order.samples, MOST_MIRRORED) if self.doubt == "mirrored" else self.order.samples
        begin = 0 if self.doubt == "mirrored" and not asks_again else 1
        for number in range(begin, count if self.doubt == "mirrored" else count + 1):
            takers = [self.samples]
            if len(self.draws) < self.order.draws:
                self.draws.append(Kept(self.volume.geometry.shape, self._background, self._stored))
                takers.append(self.draws[-1])
            steps.append((self.first, Variation(self.doubt, number, self.order.seed), takers))
        return steps

    def _started(self, steps: list[_Step]) -> Started:
        plan, runner = self.first.runner.plan, self.first.runner
        seconds = sum(one.runner.plan.seconds_per_slice * one.record.slices_of_full_size for one, _, _ in steps)
        details = {
            "model": " and ".join(dict.fromkeys(one.card.name for one in self.mains)),
            "device": plan.device,
            "precision": plan.precision,
            "batch": runner.batch,
            **({"patch": runner.patch} if runner.patch else {}),
            **({"passes": len(steps)} if len(steps) > 1 else {}),
            "estimated_memory_mb": round(plan.bytes_per_slice * runner.batch / 1e6),
            "estimated_seconds": round(seconds, 1),
        }
        total = sum(one.record.count for one, _, _ in steps)
        return Started(job=f"translating {self.first.card.direction.label}", total=total, unit="slices", details=details)

    def _outcome(self, done: int, finished: bool) -> Translation:
        findings = self.doubts if finished else [*self.doubts, unfinished(self.mains, done)]
        deviation = self._deviation() if finished else None
        main = self.main
        voxels = main.voxels if isinstance(main, Kept) else as_stored(main.values, self._stored)
        made = self._volume(voxels, findings)
        told = None
        if deviation is not None:
            told = ValueMap.inside("uncertainty", deviation, made.unit, self._what(), self.volume)
            made = with_map(made, told)
        draws = tuple(self._volume(each.voxels, findings, n) for n, each in enumerate(self.draws, 1)) if finished else ()
        return Translation(made, told, None, draws, finished)

    def _volume(self, voxels: Voxels, findings: Sequence[Finding], draw: int = 0) -> Volume:
        voxels = only_inside(voxels, self.order, self._background)
        return synthetic_volume(self.volume, voxels, self.mains, self.order, findings, draw)

    def _deviation(self) -> NDArray[np.float32] | None:
        if self.samples is not None:
            return self.samples.deviation()
        if self.doubt in ("planes", "ensemble") and not isinstance(self.main, Kept):
            return self.main.deviation()
        return None

    def _what(self) -> str:
        """How the map of uncertainty was found."""
        if self.samples is not None and self.doubt in _WAYS:
            return f"standard deviation of {self.samples.passes} {_WAYS[self.doubt]}"
        of = "planes" if self.doubt == "planes" else "models"
        return f"standard deviation of {len(self.mains)} {of}"


def _with_cycle(
    done: Translation, first: OnePass, back: LoadedModel, order: Order, stop: StopSignal
) -> Work[Translation | None]:  # fmt: skip
    """Translates what was made back, and tells how far it is from the source as the model was shown it."""
    source = first.source
    plain = replace(order, planes=None, beside=(), doubt="none", draws=0, back=None, keep_unfinished=False)
    synthetic = replace(done.volume, synthetic=None)  # what there is to say of synthetic sources has no place here
    again = yield from translate_as(synthetic, back, plain, stop)
    if again is None:
        return done if order.keep_unfinished else None
    shown = back.card.recipe.intensity(source.domain).nominal.from_unit(first.record.scale.to_unit(source.voxels))
    values = np.abs(shown - again.volume.voxels)
    told = ValueMap.inside("cycle", values, again.volume.unit, f"translated back by {back.card.name}", source)
    return replace(done, volume=with_map(done.volume, told), cycle=told)


@contextmanager
def _limited_threads(threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(max(1, threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)
