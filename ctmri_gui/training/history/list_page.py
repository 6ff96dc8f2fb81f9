"""The table of runs, what is known of those selected, and what can be done with them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.training.runs import RunSummary
from ctmri_gui.panels.row_table import row_table
from ctmri_gui.panels.small_parts import label, nothing_yet
from ctmri_gui.training.history.run_commands import RunCommands
from ctmri_gui.training.history.run_table import NEWEST_FIRST, RunTable, SortedRuns
from ctmri_gui.training.history.run_words import about
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.trainings import Trainings
from ctmri_gui.viewer.palette import scaled

_LINES = 9  # of the table that are seen at least
_PRIMARY = ("look", "compare")


class ListPage(QWidget):
    """`newWanted`: the person wants to set up a run."""

    newWanted = Signal()

    def __init__(self, trainings: Trainings) -> None:
        super().__init__()
        self._trainings = trainings
        self.table = RunTable(self)
        self.shown = SortedRuns(self.table, self)
        self.view = row_table(self.shown, "Runs", several=True)
        self.view.sortByColumn(NEWEST_FIRST, Qt.SortOrder.DescendingOrder)
        self.commands = RunCommands(self)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search: pix2pix, done, CT …")
        self.search.setAccessibleName("Filter the runs")
        self.search.setToolTip("Runs that hold all these words (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.count = label("", "muted", wrap=False)
        self.details = label("", "muted")
        self.details.setAccessibleName("About the selected runs")
        self.buttons = {name: _follow(action, primary=name in _PRIMARY) for name, action in self.commands.actions.items()}
        self._lay_out()
        QShortcut(QKeySequence("Ctrl+F"), self, self.search.setFocus, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        QShortcut(QKeySequence("F5"), self, trainings.refresh, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._tell())
        self.view.doubleClicked.connect(lambda _index: self.commands.actions["look"].trigger())
        self.view.customContextMenuRequested.connect(self._open_menu)
        trainings.listed.connect(self._take)
        self._take()

    @property
    def selected(self) -> tuple[RunSummary, ...]:
        """In the order of the table."""
        rows = self.view.selectionModel().selectedRows()
        return tuple(index.data(Qt.ItemDataRole.UserRole) for index in sorted(rows, key=lambda index: index.row()))

    def select(self, folders: set[Path]) -> None:
        """The runs in `folders`, as far as they are shown."""
        selection = self.view.selectionModel()
        selection.clearSelection()
        for row in range(self.shown.rowCount()):
            index = self.shown.index(row, 0)
            if index.data(Qt.ItemDataRole.UserRole).folder in folders:
                flags = QItemSelectionModel.SelectionFlag
                selection.setCurrentIndex(index, flags.Select | flags.Rows)
        self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Enter:  # of the number block; the other one is a shortcut
            self.commands.actions["look"].trigger()
            return
        super().keyPressEvent(event)

    def _lay_out(self) -> None:
        head, buttons = QHBoxLayout(), Flow()
        head.addWidget(label("Runs", "heading", wrap=False))
        head.addWidget(self.search, 1)
        head.addWidget(self.count)
        for press in self.buttons.values():
            buttons.addWidget(press)
        table = QWidget()
        column = QVBoxLayout(table)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addWidget(self.details)
        column.addLayout(buttons)
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(10, 10, 10, 10)
        self._pages.addWidget(table)
        self._pages.addWidget(self._make_empty())

    def _make_empty(self) -> QWidget:
        self.begin = QPushButton("Set up a &new run")
        self.begin.setProperty("primary", True)
        self.begin.clicked.connect(self.newWanted)
        words = "There is no run yet. Set one up from your own scans, or let the program learn on digital heads first."
        return nothing_yet(words, self.begin)

    def _take(self) -> None:
        """The runs may be others now; what is selected stays so."""
        kept = {run.folder for run in self.selected}
        self.table.take(self._trainings.runs)
        side = scaled(20)
        self.view.setIconSize(QSize(side, side))
        self.view.verticalHeader().setDefaultSectionSize(round(1.35 * side))
        self.view.setMinimumHeight(min(_LINES, max(len(self.table.runs), 3) + 1) * round(0.9 * side))
        self._pages.setCurrentIndex(0 if self.table.runs else 1)
        self.select(kept)
        if not self.selected and self.shown.rowCount():
            self.view.selectRow(0)
        self._tell()

    def _filter(self, text: str) -> None:
        self.shown.look_for(text)
        if not self.selected and self.shown.rowCount():
            self.view.selectRow(0)
        self._tell()

    def _tell(self) -> None:
        runs = self.selected
        all_runs, shown = len(self.table.runs), self.shown.rowCount()
        self.count.setText(f"{shown} of {all_runs}" if shown != all_runs else "")
        self.commands.follow(runs)
        none = "No run holds these words." if all_runs and not shown else "Select a run; with Ctrl or Shift several of them."
        several = f"{len(runs)} runs are selected."
        self.details.setText(none if not runs else about(runs[0]) if len(runs) == 1 else several)

    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.addActions(list(self.commands.actions.values()))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.view.viewport().mapToGlobal(place))


def _follow(action: QAction, *, primary: bool) -> QPushButton:
    """A button that is there when `action` can be chosen."""
    made = QPushButton(action.text())
    made.setProperty("primary", primary)
    made.clicked.connect(action.trigger)

    def follow() -> None:
        made.setVisible(action.isVisible())
        made.setToolTip(action.toolTip())

    action.changed.connect(follow)
    follow()
    return made
