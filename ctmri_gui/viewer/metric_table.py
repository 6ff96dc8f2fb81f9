"""The metrics of several models in a table: on the slice that is shown, and of the whole volume."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractScrollArea, QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QWidget

from ctmri_gui.viewer.metric_kinds import METRICS, Scores
from ctmri_gui.viewer.metric_rows import Cell, Found, ModelRow, cells, heading
from ctmri_gui.viewer.roles import Pair, Role

_PAIR = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MetricTable(QTreeWidget):
    """Shows what it is given: `rows` twice, below a line for the slice and one for the volume."""

    chosen = Signal(object)  # Role: somebody wants to see the picture of that model

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[ModelRow, ...] = ()
        self.setAccessibleName("Metrics of the models")
        self.setColumnCount(1 + len(METRICS))
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setItemsExpandable(False)
        self.setSizeAdjustPolicy(QAbstractScrollArea.SizeAdjustPolicy.AdjustToContents)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for off in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            off(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.header().setStretchLastSection(False)
        self.header().setSectionsMovable(False)
        for column in range(1 + len(METRICS)):
            modes = QHeaderView.ResizeMode
            self.header().setSectionResizeMode(column, modes.ResizeToContents if column else modes.Stretch)
        self._slice, self._volume = QTreeWidgetItem(self), QTreeWidgetItem(self)
        for group in (self._slice, self._volume):
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            group.setFirstColumnSpanned(True)
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)
        self._head(())

    def set_rows(self, rows: Sequence[ModelRow]) -> None:
        """Other images than before; figures come with `show_slice` and `show_volume`."""
        if tuple(rows) != self.rows:
            self._make(tuple(rows))
        self.show_slice("", {})
        self.show_volume("", {})

    def _make(self, rows: tuple[ModelRow, ...]) -> None:
        self.rows = rows
        for group in (self._slice, self._volume):
            group.takeChildren()
            for row in self.rows:
                item = QTreeWidgetItem(group, [row.name])
                item.setData(0, _PAIR, row.pair)
                item.setToolTip(0, row.tip)
                for column in range(1, 1 + len(METRICS)):
                    item.setTextAlignment(column, _RIGHT)
            group.setExpanded(True)

    def show_slice(self, title: str, found: Found | None) -> None:
        """The figures of what `title` says; None leaves what stands there until they come."""
        self._show(self._slice, title, found)

    def show_volume(self, title: str, found: Found | None) -> None:
        """The same of the whole volume."""
        self._show(self._volume, title, found)

    def set_slice_shown(self, shown: bool) -> None:
        """Whether anything is told of a slice."""
        self._slice.setHidden(not shown)

    def text_of(self, pair: Pair, name: str, *, volume: bool = False) -> str:
        """What stands in the row of a pair, in the column of a metric."""
        group = self._volume if volume else self._slice
        number = [row.pair for row in self.rows].index(pair)
        return _row(group, number).text(1 + list(METRICS).index(name))

    def _show(self, group: QTreeWidgetItem, title: str, found: Found | None) -> None:
        if group.text(0) != title:
            group.setText(0, title)
        if found is None:
            return
        self._head(tuple(found.values()))
        for column, name in enumerate(METRICS, 1):
            column_cells = cells(self.rows, found, name)
            for number, row in enumerate(self.rows):
                self._put(_row(group, number), column, column_cells[row.pair])

    def _head(self, found: Sequence[Scores | None]) -> None:
        words = ["Model", *(heading(found, name) for name in METRICS)]
        there = [self.headerItem().text(column) for column in range(len(words))]
        if words != there and (any(found) or not there[-1].startswith("MAE")):
            self.setHeaderLabels(words)

    @staticmethod
    def _put(item: QTreeWidgetItem, column: int, cell: Cell) -> None:
        if item.text(column) == cell.text:
            return
        item.setText(column, cell.text)
        font = QFont()
        font.setBold(cell.best)
        item.setData(column, Qt.ItemDataRole.FontRole, font if cell.best else None)

    def _choose(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        pair = item.data(0, _PAIR)
        row = next((row for row in self.rows if row.pair == pair), None)
        if row is not None:
            self.chosen.emit(Role(row.role))


def _row(group: QTreeWidgetItem, number: int) -> QTreeWidgetItem:
    row = group.child(number)
    assert row is not None
    return row
