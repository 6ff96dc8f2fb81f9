"""The evaluations before: opened again from their folders, without models or data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ctmri_core.evaluation.results import EVALUATION
from ctmri_gui import file_choice
from ctmri_gui.evaluation.evaluation_work import Listed
from ctmri_gui.evaluation.evaluations import Evaluations
from ctmri_gui.panels.small_parts import label
from ctmri_gui.settings import Settings
from ctmri_gui.training.monitor.flow import Flow

_HEAD = ["Made", "Models", "Data", "Cases", "Mean", "Folder"]
_NONE = "There is no evaluation yet. Those made in the window, and folders that were chosen, are listed here."
_FOLDER = Qt.ItemDataRole.UserRole


class PastPage(QWidget):
    """`openWanted`: a folder."""

    openWanted = Signal(object)

    def __init__(self, evaluations: Evaluations, settings: Settings) -> None:
        super().__init__()
        self._evaluations, self._settings = evaluations, settings
        self.list = QTreeWidget()
        self.list.setHeaderLabels(_HEAD)
        self.list.setRootIsDecorated(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAccessibleName("Evaluations before")
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.setTabKeyNavigation(False)
        self.open, self.other = QPushButton("&Open"), QPushButton("Open another &folder…")
        self.open.setProperty("primary", True)
        self.open.setToolTip("Shows the selected evaluation (Enter)")
        self.other.setToolTip("An evaluation that lies elsewhere, as of the command line")
        self.said = label(_NONE, "muted")
        ways = Flow()
        for press in (self.open, self.other):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.addWidget(label("Evaluations before", "heading"))
        column.addWidget(self.said)
        column.addWidget(self.list, 1)
        column.addLayout(ways)
        self.open.clicked.connect(self._open_current)
        self.other.clicked.connect(self._ask)
        self.list.itemDoubleClicked.connect(lambda _item, _column: self._open_current())
        self.list.currentItemChanged.connect(lambda _now, _before: self._follow())
        evaluations.listed.connect(self.take)
        self._follow()

    def take(self, listed: Sequence[Listed]) -> None:
        """The past ones, in this order."""
        self.list.clear()
        for each in listed:
            made = f"{each.made.astimezone():%Y-%m-%d %H:%M}" if each.made is not None else ""
            what = each.what or each.problem
            item = QTreeWidgetItem([made, ", ".join(each.models), what, str(each.cases or ""), each.score, each.folder.name])
            item.setData(0, _FOLDER, str(each.folder))
            item.setToolTip(0, each.problem or str(each.folder))
            item.setDisabled(bool(each.problem))
            self.list.addTopLevelItem(item)
        self.said.setVisible(not listed)
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)
        self._follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.hasFocus():
            self._open_current()
        else:
            super().keyPressEvent(event)

    def choose_folder(self, folder: Path) -> None:
        """Opens the evaluation in `folder`, or lists those that lie in it."""
        if (folder / EVALUATION).is_file():
            self._evaluations.add_place(folder.parent)
            self.openWanted.emit(folder)
        else:
            self._evaluations.add_place(folder)
        self._evaluations.refresh()

    def _open_current(self) -> None:
        item = self.list.currentItem()
        if item is not None and not item.isDisabled():
            self.openWanted.emit(Path(item.data(0, _FOLDER)))

    def _ask(self) -> None:
        folder = file_choice.existing_folder(self, "Folder of an evaluation", self._settings["last_folder"])
        if folder is not None:
            self.choose_folder(folder)

    def _follow(self) -> None:
        item = self.list.currentItem()
        self.open.setEnabled(item is not None and not item.isDisabled())
