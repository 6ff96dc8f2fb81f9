"""A few real steps of a run on random pictures: what they take of memory and time. For a process of its own."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import torch

from ctmri_core.data.preparation import PreparedData, prepared_folder
from ctmri_core.data.prepared_slices import PreparedCase, PreparedSlices
from ctmri_core.domain import Domain
from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Finished, Noted, Progress, Step, StopSignal, Work
from ctmri_core.model_card import TrainingData
from ctmri_core.preprocess.recipe import Recipe
from ctmri_core.training.estimate import Estimate, free_memory
from ctmri_core.training.processes import choose_device
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import LENGTHS, TrainingSettings
from ctmri_core.training.trainer import Trainer

_STEPS = 12
_ENOUGH_S, _SLOW_S = 3.0, 20.0
_WHOLE_SLICE = 256
"""Pixels of the random pictures: as many as a head has at 1 mm, since whole slices are what is validated on."""


def measured(plan: RunPlan, stop: StopSignal) -> Work[Estimate | None]:
    """Trains for some seconds in a temporary folder. None when stopped. Raises `TrainingFailed` for a plan that cannot be."""
    settings, config = _brief(plan.settings), plan.config.for_crop(plan.settings.crop)
    device = choose_device(settings)
    free, base = _free_and_taken(device)
    with tempfile.TemporaryDirectory(prefix="ctmri-") as private:
        data = _random_data(plan, Path(private), settings.batch_size)
        trainer = Trainer(plan.card, config, data, Path(private) / "run", settings, about=plan.about)
        pace = _Pace()
        message = yield from _until_known(trainer, pace, stop)
    if stop():
        return None
    if message and "memory" not in message:
        raise TrainingFailed(message)
    peak, weights = _peak(device), _weights(trainer)
    whole = Estimate(
        memory_bytes=peak, base_bytes=base, weights_bytes=weights, free_bytes=free, device=device.type,
        seconds_per_step=pace.seconds, steps_per_epoch=_steps_per_epoch(plan),
    )  # fmt: skip
    if "memory" in message or (weights and trainer.parts > settings.accumulate):  # less than was asked for, at a time
        return whole.model_copy(update={"fits": False, "seconds_per_step": None})
    return whole


def peak_memory() -> int:
    """Bytes of memory that this process had at most. (On Linux `getrusage` tells that of the one that started it, if larger.)"""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class _Pace:
    """Seconds of steps under way; the first one, which makes everything ready, does not count."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self.known = False

    def hear(self, step: Step) -> None:
        if step.iteration > 1:
            self._seconds.append(step.seconds)
        elapsed = step.elapsed or 0.0
        self.known = (step.iteration >= 3 and elapsed > _ENOUGH_S) or (step.iteration >= 2 and elapsed > _SLOW_S)

    @property
    def seconds(self) -> float | None:
        return statistics.median(self._seconds) if self._seconds else None


def _until_known(trainer: Trainer, pace: _Pace, stop: StopSignal) -> Work[str]:
    """Why training failed, where it did."""
    message = ""
    for event in trainer.run(lambda: stop() or pace.known):
        if isinstance(event, Step):
            pace.hear(event)
            yield Progress(done=event.iteration, unit="steps", message="trying a few steps")
        elif isinstance(event, Finished) and event.reason == "failed":
            message = event.message
        elif isinstance(event, Noted) and trainer.parts > trainer.settings.accumulate:
            pace.known = True  # it does not fit as it was asked for: further steps would take long and say nothing more
    return message


def _brief(settings: TrainingSettings) -> TrainingSettings:
    """For a few steps of one process, with one slice to be validated on."""
    own = {"devices": 1, "nodes": 1, "batch_size": settings.batch_size // settings.processes}
    return settings.model_copy(
        update={
            **dict.fromkeys(LENGTHS), **own, "iterations": _STEPS, "validate_every": 10**9, "validation_slices": 1,
            "checkpoint_seconds": 86_400.0, "start_from": "",
        }
    )  # fmt: skip


def _random_data(plan: RunPlan, folder: Path, batch_size: int) -> PreparedData:
    """Noise in all domains that the method learns, a square of body in it."""
    config, domains = plan.config, plan.config.domains_of(plan.direction)
    edge = -(-max(plan.settings.crop, _WHOLE_SLICE) // config.size_multiple) * config.size_multiple
    cases = [_random_case(folder / f"{name}.npy", domains, max(count, config.context), edge) for name, count in
             (("train", batch_size), ("validation", 1))]  # fmt: skip
    slices = [
        PreparedSlices([case], domains, paired=paired, context=config.context, multiple=config.size_multiple)
        for case, paired in zip(cases, (plan.card.paired, True), strict=True)
    ]
    facts = TrainingData(what="random pictures", licence="none needed", cases=1)
    return PreparedData("random", plan.direction, Recipe(multiple=config.size_multiple), slices[0], slices[1], facts)


def _random_case(file: Path, domains: Sequence[Domain], count: int, edge: int) -> PreparedCase:
    random = np.random.default_rng(0)
    planes = np.empty((count, len(domains) + 1, edge, edge), np.float16)
    for place in range(count):
        planes[place] = random.uniform(-1, 1, planes.shape[1:])
    planes[:, -1] = 0
    planes[:, -1, edge // 8 : -edge // 8, edge // 8 : -edge // 8] = 1
    for place, domain in enumerate(domains):
        if domain is Domain.MASK:
            planes[:, place] = planes[:, -1]
    np.save(file, planes)
    return PreparedCase(file, tuple(domains))


def _free_and_taken(device: torch.device) -> tuple[int, int]:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]), 0
    return free_memory(), int(psutil.Process().memory_info().rss)


def _peak(device: torch.device) -> int:
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else peak_memory()


def _weights(trainer: Trainer) -> int:
    """Bytes; 0 where there was no room to make the networks."""
    networks = trainer.method.networks.values() if hasattr(trainer, "method") else ()
    return sum(each.numel() * each.element_size() for network in networks for each in network.parameters())


def _steps_per_epoch(plan: RunPlan) -> int | None:
    """Where the data are prepared already."""
    folder = prepared_folder(plan.data)
    if folder is None:
        return None
    domains = plan.config.domains_of(plan.direction)
    cases = [case for case in folder.read().cases if case.side == "train"]
    if plan.card.paired:
        slices = sum(case.counted for case in cases if set(domains) <= set(case.domains))
    else:
        slices = max(sum(case.counted for case in cases if domain in case.domains) for domain in domains)
    return max(slices // plan.settings.batch_size, 1)
