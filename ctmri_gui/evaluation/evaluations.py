"""The evaluations of a window: one that runs, the one that is looked at, and those before. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Finished
from ctmri_gui.evaluation import evaluation_work, wanted
from ctmri_gui.evaluation.wanted import Wanted
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_core.evaluation.results import Evaluation
    from ctmri_gui.evaluation.evaluation_work import KnownData

_PLACES, _MOST = "evaluation_folders", 12


class Evaluations(QObject):
    """One runs at a time, as one job in the tray. `shown`: the evaluation that is looked at, `folder`: where it lies, and
    `asked`: where its models and data are, as far as that is known.
    """

    changed = Signal()  # one begins, goes on or ends
    ended = Signal(object)  # Finished
    opened = Signal(object)  # Evaluation: `shown` is another one now
    listed = Signal(object)  # tuple[Listed, ...]
    prepared = Signal(object)  # tuple[KnownData, ...]
    caseReady = Signal(object)  # ShownCase
    caseOver = Signal()  # a case was opened, or will not be
    reported = Signal(object)  # Path of a report that was made
    failed = Signal(str)

    def __init__(self, jobs: Jobs, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._settings = jobs, settings
        self._reading, self._listing, self._cases = Latest(jobs), Latest(jobs), Latest(jobs)
        self.state: JobState | None = None
        self.show: Callable[[], None] | None = None
        self.shown: Evaluation | None = None
        self.folder: Path | None = None
        self.asked: Wanted | None = None
        jobs.changed.connect(self._follow)

    @property
    def running(self) -> bool:
        return self.state is not None and self.state.running

    @property
    def places(self) -> tuple[Path, ...]:
        """Where evaluations are looked for, the usual one first."""
        return tuple(dict.fromkeys((wanted.usual_place(), *map(Path, self._settings[_PLACES]))))

    def start(self, order: Wanted) -> None:
        """Begins, or goes on with what lies in its folder."""
        if not self.running:
            begin = partial(evaluation_work.evaluate, order)
            self.state = self._jobs.run("Evaluate models", begin, on_result=partial(self._done, order), on_end=self._end)
            self.state.show = self.show
            self.changed.emit()

    def stop(self) -> None:
        """What is finished is kept, and becomes an evaluation."""
        if self.state is not None and self.state.running:
            self._jobs.stop(self.state)

    def open(self, folder: Path) -> None:
        """Reads a past one from its folder."""

        def take(there: Evaluation) -> None:
            self._show(there, folder, wanted.kept(folder))

        self._reading.ask("Read an evaluation", partial(evaluation_work.read, folder), take, ended=self._tell, listed=False)

    def refresh(self) -> None:
        """Lists the past ones."""
        begin = partial(evaluation_work.list_evaluations, self.places)
        self._listing.ask("List evaluations", begin, self.listed.emit, listed=False)

    def look_for_data(self) -> None:
        """Lists what was prepared in the window."""
        self._jobs.run("Look for prepared data", evaluation_work.list_prepared, on_result=self._tell_prepared, listed=False)

    def add_place(self, folder: Path) -> None:
        """Looks for evaluations in `folder` too, from now on; not remembered where its path tells of a patient."""
        if folder not in self.places and not tells_of_patient(folder):
            self._settings[_PLACES] = (str(folder), *self._settings[_PLACES][: _MOST - 1])
            self._settings.save()

    def open_case(self, case: int, model: int) -> None:
        """Loads a case of the evaluation that is looked at, and what the model makes of it."""
        if self.shown is None or self.asked is None:
            return
        from ctmri_gui.evaluation.scored_case import open_case

        begin = partial(open_case, self.asked, self.shown, case, model)
        self._cases.ask("Open an evaluated case", begin, self.caseReady.emit, ended=self._case_ended)

    def report(self) -> None:
        """Makes the HTML report of the evaluation that is looked at."""
        if self.folder is not None:
            begin = partial(evaluation_work.write_report, self.folder)
            self._jobs.run("Make the report", begin, on_result=self.reported.emit, on_end=self._tell)

    def save_pdf(self, target: Path, then: Callable[[Path], None]) -> None:
        if self.folder is not None:
            begin = partial(evaluation_work.write_pdf, self.folder, target)
            self._jobs.run("Save the report as PDF", begin, on_result=then, on_end=self._tell)

    def _done(self, order: Wanted, there: Evaluation | None) -> None:
        if there is not None:
            self.add_place(order.output.parent)
            self._show(there, order.output, order)
            self.refresh()

    def _show(self, there: Evaluation, folder: Path, asked: Wanted | None) -> None:
        self._cases.drop()
        self.shown, self.folder, self.asked = there, folder, asked
        self.opened.emit(there)

    def _case_ended(self, end: Finished) -> None:
        self.caseOver.emit()
        self._tell(end)

    def _tell_prepared(self, known: tuple[KnownData, ...]) -> None:
        self.prepared.emit(known)

    def _end(self, end: Finished) -> None:
        self.changed.emit()
        self.ended.emit(end)
        self._tell(end)

    def _tell(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self.failed.emit(end.message)

    def _follow(self, state: JobState) -> None:
        if state is self.state:
            self.changed.emit()
