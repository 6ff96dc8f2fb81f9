"""A page of earlier work that lies in folders of its own, one a line, to be opened again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.monitor.flow import Flow

_FOLDER = Qt.ItemDataRole.UserRole


class EarlierWords(NamedTuple):
    """`none`: what is said where there is nothing yet; `open_tip`, `other`, `other_tip`: of the two buttons."""

    title: str
    columns: Sequence[str]
    none: str
    open_tip: str
    other: str
    other_tip: str


class EarlierFolder(NamedTuple):
    """`cells`: without its name, which stands last; `problem`: why it cannot be opened."""

    folder: Path
    cells: Sequence[str]
    problem: str = ""


class EarlierFolders(QWidget):
    """`openWanted`: a folder; `otherWanted`: one that lies elsewhere. Buttons beside these two: `more`."""

    openWanted = Signal(object)
    otherWanted = Signal()

    def __init__(self, words: EarlierWords, more: Sequence[QPushButton] = ()) -> None:
        super().__init__()
        self.list = QTreeWidget()
        self.list.setHeaderLabels([*words.columns, "Folder"])
        self.list.setRootIsDecorated(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAccessibleName(words.title)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.setTabKeyNavigation(False)
        self.open, self.other = QPushButton("&Open"), QPushButton(words.other)
        self.open.setProperty("primary", True)
        self.open.setToolTip(f"{words.open_tip} (Enter)")
        self.other.setToolTip(words.other_tip)
        self.said = label(words.none, "muted")
        ways = Flow()
        for press in (self.open, self.other, *more):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        for part in (label(words.title, "heading"), self.said):
            column.addWidget(part)
        column.addWidget(self.list, 1)
        column.addLayout(ways)
        self.open.clicked.connect(lambda _on=False: self._open_current())
        self.other.clicked.connect(lambda _on=False: self.otherWanted.emit())
        self.list.itemDoubleClicked.connect(lambda _item, _column: self._open_current())
        self.list.currentItemChanged.connect(lambda _now, _before: self._follow())

    @property
    def current(self) -> Path | None:
        """The folder that is selected and can be opened."""
        item = self.list.currentItem()
        return Path(item.data(0, _FOLDER)) if item is not None and not item.isDisabled() else None

    def fill(self, rows: Sequence[EarlierFolder]) -> None:
        """In this order; the first is selected."""
        self.list.clear()
        for row in rows:
            item = QTreeWidgetItem([*row.cells, row.folder.name])
            item.setData(0, _FOLDER, str(row.folder))
            item.setToolTip(0, row.problem or str(row.folder))
            item.setDisabled(bool(row.problem))
            self.list.addTopLevelItem(item)
        self.said.setVisible(not rows)
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)
        self._follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.hasFocus():
            self._open_current()
        else:
            super().keyPressEvent(event)

    def _open_current(self) -> None:
        if self.current is not None:
            self.openWanted.emit(self.current)

    def _follow(self) -> None:
        self.open.setEnabled(self.current is not None)
