"""The list of a run's curves: which are shown, how each is drawn, and its value. The legend of all plots."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from ctmri_gui.training.monitor.curve_kinds import Kind, palette_name, swatch
from ctmri_gui.viewer.palette import scaled

_LEAST, _WIDTH = 200, 270
_KEY = Qt.ItemDataRole.UserRole


class CurveList(QTreeWidget):
    """Curves by plot, with a tick each. `chosen`: another choice of them is shown."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Curves that are shown")
        self.setColumnCount(2)
        self.setHeaderLabels(["Curve", "Last value"])
        self.setRootIsDecorated(False)
        self.setIndentation(8)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._heads: dict[str, QTreeWidgetItem] = {}
        self.itemChanged.connect(lambda row, column: self.chosen.emit() if column == 0 and row.data(0, _KEY) else None)

    def sizeHint(self) -> QSize:
        return QSize(scaled(_WIDTH), super().sizeHint().height())

    @property
    def plots(self) -> tuple[str, ...]:
        """Their titles from top to bottom."""
        return tuple(self._heads)

    def forget(self) -> None:
        """Empties the list."""
        self._rows.clear()
        self._heads.clear()
        self.clear()

    def add(self, kind: Kind) -> None:
        self.blockSignals(True)
        head = self._heads.get(kind.plot)
        if head is None:
            head = self._heads[kind.plot] = QTreeWidgetItem(self, [kind.plot])
            head.setFirstColumnSpanned(True)
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            head.setToolTip(0, kind.plot)
        row = self._rows[kind.key] = QTreeWidgetItem(head, [kind.label])
        row.setData(0, _KEY, kind.key)
        row.setIcon(0, self._swatch(row))
        row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
        row.setToolTip(0, f"{kind.plot}: {kind.label}")
        row.setCheckState(0, Qt.CheckState.Checked if kind.shown else Qt.CheckState.Unchecked)
        head.setExpanded(True)
        self.blockSignals(False)

    def shows(self, key: str) -> bool:
        return self._rows[key].checkState(0) == Qt.CheckState.Checked

    def place(self, key: str) -> int:
        """Of a curve among those of its plot."""
        return _place(self._rows[key])

    def value(self, key: str) -> str:
        """What stands beside the curve."""
        return self._rows[key].text(1)

    def tell(self, where: str, values: Mapping[str, str]) -> None:
        """`where`: at which step the `values` are."""
        self.headerItem().setText(1, where)
        self.blockSignals(True)
        for key, value in values.items():
            self._rows[key].setText(1, value)
        self.blockSignals(False)

    def dress(self) -> None:
        """In the present colours and size of text."""
        side = scaled(13)
        self.setIconSize(QSize(2 * side, side))
        self.setMinimumWidth(scaled(_LEAST))
        self.blockSignals(True)
        for row in self._rows.values():
            row.setIcon(0, self._swatch(row))
        self.blockSignals(False)

    def _swatch(self, row: QTreeWidgetItem) -> QIcon:
        return swatch(_place(row), palette_name(), self.iconSize().height())


def _place(row: QTreeWidgetItem) -> int:
    head = row.parent()
    return head.indexOfChild(row) if head is not None else 0
