"""The runs in a folder: of what, how far, how good, and whether they can go on. No torch."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from os import SEEK_END
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ctmri_core.errors import CtmriError, TrainingFailed
from ctmri_core.events import Event, Finished, Started, Step, Validated, from_json
from ctmri_core.files import write_failed
from ctmri_core.folder_lock import is_held
from ctmri_core.model_card import LAST
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan

_TAIL_BYTES = 64 * 1024
State = Literal["running", "completed", "stopped", "failed", "crashed", "interrupted", "unreadable"]
"""`interrupted`: nobody trains it and it did not say that it ended: the program or the power went."""


@dataclass(frozen=True)
class RunSummary:
    """One row of the history. `plan`: None when it cannot be read, `message` then says why; `seconds`: trained so far;
    `best`: of the best validation; `models`: files in the run's folder, best ones first."""

    folder: Path
    plan: RunPlan | None
    begun: datetime
    state: State
    message: str = ""
    iteration: int = 0
    seconds: float = 0.0
    best: Validated | None = None
    models: tuple[Path, ...] = ()

    @property
    def can_go_on(self) -> bool:
        return self.plan is not None and self.state in ("stopped", "failed", "crashed", "interrupted")

    @property
    def own_best(self) -> tuple[str, float] | None:
        """Name and value of the metric by which the best model was kept, in the run's own direction."""
        return None if self.best is None or self.plan is None else own_score(self.best, self.plan)


def own_score(validated: Validated, plan: RunPlan) -> tuple[str, float] | None:
    """Name and value of the metric by which the best model of `plan` is kept, in its own direction."""
    metric, way = plan.settings.best_metric, f"{plan.direction.name}/"
    own = ((name.removeprefix(way), value) for name, value in validated.metrics.items())
    return next(((name, value) for name, value in own if name.startswith(metric)), None)


def list_runs(folder: Path) -> tuple[RunSummary, ...]:
    """Every folder in `folder` that holds a run's settings, newest first. A damaged one is listed with what is wrong."""
    if not folder.is_dir():
        return ()
    found = [summary_of(each) for each in sorted(folder.iterdir()) if RunFolder(each).config.is_file()]
    return tuple(sorted(found, key=lambda run: run.begun, reverse=True))


def summary_of(path: Path) -> RunSummary:
    """What the run folder `path` tells of itself."""
    folder = RunFolder(path)
    begun = datetime.fromtimestamp(folder.config.stat().st_mtime).astimezone()
    models = tuple(sorted(folder.models.glob("*.safetensors"), key=lambda file: (file.stem.endswith(LAST), file.name)))
    try:
        plan = RunPlan.read(folder.read_config())
    except CtmriError as error:
        return RunSummary(path, None, begun, "unreadable", str(error), models=models)
    first: Started | None = None
    best: Validated | None = None
    last: Step | None = None
    end: Finished | None = None
    for event in _milestones(folder.events):
        match event:
            case Validated(best=True):
                best = event
            case Step():
                last = event
            case Finished():
                end = event
            case Started():
                first, end = first or event, None
    state: State = "running" if is_held(path) else end.reason if end is not None else "interrupted"
    if first is not None and first.at is not None:  # the settings are written anew when a run is resumed
        begun = first.at.astimezone()
    iteration, seconds = (last.iteration, last.elapsed or 0.0) if last else (0, 0.0)
    return RunSummary(path, plan, begun, state, end.message if end else "", iteration, seconds, best, models)


def interrupted_runs(folder: Path) -> tuple[Path, ...]:
    """Runs that nobody trains and that did not say that they ended, newest first; only the last words of each are read."""
    if not folder.is_dir():
        return ()
    found = [each for each in folder.iterdir() if RunFolder(each).events.is_file() and RunFolder(each).config.is_file()]
    broken = [each for each in found if not _said_its_end(RunFolder(each).events) and not is_held(each)]
    return tuple(sorted(broken, key=lambda each: RunFolder(each).events.stat().st_mtime, reverse=True))


def delete_run(path: Path) -> None:
    """Deletes a run's folder. Raises `TrainingFailed` when it is none or goes on, `WriteFailed` when files stay."""
    if not RunFolder(path).config.is_file():
        raise TrainingFailed(f"{path.name} is no folder of a run; nothing was deleted.")
    if is_held(path):
        raise TrainingFailed(f"The run in {path.name} goes on. Stop it before it is deleted.")
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise write_failed(path, error) from error


def _said_its_end(events: Path) -> bool:
    with events.open("rb") as handle:
        handle.seek(max(handle.seek(0, SEEK_END) - _TAIL_BYTES, 0))
        lines = handle.read().splitlines()
    return bool(lines) and b'"kind":"finished"' in lines[-1]


def _milestones(path: Path) -> Iterator[Event]:
    """The events but for steps, of which the last ones; a line cut short is left out."""
    if not path.exists():
        return
    steps: deque[str] = deque(maxlen=2)  # the last line may be cut short
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith('{"kind":"step"'):
                steps.append(line)
            elif line.startswith(('{"kind":"validated"', '{"kind":"finished"', '{"kind":"started"')):
                yield from _read(line)
    for line in steps:
        yield from _read(line)


def _read(line: str) -> Iterator[Event]:
    try:
        yield from_json(line)
    except ValidationError:
        return
