"""Counts in large type, each above what it counts."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label

_FIGURE_LETTERS = 15


class Figures(QWidget):
    """As many in a row as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._cells: list[QWidget] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(20)
        self._grid.setVerticalSpacing(4)

    def show_figures(self, figures: Mapping[str, str]) -> None:
        for cell in self._cells:
            self._grid.removeWidget(cell)
            cell.setParent(None)
            cell.deleteLater()
        self._cells = [_figure(name, value) for name, value in figures.items()]
        self._place()

    def minimumSizeHint(self) -> QSize:
        """Two in a row, whatever there is room for now."""
        widest = max((cell.minimumSizeHint().width() for cell in self._cells), default=0)
        return QSize(2 * widest + self._grid.horizontalSpacing(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        across = max(self.width() // (_FIGURE_LETTERS * self.fontMetrics().averageCharWidth()), 2)
        for number, cell in enumerate(self._cells):
            self._grid.addWidget(cell, number // across, number % across)
            cell.show()
        for column in range(self._grid.columnCount() + 1):
            self._grid.setColumnStretch(column, int(column == min(across, len(self._cells))))


def _figure(name: str, value: str) -> QWidget:
    cell = QWidget()
    column = QVBoxLayout(cell)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(label(value, "figure", wrap=False))
    column.addWidget(label(name, "muted", wrap=False))
    return cell
