"""Two lists between which pictures are dragged: those that have no place yet, and the others from best to worst."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QGridLayout, QListWidget, QListWidgetItem, QWidget

from ctmri_gui.panels.small_parts import label

_NUMBER = Qt.ItemDataRole.UserRole


class _List(QListWidget):
    dropped = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setDragDropMode(QListWidget.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def dropEvent(self, event: QDropEvent) -> None:
        if isinstance(event.source(), _List):
            super().dropEvent(event)
            self.dropped.emit()

    @property
    def numbers(self) -> list[int]:
        return [int(self.item(row).data(_NUMBER)) for row in range(self.count())]

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 40)


class RankingLists(QWidget):
    """`changed` when the order is another one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._open, self._ranked = _List("Without a place"), _List("From best to worst")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, (title, one) in enumerate((("No place yet", self._open), ("Best to worst", self._ranked))):
            grid.addWidget(label(title, "heading"), 0, column)
            grid.addWidget(one, 1, column)
            one.model().rowsRemoved.connect(self._settle, Qt.ConnectionType.QueuedConnection)  # a drag ends with it
            one.dropped.connect(self._settle)
            one.itemDoubleClicked.connect(self._toggle_soon)

    @property
    def order(self) -> list[int]:
        """Numbers from 0, best first, of those that have a place."""
        return self._ranked.numbers

    def begin(self, count: int) -> None:
        """So many pictures, none of which has a place."""
        self._fill(list(range(count)), [])
        height = (self.fontMetrics().height() + 14) * max(count, 2) + 8
        for one in (self._open, self._ranked):
            one.setFixedHeight(height)

    def put(self, order: Sequence[int]) -> None:
        everything = (*self._open.numbers, *self._ranked.numbers)
        self._fill(sorted(set(everything) - set(order)), list(order))

    def toggle(self, number: int) -> bool:
        """Gives a picture the next place, or takes its place away; whether there is such a picture."""
        order = self.order
        if number not in (*self._open.numbers, *order) or number < 0:
            return False
        self.put([one for one in order if one != number] if number in order else [*order, number])
        self.changed.emit()
        return True

    def _toggle_soon(self, item: QListWidgetItem) -> None:
        """The lists are filled anew: not while one of them hands out its item."""
        number = int(item.data(_NUMBER))
        QTimer.singleShot(0, self, lambda: self.toggle(number))

    def _fill(self, unplaced: list[int], ranked: list[int]) -> None:
        for one, numbers in ((self._open, unplaced), (self._ranked, ranked)):
            one.clear()
            for number in numbers:
                item = QListWidgetItem()
                item.setData(_NUMBER, number)
                one.addItem(item)
        self._name()

    def _settle(self) -> None:
        self._name()
        self.changed.emit()

    def _name(self) -> None:
        for one in (self._open, self._ranked):
            for row, number in enumerate(one.numbers):
                place = f"{row + 1}.  " if one is self._ranked else ""
                one.item(row).setText(f"{place}Picture {number + 1}")
