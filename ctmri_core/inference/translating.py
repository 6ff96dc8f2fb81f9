"""The passes of one translation, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import Stopped
from ctmri_core.events import Noted, Started, StopSignal, Work
from ctmri_core.inference.course import Course
from ctmri_core.inference.cycle import WayBack
from ctmri_core.inference.fusion import Kept, Mean, Median, Stored, Taker, fusing
from ctmri_core.inference.input_doubts import doubts_before
from ctmri_core.inference.one_pass import OnePass
from ctmri_core.inference.order import Doubt, Order
from ctmri_core.inference.outcome import in_patches, only_inside, synthetic_volume, unfinished, with_details, with_map
from ctmri_core.inference.precision import usable_memory
from ctmri_core.inference.sampling import MOST_MIRRORED, Variation, Way
from ctmri_core.inference.value_map import Kind, ValueMap
from ctmri_core.model_file import LoadedModel
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.recognition.slice_flags import slice_flags
from ctmri_core.volume import Finding, Volume

WAYS: dict[Way, str] = {
    "mirrored": "mirrored and shifted slices",
    "dropout": "patterns of dropout",
    "latent": "samples of the latent",
}
_Step = tuple[OnePass, Variation, list[Taker]]


@dataclass(frozen=True, eq=False)
class Translation:
    """`draws`: other answers that are as plausible; `finished`: whether it was not stopped on the way."""

    volume: Volume
    uncertainty: ValueMap | None = None
    cycle: ValueMap | None = None
    draws: tuple[Volume, ...] = ()
    finished: bool = True


class Translating:
    """`mains`: the passes that make the picture; `beside`: those that only tell how far planes differ; `doubt`: where the map of
    uncertainty comes from; `back`: gives the cycle map."""

    def __init__(
        self, mains: Sequence[OnePass], beside: Sequence[OnePass], doubt: Doubt, back: LoadedModel | None,
        order: Order, stop: StopSignal,
    ) -> None:  # fmt: skip
        self._mains, self._beside, self._doubt, self._order, self._stop = mains, beside, doubt, order, stop
        self._first = mains[0]
        self._source = self._first.source
        self._body = order.body
        if order.body is None and (doubt != "none" or back is not None):
            self._body = body_mask(self._source)  # found now: that takes two volumes' memory, which is free before passes begin
        target = self._first.card.direction.target
        shape, self._background = self._source.geometry.shape, self._first.card.recipe.intensity(target).nominal.low
        self._stored: Stored = np.int16 if target is Domain.CT else np.float32
        of_mains = doubt in ("planes", "ensemble") and not beside
        self._picture: Kept | Mean | Median = Kept(shape, self._background, self._stored)
        if len(mains) > 1:
            self._picture = fusing(order.fusion, shape, self._background, spread=of_mains)
        self._samples = Mean(shape, self._background, spread=True) if doubt != "none" and not of_mains else None
        self._draws: list[Kept] = []
        self._doubts: list[Finding] = []
        self._way_back = None if back is None else WayBack(back, self._first, order)

    def say_doubts(self) -> Work[None]:
        """What speaks against giving this volume to these models; cut short when stopped."""
        for one in {id(one.card): one for one in self._mains}.values():
            if self._stop():
                return
            for doubt in doubts_before(self._source, one.card, one.record):
                self._doubts.append(doubt)
                yield Noted(message=doubt.message, serious=doubt.serious)
        for words in self._without_effect():
            yield Noted(message=words)
        held, free = self._held_bytes(), usable_memory("cpu")
        if held > free:
            words = f"The answers take about {held / 1e9:.1f} GB of memory and {max(free, 0) / 1e9:.1f} GB are free for them."
            yield Noted(message=f"{words} Ask for fewer planes, draws or maps, or the mean instead of the median.", serious=True)

    def _without_effect(self) -> Iterator[str]:
        """Of what was asked for."""
        order, doubt = self._order, self._doubt
        if order.fusion == "median" and len(self._mains) == 1:
            yield "One model along one plane gives one answer, so there is no median to be taken."
        if order.seed and doubt not in ("dropout", "latent"):
            yield "The seed changes nothing: only dropout and latents are drawn by chance."
        if doubt == "mirrored" and order.samples > MOST_MIRRORED:
            yield f"There are {MOST_MIRRORED} answers of mirrored and shifted slices; so many are asked for."
        elif doubt in ("planes", "ensemble") and order.samples != Order.samples:
            yield "The number of samples changes nothing: every model and plane answers once."

    def _held_bytes(self) -> int:
        """Of whole volumes of answers, as long as passes go on and until they are one."""
        kept = np.dtype(self._stored).itemsize
        volumes = kept * (1 + self._order.draws) if len(self._mains) == 1 else 4 + kept + kept * self._order.draws
        if isinstance(self._picture, Median):
            volumes += 4 * (len(self._mains) - 1)
        maps = (self._doubt != "none") + (self._samples is not None) + (self._way_back is not None)
        return (volumes + 4 * maps) * int(np.prod(self._source.geometry.shape))

    def run(self) -> Work[Translation | None]:
        """None when stopped with nothing to keep. Raises what the passes raise."""
        steps = self._steps()
        back = self._way_back
        total = sum(one.record.count for one, _, _ in steps) + (back.count if back else 0)
        if self._stop():  # what was asked of a large volume took a second, and timing the way back takes another
            return None
        yield self._started(steps, total)
        course = Course(total, len(steps))
        try:
            for one, variation, takers in steps:
                yield from self._pass(one, variation, takers, course)
        except Stopped:
            if not (self._order.keep_unfinished and course.done):
                return None
            if course.whole < len(self._mains):
                self._picture.give_up()
            return self._outcome(course.done)
        made = self._outcome(None)
        if back is None:
            return made
        return (yield from self._with_cycle(made, back, course))

    def _steps(self) -> list[_Step]:
        """(pass, how the network is asked, who takes what it says); those of the picture first."""
        samples = self._samples
        steps: list[_Step] = [(one, Variation(), [self._picture]) for one in self._mains]
        if samples is None:
            return steps
        if self._doubt not in WAYS:
            for _, _, takers in steps:
                takers.append(samples)
            return steps + [(one, Variation(), [samples]) for one in self._beside]
        count = self._order.samples
        if self._doubt == "mirrored":
            steps[0][2].append(samples)  # the slices as they are count as one of the samples
            count = min(count, MOST_MIRRORED) - 1
        for number in range(1, count + 1):
            takers = [samples]
            if number <= self._order.draws:
                self._draws.append(Kept(self._source.geometry.shape, self._background, self._stored))
                takers.append(self._draws[-1])
            steps.append((self._first, Variation(self._doubt, number, self._order.seed), takers))
        return steps

    def _pass(self, one: OnePass, variation: Variation, takers: list[Taker], course: Course) -> Work[None]:
        runner = one.runner
        before = runner.batch, runner.patch
        for count in one.run(variation, takers, self._stop):
            if (runner.batch, runner.patch) != before:
                before = runner.batch, runner.patch
                patches = f", in patches of {runner.patch} pixels" if runner.patch else ""
                yield Noted(message=f"Memory did not suffice; going on with {runner.batch} at a time{patches}.")
            yield course.at(count)
        course.pass_is_whole()

    def _started(self, steps: list[_Step], total: int) -> Started:
        plan, runner = self._first.runner.plan, self._first.runner
        seconds = sum(one.runner.plan.seconds_per_slice * one.record.slices_of_full_size for one, _, _ in steps)
        if self._way_back:
            seconds += self._way_back.seconds()
        passes = len(steps) + (1 if self._way_back else 0)
        details = {
            "model": " and ".join(dict.fromkeys(one.card.name for one in self._mains)),
            "device": plan.device,
            "precision": plan.precision,
            "batch": runner.batch,
            **({"patch": runner.patch} if runner.patch else {}),
            **({"passes": passes} if passes > 1 else {}),
            "estimated_memory_mb": round(max(one.runner.estimated_bytes(one.record.slice_shape) for one, _, _ in steps) / 1e6),
            "estimated_seconds": round(seconds, 1),
        }
        return Started(job=f"translating {self._first.card.direction.label}", total=total, unit="slices", details=details)

    def _outcome(self, stopped_after: int | None) -> Translation:
        """`stopped_after`: so many slices; None when all passes are whole."""
        finished = stopped_after is None
        what, deviation = self._what(), self._deviation() if finished else None
        self._samples = None  # their mean is wanted by nobody
        flags = slice_flags(self._source, self._first.record, self._first.card)
        findings = [*self._doubts, *in_patches(self._mains, self._order), *([flags.finding] if flags.finding else [])]
        if stopped_after is not None:
            findings.append(unfinished(self._mains, stopped_after))
        made = self._volume(self._picture.fused(self._stored), findings)
        made = with_details(made, slice_flags=flags.details)
        told = None
        if deviation is not None:
            told = self._map("uncertainty", deviation, made.unit, what)
            made = with_map(made, told)
        draws = tuple(self._volume(each.voxels, findings, n) for n, each in enumerate(self._draws, 1)) if finished else ()
        return Translation(made, told, None, draws, finished)

    def _with_cycle(self, made: Translation, back: WayBack, course: Course) -> Work[Translation | None]:
        try:
            differences = yield from back.differences(made.volume, course, self._stop)
        except Stopped:
            differences = None
        if differences is not None:
            told = self._map("cycle", differences, back.unit, back.what)
            return Translation(with_map(made.volume, told), made.uncertainty, told, made.draws, made.finished)
        if not self._order.keep_unfinished:
            return None
        volume = replace(made.volume, findings=(*made.volume.findings, unfinished(self._mains, course.done)))
        return Translation(volume, made.uncertainty, None, made.draws, False)

    def _volume(self, voxels: NDArray[np.int16] | NDArray[np.float32], findings: Sequence[Finding], draw: int = 0) -> Volume:
        voxels = only_inside(voxels, self._order, self._background)
        return synthetic_volume(self._source, voxels, self._mains, self._order, findings, draw)

    def _map(self, kind: Kind, values: NDArray[np.float32], unit: str, what: str) -> ValueMap:
        assert self._body is not None
        if self._order.body is not None:
            values[~self._body] = 0.0
        return ValueMap.inside(kind, values, unit, what, self._body, self._source.geometry)

    def _deviation(self) -> NDArray[np.float32] | None:
        if self._samples is not None:
            return self._samples.deviation()
        return self._picture.deviation() if self._doubt != "none" and not isinstance(self._picture, Kept) else None

    def _what(self) -> str:
        """How the map of uncertainty was found."""
        models, planes = len({id(one.card) for one in self._mains}), {one.plane for one in (*self._mains, *self._beside)}
        if self._doubt in WAYS and self._samples is not None:
            along = " along axial slices" if len(planes) > 1 else ""
            of = f" of {self._first.card.name}" if models > 1 else ""
            return f"standard deviation of {self._samples.passes} {WAYS[self._doubt]}{of}{along}"
        if models == 1 or len(planes) == 1:
            return f"standard deviation of {f'{models} models' if models > 1 else f'{len(planes)} planes'}"
        return f"standard deviation of {models * len(planes)} answers, of {models} models along {len(planes)} planes"
