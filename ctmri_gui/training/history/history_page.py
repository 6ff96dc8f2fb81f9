"""All runs: the list, and behind it one run, several compared, a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.runs import RunSummary
from ctmri_gui.actions import with_keys
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.messages import Kind
from ctmri_gui.notices import open_folder
from ctmri_gui.panels.asking import ask
from ctmri_gui.training.history.compare_page import ComparePage
from ctmri_gui.training.history.list_page import ListPage
from ctmri_gui.training.history.run_words import what_is_lost
from ctmri_gui.training.history.verdict_page import VerdictPage
from ctmri_gui.training.monitor.monitor import Monitor
from ctmri_gui.training.monitor.tensorboard import TensorBoard
from ctmri_gui.training.trainings import Trainings


class HistoryPage(QWidget):
    """What a person wants that concerns more than this page goes out as signals: `resumeWanted(folder)`,
    `templateWanted(RunPlan, model to begin with or None)`, `useWanted(model)`, `keepWanted(model)`, `smallerWanted(folder)`,
    `newWanted()`; `said(text, Kind)` is to be shown.
    """

    resumeWanted = Signal(object)
    templateWanted = Signal(object, object)
    useWanted = Signal(object)
    keepWanted = Signal(object)
    smallerWanted = Signal(object)
    newWanted = Signal()
    said = Signal(str, object)

    def __init__(self, trainings: Trainings, jobs: Jobs) -> None:
        super().__init__()
        self._trainings, self._jobs = trainings, jobs
        self._monitor: Monitor | None = None
        self._compare: ComparePage | None = None
        self._verdict: VerdictPage | None = None
        self._board: TensorBoard | None = None
        self.list = ListPage(trainings)
        self.list.newWanted.connect(self.newWanted)
        self.list.commands.asked.connect(self._do)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.list)
        self.back = QPushButton("‹ Back to the &list")
        self.back.setToolTip(with_keys("All runs", ("Esc",)))
        self.back.clicked.connect(self.show_list)
        self.back.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(4)
        column.addWidget(self.stack, 1)
        QShortcut(QKeySequence("Esc"), self, self.show_list, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    # Pages ------------------------------------------------------------------------------------------------------------

    @property
    def monitor(self) -> Monitor:
        """Of a run that is over; made when one is first looked at."""
        if self._monitor is None:
            made = self._monitor = Monitor(self._jobs)
            made.newWanted.connect(self.newWanted)
            made.resumeWanted.connect(self.resumeWanted)
            made.smallerWanted.connect(self.smallerWanted)
            made.verdictWanted.connect(self.show_verdict)
            self.stack.addWidget(made)
        return self._monitor

    @property
    def compare(self) -> ComparePage:
        if self._compare is None:
            self._compare = ComparePage(self._jobs)
            self.stack.addWidget(self._compare)
        return self._compare

    @property
    def verdict(self) -> VerdictPage:
        if self._verdict is None:
            made = self._verdict = VerdictPage(self._jobs)
            made.keepWanted.connect(self.keepWanted)
            made.useWanted.connect(self.useWanted)
            made.discardWanted.connect(self.discard)
            self.stack.addWidget(made)
        return self._verdict

    def show_list(self) -> None:
        self._show(self.list)
        self.list.view.setFocus()

    def show_run(self, folder: Path) -> None:
        self.monitor.show_run(folder)
        self._show(self.monitor)

    def show_verdict(self, folder: Path) -> None:
        """Has it made where there is none yet."""
        self.verdict.show_run(folder)
        self._show(self.verdict)

    def show_verdict_page(self) -> None:
        """The verdict that was asked for last."""
        self._show(self.verdict)

    def show_compared(self, runs: Sequence[RunSummary]) -> None:
        self.compare.show_runs(runs)
        self._show(self.compare)

    def discard(self, folder: Path) -> None:
        """Asks, then deletes the run in `folder`."""
        runs = [run for run in self._trainings.runs if run.folder == folder]
        if runs:
            self.ask_to_delete(runs)
        else:
            self.said.emit(f"{folder.name} is not among the runs any more.", Kind.WARNING)

    def ask_to_delete(self, runs: Sequence[RunSummary]) -> None:
        """Names what is lost, then deletes."""
        what = f"the run {runs[0].folder.name}" if len(runs) == 1 else f"these {len(runs)} runs"
        folders = [run.folder for run in runs]
        ask(
            self, "Delete for good?", f"Delete {what}?", what_is_lost(runs),
            yes="&Delete", no="&Keep", then=lambda: self._delete(folders), name="delete_question",
        )  # fmt: skip

    # Commands ---------------------------------------------------------------------------------------------------------

    def _do(self, name: str, runs: Sequence[RunSummary]) -> None:
        """What the list asks for. Which runs a command fits has been looked at."""
        run = runs[0]
        handlers: dict[str, Callable[[], object]] = {
            "look": partial(self.show_run, run.folder),
            "resume": partial(self.resumeWanted.emit, run.folder),
            "verdict": partial(self.show_verdict, run.folder),
            "use": lambda: self.useWanted.emit(run.models[0]),
            "keep": lambda: self.keepWanted.emit(run.models[0]),
            "tune": lambda: self.templateWanted.emit(run.plan, run.models[0]),
            "template": lambda: self.templateWanted.emit(run.plan, None),
            "compare": partial(self.show_compared, runs),
            "folder": partial(open_folder, run.folder),
            "board": partial(self._open_board, run.folder),
            "delete": partial(self.ask_to_delete, runs),
        }
        handlers[name]()

    def _delete(self, folders: Sequence[Path]) -> None:
        self._trainings.delete(folders)
        self.show_list()

    def _open_board(self, folder: Path) -> None:
        if self._board is None:
            self._board = TensorBoard(self)
            self._board.said.connect(lambda text: self.said.emit(text, Kind.INFO))
        self._board.show(RunFolder(folder).tensorboard)

    def _show(self, page: QWidget) -> None:
        self.stack.setCurrentWidget(page)
        self.back.setVisible(page is not self.list)
