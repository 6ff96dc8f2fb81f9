"""The batch of a window: begun, stopped, taken up again, and single cases of it that a person decided about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Domain
from ctmri_core.events import CaseTold, Event, Finished
from ctmri_gui.batch import batch_work
from ctmri_gui.batch.batch_work import Wanted
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState


class Batch(QObject):
    """One at a time, as one job in the tray. What it translates on a person's word runs beside it: no case is done twice.

    `listed`: the cases that a folder of results holds; `told`: how one stands now; `changed`: it begins, goes on or ends;
    `ended`: how.
    """

    listed = Signal(object)  # tuple[CaseTold, ...]
    told = Signal(object)  # CaseTold
    changed = Signal()
    ended = Signal(object)  # Finished

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._reading = Latest(jobs)
        self.state: JobState | None = None
        self._answers: list[JobState] = []
        self.wanted: Wanted | None = None
        self.show: Callable[[], None] | None = None
        jobs.changed.connect(self._follow)

    @property
    def running(self) -> bool:
        return self.state is not None and self.state.running

    @property
    def busy(self) -> bool:
        """Whether anything of it runs, a single case that a person decided about among it."""
        return self.running or any(state.running for state in self._answers)

    def start(self, wanted: Wanted) -> None:
        """Begins, or goes on with what lies in the folder of results."""
        if self.running:
            return
        self.wanted = wanted
        title = "Watch a folder" if wanted.watch else "Translate a folder"  # without its name: it stays in the list of jobs
        self.state = self._jobs.run(title, partial(batch_work.translate_many, wanted), on_event=self._hear, on_end=self._end)
        self.state.show = self.show
        self.changed.emit()

    def stop(self) -> None:
        """What is done is kept."""
        for state in (self.state, *self._answers):
            if state is not None and state.running:
                self._jobs.stop(state)

    def answer(self, case: CaseTold, told: Domain | None) -> None:
        """Translates a case that was put aside, all the same, or as the kind that it is `told` to be."""
        if self.wanted is not None:
            told = told or self.wanted.told
            one = replace(self.wanted, only=frozenset((case.name,)), all_the_same=True, told=told, watch=False)
            begin = partial(batch_work.translate_many, one)
            state = self._jobs.run("Translate all the same", begin, on_event=self._hear, on_end=self._end)
            state.show = self.show
            self._answers = [*(each for each in self._answers if each.running), state]
            self.changed.emit()

    def read(self, wanted: Wanted) -> None:
        """Lists what lies in the folder of results of `wanted`, which is what a person answers about from now on."""
        self.wanted = wanted
        self._reading.ask("Read results", partial(batch_work.read_results, wanted.output), self.listed.emit, listed=False)

    def holds_results(self, folder: Path) -> bool:
        """Whether a batch was begun in `folder`."""
        return (folder / batch_work.TABLE).is_file()

    def _hear(self, event: Event) -> None:
        if isinstance(event, CaseTold):
            self.told.emit(event)

    def _end(self, end: Finished) -> None:
        self.changed.emit()
        self.ended.emit(end)

    def _follow(self, state: JobState) -> None:
        if state is self.state or state in self._answers:
            self.changed.emit()
