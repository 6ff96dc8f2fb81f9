"""A run as it goes on, or as it went: figures, curves, pictures and health, and what may be asked of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QPushButton, QSplitter, QTabWidget, QVBoxLayout, QWidget

from ctmri_core.events import Event, Finished, Health, Noted, Progress
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, nothing_yet, scrolling
from ctmri_gui.training.live_run import LiveRun
from ctmri_gui.training.monitor.controls import Controls
from ctmri_gui.training.monitor.curves import Curves
from ctmri_gui.training.monitor.end_panel import EndPanel
from ctmri_gui.training.monitor.header import Header
from ctmri_gui.training.monitor.health_panel import HealthPanel
from ctmri_gui.training.monitor.previews import Previews
from ctmri_gui.training.monitor.reading import import_plots, read_run
from ctmri_gui.training.monitor.state_words import RunState, state_of
from ctmri_gui.training.monitor.tensorboard import TensorBoard
from ctmri_gui.viewer.palette import scaled

_UPDATE_MS, _CLOCK_MS = 200, 1000
_BESIDE_FROM = 1150  # px beside text of 13 px: in narrower windows the pictures stand behind the curves
_BODY_HEIGHT = 340
_NOTHING = "No run goes on. Set one up, or choose one among the runs."


class Monitor(QWidget):
    """`follow` a live run or `show_run` one that is over. What a person wants of a run that is over goes out as signals, each
    with the run's folder; `discardWanted` comes once a run that was to be discarded has stopped.
    """

    resumeWanted = Signal(object)  # Path, as below
    smallerWanted = Signal(object)
    verdictWanted = Signal(object)
    discardWanted = Signal(object)
    newWanted = Signal()

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latest = Latest(jobs)
        self._run: LiveRun | None = None
        self._last: Event | None = None
        self._record = RunRecord()
        self._plan: RunPlan | None = None
        self._stale = False
        self.folder: Path | None = None
        self.tensorboard = TensorBoard(self)
        self._make_parts(jobs)
        self._lay_out()
        self._connect()
        self._update = QTimer(self)
        self._update.setSingleShot(True)
        self._update.setInterval(_UPDATE_MS)
        self._update.timeout.connect(self._take_over)
        self._clock = QTimer(self)
        self._clock.setInterval(_CLOCK_MS)
        self._clock.timeout.connect(self._show_state)
        self._show_nothing()
        jobs.run("Load plots", import_plots, on_result=self._set_plots, listed=False)

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self, jobs: Jobs) -> None:
        self.header, self.controls, self.end = Header(), Controls(self), EndPanel()
        self.curves, self.previews, self.health = Curves(), Previews(jobs), HealthPanel()
        self.message = label("", "muted")
        self._empty = self._make_empty()
        self.left, self.right = QTabWidget(), QTabWidget()
        for tabs in (self.left, self.right):
            tabs.setDocumentMode(True)
            tabs.tabBar().setDrawBase(False)
            tabs.setProperty("role", "views")
        self._body = QSplitter(Qt.Orientation.Horizontal)
        self._body.setChildrenCollapsible(False)

    def _lay_out(self) -> None:
        self._body.addWidget(self.left)
        self._body.addWidget(self.right)
        self._body.setStretchFactor(0, 3)
        self._body.setStretchFactor(1, 2)
        inside = QWidget()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Run"))
        column = QVBoxLayout(inside)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        # What may be asked stands above all that grows while a run goes on: no button may move away under the pointer.
        for part in (self._empty, self.controls, self.header, self.end, self.message):
            column.addWidget(part, 1 if part is self._empty else 0)
        column.addWidget(self._body, 1)
        self._arrange(beside=False)

    def _make_empty(self) -> QWidget:
        begin = QPushButton("Set up a &new run")
        begin.setProperty("primary", True)
        begin.clicked.connect(self.newWanted)
        return nothing_yet(_NOTHING, begin)

    def _connect(self) -> None:
        self.controls.discarded.connect(self._discard)
        self.end.resume.connect(lambda: self.resumeWanted.emit(self.folder))
        self.end.smaller.connect(lambda: self.smallerWanted.emit(self.folder))
        self.end.verdict.connect(lambda: self.verdictWanted.emit(self.folder))
        self.header.folder.clicked.connect(self._open_folder)
        self.header.board.clicked.connect(self._open_board)
        self.tensorboard.said.connect(self._say)

    def _set_plots(self, module: ModuleType) -> None:
        self.curves.set_plots(module)

    # What is shown ----------------------------------------------------------------------------------------------------

    def follow(self, run: LiveRun) -> None:
        """A run that goes on, from what it has said already."""
        self._let_go()
        self._run = run
        run.heard.connect(self._hear)
        run.ended.connect(self._ended)
        run.asked.connect(self._show_state)
        self._show(run.record, run.plan, run.folder, f"{run.folder.name}: {run.title}")
        self.controls.follow(run)
        self._clock.start()
        self._show_state()

    def show_run(self, folder: Path) -> None:
        """A run that is over, read in the background."""
        self._let_go()
        self.folder = folder
        self._empty.hide()
        self._say("Reading the run …")
        take = partial(self._take_read, folder)
        self._latest.ask("Read run", partial(read_run, folder), take, ended=self._not_read, listed=False)

    def clear(self) -> None:
        """What was shown is gone."""
        self._let_go()
        self.folder = None
        self._show_nothing()

    @property
    def state(self) -> RunState:
        return state_of(self._record, self._run, self._last)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._take_over()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_body"):
            self._measure()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        self._body.setMinimumHeight(scaled(_BODY_HEIGHT))
        self._arrange(beside=self.width() >= scaled(_BESIDE_FROM))

    def _arrange(self, *, beside: bool) -> None:
        """Pictures and health beside the curves, or behind them."""
        if beside == (self.right.count() > 0) and self.left.count():
            return
        chosen = self.left.currentWidget()
        if not self.left.count():
            self.left.addTab(self.curves, "Curves")
        where = self.right if beside else self.left
        where.addTab(self.previews, "Pictures")
        where.addTab(self.health, "Health")
        self.right.setVisible(beside)
        (self.right if beside and chosen is not self.curves else self.left).setCurrentWidget(chosen or self.curves)
        self._show_health_tab()

    def _show_nothing(self) -> None:
        for part in (self.header, self.controls, self.end, self._body, self.message):
            part.hide()
        self._empty.show()

    def _show(self, record: RunRecord, plan: RunPlan | None, folder: Path, title: str) -> None:
        self._record, self._plan, self.folder = record, plan, folder
        self._empty.hide()
        self.header.show()
        self._body.show()
        self._say("")
        self.header.begin(title)
        self.curves.show_record(record, plan)
        self.previews.show_record(record, folder)
        self.health.show_record(record, plan)
        self._show_health_tab()

    def _take_read(self, folder: Path, answer: tuple[RunRecord, RunPlan | None]) -> None:
        record, plan = answer
        title = f"{folder.name}: {plan.card.title}, {plan.direction.label}" if plan is not None else folder.name
        self._show(record, plan, folder, title)
        self._show_state()

    def _not_read(self, end: Finished) -> None:
        if end.reason != "completed":
            self._say(f"This run cannot be shown: {end.message}")

    def _let_go(self) -> None:
        """Of the run that was shown."""
        self._latest.drop()
        self._update.stop()
        self._clock.stop()
        run, self._run, self._last = self._run, None, None
        if run is not None:
            run.heard.disconnect(self._hear)
            run.ended.disconnect(self._ended)
            run.asked.disconnect(self._show_state)
        self.controls.follow(None)
        self.end.hide()

    def _hear(self, event: Event) -> None:
        """Only noted here: a fast run says more than a person reads, and is shown some times a second."""
        if not isinstance(event, Health | Noted | Progress):  # they come in between, whatever the run does
            self._last = event
        self.header.hear(event)
        self.controls.hear(event)
        if not self._update.isActive():
            self._update.start()

    def _take_over(self) -> None:
        self._stale = not self.isVisible()
        if self._stale:
            return
        self._show_state()
        self.curves.follow()
        self.previews.follow()
        self.health.follow()
        self._show_health_tab()

    def _show_state(self) -> None:
        state = self.state
        self.header.show_state(state, self._record, self._plan)
        self.controls.show_state()
        self.controls.setVisible(not state.over)
        if state.over and self.end.isHidden():
            self.end.show_end(state, self._record, self._plan.card if self._plan is not None else None)

    def _show_health_tab(self) -> None:
        tabs = self.right if self.right.count() else self.left
        worth = len(self.health.worth_a_look)
        tabs.setTabText(tabs.indexOf(self.health), f"Health ▲ {worth}" if worth else "Health")

    def _ended(self, _end: Finished) -> None:
        self._clock.stop()
        self._update.stop()
        self._take_over()
        self._show_state()
        if self.controls.discarding:
            self._discard()

    def _discard(self) -> None:
        """Once the run has stopped; then there is nothing to show any more."""
        if self._run is not None and not self._run.running:
            folder = self.folder
            self._let_go()
            self._show_nothing()
            self.discardWanted.emit(folder)

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _open_folder(self) -> None:
        if self.folder is None:
            return
        there = self.folder.is_dir()
        if not there or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder))):
            problem = "no program opens folders here" if there else "it is not there"
            self._say(f"The folder {self.folder.name} could not be opened: {problem}.")

    def _open_board(self) -> None:
        if self.folder is not None:
            self.tensorboard.show(RunFolder(self.folder).tensorboard)
