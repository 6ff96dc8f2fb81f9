"""The runs of this user: the one that goes on, and those before. Knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Finished
from ctmri_core.resources_folder import user_runs_folder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.run_places import remember_place, run_places
from ctmri_gui.settings import Settings
from ctmri_gui.training import training_work
from ctmri_gui.training.live_run import LiveRun, Where
from ctmri_gui.training.where import best_place

if TYPE_CHECKING:
    from ctmri_core.training.runs import RunSummary

ONE_AT_A_TIME = "A run goes on already. Stop it, or wait until it ends, then start this one."


class Trainings(QObject):
    """Starts and lists runs. `live` is the one that goes on; `runs` all in `folder`, where new ones are kept unless told, and in
    those that `settings` remember, newest first.
    """

    listed = Signal()
    begun = Signal(object)  # LiveRun
    ended = Signal(object, object)  # LiveRun, Finished
    failed = Signal(str)

    def __init__(
        self, jobs: Jobs, folder: Path | None = None, parent: QObject | None = None, *, settings: Settings | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs, self._settings = jobs, settings
        self.folder = folder if folder is not None else user_runs_folder()
        self.live: LiveRun | None = None
        self._over: LiveRun | None = None
        self.runs: tuple[RunSummary, ...] = ()

    @property
    def jobs(self) -> Jobs:
        """Where all its work runs."""
        return self._jobs

    def start(self, plan: RunPlan, folder: Path, where: Where) -> LiveRun | None:
        """Begins a new run in `folder`; None, and `failed`, while another goes on."""
        return self._begin(LiveRun(plan, folder, where, parent=self), resume=False)

    def resume(self, folder: Path, where: Where | None = None) -> None:
        """Goes on with the run in `folder` once it is read; `begun` or `failed` tells. `where`: None takes the best place."""
        if self.live is not None:
            self.failed.emit(ONE_AT_A_TIME)
            return

        def go_on(read: tuple[RunPlan, RunRecord]) -> None:
            plan, record = read
            place = where or best_place(plan, broke_off=record.finished is None).where
            self._begin(LiveRun(plan, folder, place, record=record, parent=self), resume=True)

        def say(end: Finished) -> None:
            if end.reason in ("failed", "crashed"):
                self.failed.emit(end.message)

        work = partial(training_work.read_to_resume, folder)
        self._jobs.run("Read the run", work, on_result=go_on, on_end=say, listed=False)

    def refresh(self) -> None:
        """Reads the folder of runs again."""
        elsewhere = run_places(self._settings) if self._settings is not None else ()
        folders = tuple(dict.fromkeys((self.folder, *elsewhere)))
        self._jobs.run("List runs", partial(training_work.list_runs, folders), on_result=self._take, listed=False)

    def delete(self, folders: Sequence[Path]) -> None:
        """Deletes runs for good; whoever asks for it has asked the user before. The one that goes on is left."""
        going_on = self.live.folder if self.live is not None else None
        doomed = tuple(folder for folder in folders if folder != going_on)
        self._jobs.run("Delete runs", partial(training_work.delete_runs, doomed), on_end=lambda _: self.refresh(), listed=False)

    def _begin(self, run: LiveRun, *, resume: bool) -> LiveRun | None:
        if self.live is not None:
            self.failed.emit(ONE_AT_A_TIME)
            return None
        work = training_work.train_here if run.where == "thread" else training_work.train_apart
        self.live = run
        run.ended.connect(partial(self._ended, run))
        run.begin(self._jobs, partial(work, run.plan, run.folder, resume, run.orders))
        if self._settings is not None and run.folder.parent != self.folder:
            remember_place(self._settings, run.folder.parent)
        self.begun.emit(run)
        if self._over is not None:  # nobody shows it any more: a long run's record is large
            self._over.deleteLater()
            self._over = None
        return run

    def _ended(self, run: LiveRun, end: Finished) -> None:
        self.live, self._over = None, run
        self.ended.emit(run, end)
        self.refresh()

    def _take(self, runs: tuple[RunSummary, ...]) -> None:
        self.runs = runs
        self.listed.emit()
