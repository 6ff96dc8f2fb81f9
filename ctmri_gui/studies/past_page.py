"""The studies before: opened again from their folders, rehearsals among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ctmri_core.studies.report.wording import DESIGNS
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.study_work import Listed
from ctmri_gui.training.monitor.flow import Flow

_HEAD = ["Title", "Design", "Stage", "Open since", "Folder"]
_NONE = "There is no study yet. Those made in the window, and folders that were opened, are listed here."
_FOLDER, _REHEARSAL = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class PastPage(QWidget):
    """`openWanted`, `deleteWanted`: a folder; `askWanted`: one that lies elsewhere."""

    openWanted = Signal(object)
    deleteWanted = Signal(object)
    askWanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.list = QTreeWidget()
        self.list.setHeaderLabels(_HEAD)
        self.list.setRootIsDecorated(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAccessibleName("Studies before")
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.setTabKeyNavigation(False)
        self.open, self.other = QPushButton("&Open"), QPushButton("Open a&nother folder…")
        self.delete = QPushButton("&Delete the rehearsal…")
        self.open.setProperty("primary", True)
        self.open.setToolTip("Shows the selected study (Enter)")
        self.other.setToolTip("A study that lies elsewhere, as of the command line")
        self.said = label(_NONE, "muted")
        ways = Flow()
        for press in (self.open, self.other, self.delete):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        for part in (label("Studies before", "heading"), self.said):
            column.addWidget(part)
        column.addWidget(self.list, 1)
        column.addLayout(ways)
        self.open.clicked.connect(lambda _on=False: self._send(self.openWanted))
        self.delete.clicked.connect(lambda _on=False: self._send(self.deleteWanted))
        self.other.clicked.connect(lambda _on=False: self.askWanted.emit())
        self.list.itemDoubleClicked.connect(lambda _item, _column: self._send(self.openWanted))
        self.list.currentItemChanged.connect(lambda _now, _before: self._follow())
        self._follow()

    def take(self, listed: Sequence[Listed]) -> None:
        self.list.clear()
        for each in listed:
            title = f"{each.title} (rehearsal)" if each.rehearsal and each.title != "Rehearsal" else each.title
            design = each.problem or DESIGNS[each.design]
            opened = each.opened[:16].replace("T", " ")
            item = QTreeWidgetItem([title, design, each.stage, opened, each.folder.name])
            item.setData(0, _FOLDER, str(each.folder))
            item.setData(0, _REHEARSAL, each.rehearsal)
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
            self._send(self.openWanted)
        else:
            super().keyPressEvent(event)

    def _send(self, signal: object) -> None:
        item = self.list.currentItem()
        if item is not None and not item.isDisabled():
            signal.emit(Path(item.data(0, _FOLDER)))  # type: ignore[attr-defined]  # a bound signal has no type of its own

    def _follow(self) -> None:
        item = self.list.currentItem()
        there = item is not None and not item.isDisabled()
        self.open.setEnabled(there)
        self.delete.setVisible(item is not None and bool(item.data(0, _REHEARSAL)))
        self.delete.setEnabled(there)
