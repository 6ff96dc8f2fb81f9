"""The work of training that the window starts. Heavy modules are reached only when it runs.

Every function is a generator of events to be given to a `Job`; its return value is None when it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.training.orders import Orders
from ctmri_core.training.run_plan import RunPlan

if TYPE_CHECKING:
    from ctmri_core.training.runs import RunSummary


def train_here(plan: RunPlan, folder: Path, resume: bool, orders: Orders, stop: StopSignal) -> Work[Any]:
    """Trains on the thread of the job."""
    yield Progress(done=0, message="starting the training engine")
    from ctmri_core.training.train import resume_training, train

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


def list_runs(folder: Path, _stop: StopSignal) -> Work[tuple[RunSummary, ...]]:
    """The runs in `folder`, newest first."""
    yield Progress(done=0, message="looking for runs")
    from ctmri_core.training.runs import list_runs as listed

    return listed(folder)


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
