"""What a run will take of memory and time, found by a few of its steps in a process of their own; and what to change where that
is too much. No torch.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Finished, Progress, StopSignal, Work
from ctmri_core.files import write_text
from ctmri_core.training.child_process import ChildProcess
from ctmri_core.training.run_plan import RunPlan

TIGHT_SHARE = 0.8
"""Of the free memory: what takes more is near the limit."""
_MOST_SECONDS = 300.0
_TAKEN_SHARE = 0.95  # of what was free: a process that takes more is ended before the system ends another one
_COPIES = 7  # of all weights: themselves, gradients, Adam's two means, and of all but the gradients one to take a step back
_LEAST_CROP = 64
_TRIES = 3


class Estimate(BaseModel):
    """`memory_bytes`: the most a run was seen to take, of the graphics card's memory where it trains there; where it did not
    fit (`fits`), what it had taken by then. Of these, `base_bytes` are the program's and `weights_bytes` one copy of all weights.
    `free_bytes`: what was free before. `seconds_per_step` once it is under way, None where it did not fit. `steps_per_epoch`:
    None where nobody has counted the slices yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    memory_bytes: int = Field(ge=0)
    base_bytes: int = Field(default=0, ge=0)
    weights_bytes: int = Field(default=0, ge=0)
    free_bytes: int = Field(ge=0)
    seconds_per_step: float | None = Field(default=None, ge=0)
    steps_per_epoch: int | None = Field(default=None, ge=1)
    device: str = "cpu"
    fits: bool = True

    @property
    def seconds_per_epoch(self) -> float | None:
        if self.seconds_per_step is None or self.steps_per_epoch is None:
            return None
        return self.seconds_per_step * self.steps_per_epoch

    @property
    def tight(self) -> bool:
        """Whether the memory may not suffice."""
        return not self.fits or self.memory_bytes > TIGHT_SHARE * self.free_bytes


def estimate(
    plan: RunPlan, slices: int | None, stop: StopSignal, *, most_seconds: float = _MOST_SECONDS
) -> Work[Estimate | None]:
    """Works a few real steps of `plan` on random pictures, in a process of its own (`ctmri train ... --estimate`).

    `slices`: how many there are to learn from, None where nobody knows. None when stopped: the process is killed, also where it
    takes longer than `most_seconds` or nearly all memory that was free. Raises `TrainingFailed` for a plan that cannot be
    trained or takes too long.
    """
    begun, free = time.monotonic(), free_memory()
    yield Progress(done=0, message="trying a few steps")
    with tempfile.TemporaryDirectory(prefix="ctmri-") as private:
        settings = Path(private) / "settings.json"
        write_text(settings, json.dumps(plan.stored()))
        words = [sys.executable, "-m", "ctmri_core.cli", "train", plan.card.name, "--config", str(settings)]
        with ChildProcess([*words, "--estimate", "--json"]) as child:
            end: Finished | None = None
            while (event := child.next_event()) is not None or child.running:
                if isinstance(event, Finished):
                    end = event
                if stop():
                    return None
                if (taken := _memory_of(child.number)) > _TAKEN_SHARE * free:
                    return _counted(Estimate(memory_bytes=taken, free_bytes=free, fits=False), plan, slices)
                if time.monotonic() - begun > most_seconds:
                    raise TrainingFailed(f"Trying a few steps took longer than {most_seconds:.0f} s. Choose smaller settings.")
                yield Progress(done=0, message="trying a few steps")
            found = next(_estimates(child.log), None)
            if found is None and child.killed:
                return _counted(Estimate(memory_bytes=free, free_bytes=free, fits=False), plan, slices)
            if found is None:
                raise TrainingFailed(end.message if end else f"Trying a few steps ended with {child.how_it_ended()}.")
    return _counted(found, plan, slices)


def fitting(
    plan: RunPlan, found: Estimate, slices: int | None, stop: StopSignal
) -> Work[tuple[dict[str, dict[str, Any]], Estimate] | None]:
    """`smaller`, tried: changes with which the run was seen to fit, and the estimate with them. None when stopped.

    Raises `TrainingFailed` where nothing helps.
    """
    changes: dict[str, dict[str, Any]] = {}
    for _ in range(_TRIES):
        further = smaller(with_changes(plan, changes), found)
        if not further:
            break
        changes = {table: {**changes.get(table, {}), **further.get(table, {})} for table in (*changes, *further)}
        tried = yield from estimate(with_changes(plan, changes), slices, stop)
        if tried is None:
            return None
        found = tried
    if found.tight:
        raise TrainingFailed("No smaller crop, batch or network of this method fits the free memory. Close other programs.")
    return changes, found


def smaller(plan: RunPlan, estimate: Estimate) -> dict[str, dict[str, Any]]:
    """What to change of `plan`, by table (`settings`, `config`), so that it fits what is free: fewer slices at a time, which
    makes all but the same step; then a smaller crop; then narrower networks. Empty where it fits already, or nothing helps.

    What layers hold is taken to grow with slices, pixels and width; measure again to be sure, or let `fitting` do it.
    """
    if not estimate.tight:
        return {}
    room = TIGHT_SHARE * estimate.free_bytes
    weights = _COPIES * estimate.weights_bytes
    taken = estimate.memory_bytes if estimate.fits else max(estimate.memory_bytes, int(1.5 * estimate.free_bytes))
    layers = max(taken - estimate.base_bytes - weights, 0)
    least: dict[str, dict[str, Any]] = {}
    for changes, slices, pixels, width in _steps_down(plan):
        if estimate.base_bytes + weights * width**2 + layers * slices * pixels * width <= room:
            return changes
        least = changes
    return least


def with_changes(plan: RunPlan, changes: Mapping[str, Mapping[str, Any]]) -> RunPlan:
    """`plan` with `changes` as `smaller` gives them. Raises `CtmriError` naming the setting."""
    stored = plan.stored()
    return RunPlan.read({**stored, **{table: {**stored[table], **values} for table, values in changes.items()}})


def free_memory() -> int:
    """Bytes that a program may take now: of the machine, of the control group that it runs in, or of what the system allows one
    process (`ulimit -v`), whatever is least.
    """
    free = min(int(psutil.virtual_memory().available), _allowed())
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError, KeyError):  # another system, or no limit ("max")
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        free = min(free, max(limit - used + int(facts["inactive_file"]), 0))
    return free


def _allowed() -> int:
    """Bytes that a process like this one may hold: of the addresses it may have, some hold nothing."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    most, own = resource.getrlimit(resource.RLIMIT_AS)[0], psutil.Process().memory_info()
    return sys.maxsize if most == resource.RLIM_INFINITY else max(most - own.vms + own.rss, 0)


def _steps_down(plan: RunPlan) -> Iterator[tuple[dict[str, dict[str, Any]], float, float, float]]:
    """Ever smaller plans: what to change, and the share of slices at a time, of pixels, and of the width that is left."""
    settings, own = plan.settings, plan.settings.batch_size // plan.settings.processes
    before, parts = -(-own // settings.accumulate), settings.accumulate
    changed: dict[str, Any] = {}
    for parts in (n for n in range(settings.accumulate + 1, own + 1) if own % n == 0):
        changed = {"accumulate": parts}
        yield {"settings": dict(changed)}, -(-own // parts) / before, 1.0, 1.0
    slices, pixels = -(-own // parts) / before, 1.0
    for crop in _crops(plan):
        changed, pixels = {**changed, "crop": crop}, (crop / settings.crop) ** 2
        yield {"settings": dict(changed)}, slices, pixels, 1.0
    for width, narrower in _widths(plan):
        yield {**({"settings": changed} if changed else {}), "config": narrower}, slices, pixels, width


def _crops(plan: RunPlan) -> Iterator[int]:
    """Smaller crops that the networks take, by quarters."""
    multiple = plan.config.size_multiple
    sizes = {int(plan.settings.crop * share) // multiple * multiple for share in (0.75, 0.5, 0.375, 0.25, 0.1875, 0.125)}
    for crop in sorted(sizes, reverse=True):
        with suppress(TrainingFailed):
            plan.config.for_crop(crop)
            if crop >= _LEAST_CROP:
                yield crop


def _widths(plan: RunPlan) -> Iterator[tuple[float, dict[str, int]]]:
    """Half the width of the networks, where the method lets it be chosen, and half of that again."""
    names = [name for name in type(plan.config).model_fields if name == "width" or name.endswith("_width")]
    for share in (0.5, 0.25):
        narrower = {name: int(getattr(plan.config, name) * share) for name in names}
        if names:
            with suppress(ValidationError):
                type(plan.config).model_validate({**plan.config.model_dump(), **narrower})
                yield share, narrower


def _counted(found: Estimate, plan: RunPlan, slices: int | None) -> Estimate:
    """With the steps of an epoch of `slices`, where they are known."""
    if slices is None:
        return found
    return found.model_copy(update={"steps_per_epoch": max(slices // plan.settings.batch_size, 1)})


def _memory_of(process: int) -> int:
    with suppress(psutil.Error):
        return int(psutil.Process(process).memory_info().rss)
    return 0


def _estimates(lines: Iterator[str] | Any) -> Iterator[Estimate]:
    for line in lines:
        with suppress(ValidationError):
            yield Estimate.model_validate_json(line)
