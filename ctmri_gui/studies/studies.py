"""The reader studies of a window: the one that is looked at, and the one piece of work that runs. Knows no widget."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Finished, StopSignal, Work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.settings import Settings
from ctmri_gui.studies import study_work
from ctmri_gui.studies.places import is_rehearsal, known_studies, new_folder, rehearsals_place, remember
from ctmri_gui.studies.reading_process import start_reading
from ctmri_gui.studies.study_work import ExportFormat, Looked

if TYPE_CHECKING:
    from ctmri_core.studies.chain import Anchor
    from ctmri_core.studies.harmonise import Step
    from ctmri_core.studies.pack import Merged
    from ctmri_core.studies.protocol import Design
    from ctmri_core.studies.request import StudyRequest
    from ctmri_gui.studies.study_state import StudyState

_NO_WINDOW = "The reading window could not be started. Start it yourself: ctmri study read, with the folder of the study."


class Studies(QObject):
    """`shown`: the study that is looked at; `looked`: what is known of its draft. One piece of work runs at a time, as one job.

    `passphrase`: of the study that is looked at, for as long as it is.
    """

    changed = Signal()  # work begins, goes on or ends
    begun = Signal()  # work that was asked for: what was said of the last one no longer matters
    opened = Signal(object)  # StudyState: `shown` is another one, or known anew
    checked = Signal(object)  # Looked | None: of the draft that is shown
    listed = Signal(object)  # tuple[Listed, ...]
    made = Signal(object)  # Path
    merged = Signal(object)  # tuple[Merged, ...]
    written = Signal(object)  # Path of a file that was packed or exported
    compared = Signal(object)  # tuple[str, ...]: what of the anchors is not in the record
    analysed = Signal(object)  # StudyState
    rehearsed = Signal(object)  # StudyState of a rehearsal that was made
    deleted = Signal(object)  # Path
    stopped = Signal()
    failed = Signal(str)
    passphraseWanted = Signal(object)  # what to do with it: Callable[[], None]

    def __init__(self, jobs: Jobs, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._settings = jobs, settings
        self._looking, self._listing, self._checking = Latest(jobs), Latest(jobs), Latest(jobs)
        self.state: JobState | None = None
        self.show: Callable[[], None] | None = None
        self.shown: StudyState | None = None
        self.looked: Looked | None = None
        self.passphrase = ""
        self._then: Callable[[], None] | None = None  # what comes of work, told once it has ended: other work may begin then
        jobs.changed.connect(self._follow)

    @property
    def running(self) -> bool:
        return self.state is not None and self.state.running

    @property
    def checking(self) -> bool:
        """Whether a draft is being audited."""
        return self._checking.state is not None and self._checking.state.running

    @property
    def folder(self) -> Path | None:
        return None if self.shown is None else self.shown.folder

    def stop(self) -> None:
        if self.state is not None and self.state.running:
            self._jobs.stop(self.state)

    # Making -----------------------------------------------------------------------------------------------------------

    def make(self, request: StudyRequest, passphrase: str = "") -> None:
        """Makes the draft of a study, then shows it."""

        def done(folder: Path | None) -> None:
            if folder is not None:
                remember(self._settings, folder)
                self.made.emit(folder)
                self.open(folder, passphrase)

        self._run("Make a reader study", partial(study_work.make, request, passphrase), done)

    def rehearse(self, design: Design) -> None:
        """Makes a rehearsal and shows it."""
        folder = new_folder(rehearsals_place(), "rehearsal", datetime.now().astimezone())
        begin = partial(study_work.rehearse, folder, design, secrets.randbelow(1000))

        def done(state: StudyState | None) -> None:
            if state is not None:
                self._show(state)
                self.rehearsed.emit(state)

        self._run("Make a rehearsal", begin, done)

    # Looking ----------------------------------------------------------------------------------------------------------

    def open(self, folder: Path, passphrase: str = "") -> None:
        """Shows the study in `folder`."""
        self.passphrase = passphrase or (self.passphrase if folder == self.folder else "")
        self.looked = None
        self._checking.drop()
        self._looking.ask("Read a study", partial(study_work.look, folder), self._show, ended=self._tell, listed=False)

    def look_again(self) -> None:
        """Reads the study anew: somebody may have answered."""
        if self.folder is not None:
            self._looking.ask("Read a study", partial(study_work.look, self.folder), self._show, ended=self._tell, listed=False)

    def refresh(self) -> None:
        """Lists all that are known."""
        begin = partial(study_work.list_studies, known_studies(self._settings))
        self._listing.ask("List studies", begin, self.listed.emit, listed=False)

    # Before the opening -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Audits the draft that is shown."""
        state = self.shown
        if state is None or state.stage != "draft" or self.checking:
            return
        self._unlocked(lambda: self._check(state.folder))

    def _check(self, folder: Path) -> None:
        begin = partial(study_work.check, folder, self.passphrase)
        self._checking.ask("Look for what gives pictures away", begin, self._take_checked, ended=self._checked_ended)
        self.changed.emit()

    def harmonise(self, steps: Sequence[Step]) -> None:
        """Takes away what tells, and looks again."""
        self._on_truth("Make pictures more alike", study_work.harmonise, self._take_checked, tuple(steps))

    def open_shown(self, override: str) -> None:
        """Fixes the draft that is shown."""
        self._on_truth("Open a study", study_work.open_study, self._show_known, override)

    # While it is read -------------------------------------------------------------------------------------------------

    def read_here(self, reader: str) -> None:
        """Starts the window in which `reader` reads."""
        if self.folder is not None and not start_reading(self.folder, reader, self._settings):
            self.failed.emit(_NO_WINDOW)

    def add_reader(self, code: str) -> None:
        self._on_truth("Add a reader", study_work.add_reader, self._show_known, code)

    def pack(self, code: str, target: Path) -> None:
        if self.folder is not None:
            self._run("Pack a study", partial(study_work.pack, self.folder, code, target), self.written.emit)

    def merge(self, answers: Sequence[Path]) -> None:
        def done(taken: tuple[StudyState, tuple[Merged, ...]]) -> None:
            self._show(taken[0])
            self.merged.emit(taken[1])

        if self.folder is not None:
            self._run("Take in answers", partial(study_work.merge, self.folder, tuple(answers)), done)

    def compare(self, anchors: Sequence[Anchor]) -> None:
        """Holds anchors that were written down against the record."""
        if self.folder is not None:
            begin = partial(study_work.compare, self.folder, tuple(anchors))
            self._looking.ask("Compare anchors", begin, self.compared.emit, ended=self._tell, listed=False)

    # The end ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """For good: no answer comes in any more."""
        if self.folder is not None:
            self._run("Close a study", partial(study_work.close, self.folder), lambda closed: self._show(closed[0]))

    def analyse(self, *, interim: bool = False) -> None:
        self._on_truth("Analyse a study", study_work.analyse, self._take_analysed, interim)

    def export(self, form: ExportFormat, target: Path) -> None:
        state = self.shown
        if state is not None and state.stage == "open":
            self._export(state.folder, form, target)
        elif state is not None:
            self._unlocked(lambda: self._export(state.folder, form, target))

    def _export(self, folder: Path, form: ExportFormat, target: Path) -> None:
        self._run("Export answers", partial(study_work.export, folder, form, target, self.passphrase), self.written.emit)

    def finish_rehearsal(self) -> None:
        """Simulates what is not answered, closes and analyses."""
        if self.folder is not None and is_rehearsal(self.folder):
            begin = partial(study_work.finish_rehearsal, self.folder, secrets.randbelow(1000))
            self._run("Finish the rehearsal", begin, self._take_analysed)

    def delete_rehearsal(self, folder: Path) -> None:
        def done(gone: Path) -> None:
            if gone == self.folder:
                self.shown, self.looked = None, None
            self.deleted.emit(gone)
            self.refresh()

        self._run("Delete a rehearsal", partial(study_work.delete_rehearsal, folder), done)

    # Within -----------------------------------------------------------------------------------------------------------

    def _on_truth(self, title: str, work: Callable[..., Work[Any]], done: Callable[[Any], None], *words: Any) -> None:
        """`work(folder, *words, passphrase, stop)` on what is shown, once its passphrase is known."""
        folder = self.folder
        if folder is None:
            return

        def begin(stop: StopSignal) -> Work[Any]:
            return work(folder, *words, self.passphrase, stop)

        self._unlocked(lambda: self._run(title, begin, done))

    def _unlocked(self, then: Callable[[], None]) -> None:
        """Asks for the passphrase where the truth needs one and it is not known."""
        if self.shown is not None and self.shown.locked and not self.passphrase:
            self.passphraseWanted.emit(then)
        else:
            then()

    def _run(self, title: str, begin: Callable[[StopSignal], Work[Any]], done: Callable[[Any], None]) -> None:
        if not self.running:
            self._checking.drop()

            def take(answer: Any) -> None:
                if answer is not None:
                    self._then = partial(done, answer)

            self.state = self._jobs.run(title, begin, on_result=take, on_end=self._end)
            self.state.show = self.show
            self.begun.emit()
            self.changed.emit()

    def _show(self, state: StudyState) -> None:
        if self.shown is None or state.folder != self.shown.folder:
            remember(self._settings, state.folder)
        self.shown = state
        self.opened.emit(state)
        if state.stage == "draft" and self.looked is None and not self.checking:
            self.check()

    def _show_known(self, state: StudyState) -> None:
        self._show(state)
        self.refresh()

    def _take_checked(self, looked: Looked) -> None:
        self.looked = looked
        self.checked.emit(looked)
        self.changed.emit()

    def _take_analysed(self, state: StudyState) -> None:
        self._show(state)
        self.analysed.emit(state)
        self.refresh()

    def _checked_ended(self, end: Finished) -> None:
        self.changed.emit()
        self._tell(end)

    def _end(self, end: Finished) -> None:
        self.changed.emit()
        then, self._then = self._then, None
        if then is not None:
            then()
        if end.reason == "stopped":
            self.stopped.emit()
        self._tell(end)

    def _tell(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            if "key" in end.message or "passphrase" in end.message:
                self.passphrase = ""  # it was the wrong one: asked again
            self.failed.emit(end.message)

    def _follow(self, state: JobState) -> None:
        if state is self.state:
            self.changed.emit()
