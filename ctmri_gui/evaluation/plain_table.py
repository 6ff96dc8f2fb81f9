"""A small table of texts that can be gone through by keys, as high as its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ctmri_gui.viewer.palette import changes_text


@dataclass(frozen=True)
class Cell:
    """`strong`: drawn bold, and said to be so by `said`; `tip`: when pointed at."""

    text: str
    tip: str = ""
    strong: bool = False
    said: str = ""


class PlainTable(QTableWidget):
    """Its first column is left-aligned, what follows are numbers or words beside them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def fill(self, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self.clear()
        self.setColumnCount(len(head))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels(list(head))
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                self.setItem(row, column, _item(cell, head[column]))
        self._fit()

    def texts(self) -> list[list[str]]:
        """What stands in it, row by row."""
        found = []
        for row in range(self.rowCount()):
            items = [self.item(row, column) for column in range(self.columnCount())]
            found.append(["" if item is None else item.text() for item in items])
        return found

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if changes_text(event):
            self._fit()

    def _fit(self) -> None:
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        height += sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(height + self.horizontalScrollBar().sizeHint().height())


def _item(cell: Cell, head: str) -> QTableWidgetItem:
    item = QTableWidgetItem(cell.text)
    item.setToolTip(cell.tip)
    said = f"{head}: {cell.text or 'none'}".replace("\n", ", ")
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{said}, {cell.said}" if cell.said else said)
    if cell.strong:
        bold = QFont(item.font())
        bold.setBold(True)
        item.setFont(bold)
    return item
