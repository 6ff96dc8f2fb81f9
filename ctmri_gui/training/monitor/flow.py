"""A layout that fills rows and goes on in the next one, for what must stay whole in a narrow window."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class Flow(QLayout):
    """`columns`: all cells as wide as the widest, so that they stand in columns."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = 6, columns: bool = False) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._columns = columns
        self.setSpacing(gap)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._placed(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._placed(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _placed(self, rect: QRect, *, move: bool) -> int:
        """The height that all take within `rect`'s width; what is lower than its row stands in the middle of it."""
        y = rect.y()
        for row in self._rows(rect.width()):
            high = max(size.height() for _, size in row)
            x = rect.x()
            for item, size in row:
                if move:
                    item.setGeometry(QRect(QPoint(x, y + (high - size.height()) // 2), size))
                x += size.width() + self.spacing()
            y += high + self.spacing()
        return max(y - self.spacing() - rect.y(), 0)

    def _rows(self, width: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        items = [item for item in self._items if not item.isEmpty()]
        cell = self._cell(width, items)
        rows: list[list[tuple[QLayoutItem, QSize]]] = []
        x = width
        for item in items:
            hint = item.sizeHint()
            size = QSize(cell or min(hint.width(), width), hint.height())
            if not rows or x + size.width() > width:
                rows.append([])
                x = 0
            rows[-1].append((item, size))
            x += size.width() + self.spacing()
        return rows

    def _cell(self, width: int, items: list[QLayoutItem]) -> int:
        """How wide each is; 0: as wide as it likes."""
        if not self._columns or not items:
            return 0
        widest = min(max(item.sizeHint().width() for item in items), max(width, 1))
        fit = max((width + self.spacing()) // (widest + self.spacing()), 1)
        return (width + self.spacing()) // fit - self.spacing()
