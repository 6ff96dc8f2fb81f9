"""The work of training that the window starts. Heavy modules are reached only when it runs.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.training.orders import Orders
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord

if TYPE_CHECKING:
    from ctmri_core.training.runs import RunSummary


def train_here(plan: RunPlan, folder: Path, resume: bool, orders: Orders, stop: StopSignal) -> Work[Any]:
    """Trains on the thread of the job, and leaves room to the window meanwhile."""
    yield Progress(done=0, message="starting the training engine")
    from ctmri_core.training.beside_others import leaving_room
    from ctmri_core.training.train import resume_training, train

    with leaving_room():
        if resume:
            return (yield from resume_training(folder, stop=stop, orders=orders))
        return (
            yield from train(
                plan.card.name, plan.config, plan.data, plan.direction, folder, plan.settings,
                about=plan.about, stop=stop, orders=orders,
            )
        )  # fmt: skip


def train_apart(plan: RunPlan, folder: Path, resume: bool, orders: Orders, stop: StopSignal) -> Work[Any]:
    """Trains in a process of its own; the same events."""
    yield Progress(done=0, message="starting a process")
    from ctmri_core.training.other_process import train_in_process

    return (yield from train_in_process(plan, folder, resume=resume, orders=orders, stop=stop))


def read_to_resume(folder: Path, _stop: StopSignal) -> Work[tuple[RunPlan, RunRecord]]:
    """What the run in `folder` was started with, and what it has said so far. Raises `CtmriError`."""
    yield Progress(done=0, message="reading the run")
    run = RunFolder(folder)
    plan = RunPlan.read(run.read_config())
    return plan, RunRecord.of(run.read_events())


def fit_memory(folder: Path, stop: StopSignal) -> Work[tuple[RunPlan, RunPlan] | None]:
    """The plan of the run in `folder`, and one like it that fits the free memory. Raises `CtmriError` where nothing helps."""
    from ctmri_core.training.estimate import estimate, fitting, smaller, with_changes

    plan = RunPlan.read(RunFolder(folder).read_config())
    found = yield from estimate(plan, None, stop)
    if found is None:
        return None
    if not found.tight:  # it did not suffice all the same: what was free then is not free now
        found = found.model_copy(update={"fits": False, "free_bytes": min(found.free_bytes, found.memory_bytes)})
        return plan, with_changes(plan, smaller(plan, found))
    fits = yield from fitting(plan, found, None, stop)
    return None if fits is None else (plan, with_changes(plan, fits[0]))


def list_runs(folders: Sequence[Path], _stop: StopSignal) -> Work[tuple[RunSummary, ...]]:
    """The runs in `folders`, newest first; one that cannot be looked into, such as on a disk that is away, holds none."""
    yield Progress(done=0, message="looking for runs")
    from ctmri_core.training.runs import list_runs as listed

    found: list[RunSummary] = []
    for folder in folders:
        with suppress(OSError):
            found += listed(folder)
    return tuple(sorted(found, key=lambda run: run.begun, reverse=True))


def delete_runs(folders: Sequence[Path], stop: StopSignal) -> Work[int]:
    """Deletes run folders for good; how many."""
    from ctmri_core.training.runs import delete_run

    deleted = 0
    for folder in folders:
        if stop():
            break
        yield Progress(done=deleted, total=len(folders), unit="runs", message="deleting")
        delete_run(folder)
        deleted += 1
    return deleted
