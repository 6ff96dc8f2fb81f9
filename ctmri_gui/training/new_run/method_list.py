"""The methods as cards: a drawing, what each is, needs and costs; those that cannot learn from the data come last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ctmri_core.domain import Direction
from ctmri_core.method import MethodCard
from ctmri_gui.theme import Palette, current_palette
from ctmri_gui.training.new_run.draft import KnownData, why_not
from ctmri_gui.training.new_run.drawings import draw
from ctmri_gui.training.new_run.method_costs import COSTS
from ctmri_gui.viewer.palette import scaled

ENTRY_ROLE = Qt.ItemDataRole.UserRole
_NEEDS = {
    "paired": "aligned pairs: both kinds of one patient, in one place",
    "masks": "masks: what people outlined in one kind of scan",
    "unpaired": "no pairs: scans of different patients will do",
    "multi_domain": "no pairs: scans of two or more kinds, of any patients",
}
_ORDER = tuple(_NEEDS)
_WIDTH, _HEIGHT, _PADDING, _GAP, _SIGN = 120, 80, 12, 16, 18
_NARROW_LETTERS = 56
_WRAP = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class MethodEntry:
    """`reason`: why it cannot learn from the data; `chosen`: it is the method of the draft."""

    card: MethodCard
    reason: str = ""
    chosen: bool = False

    @property
    def needs(self) -> str:
        return f"Needs {_NEEDS[self.card.needs]}" + ("; learns both ways" if self.card.both_ways else "")

    @property
    def cost(self) -> str:
        cost = COSTS.get(self.card.name)
        return cost.words if cost is not None else ""

    @property
    def spoken(self) -> str:
        """All of it, for a screen reader."""
        cost = COSTS.get(self.card.name)
        start = "Chosen. " if self.chosen else "Cannot be chosen. " if self.reason else ""
        parts = (f"{start}{self.card.title}", self.reason, self.card.summary, self.needs, cost.spoken if cost else "")
        return ". ".join(part.rstrip(".") for part in parts if part)


def entries_of(
    cards: Iterable[MethodCard], chosen: str, data: KnownData | None, direction: Direction | None
) -> tuple[MethodEntry, ...]:
    """Those that can be chosen first; methods with pairs before those without, cheap ones first."""
    entries = [MethodEntry(card, why_not(card, data, direction), card.name == chosen) for card in cards]

    def place(entry: MethodEntry) -> tuple[bool, int, float]:
        cost = COSTS.get(entry.card.name)
        return bool(entry.reason), _ORDER.index(entry.card.needs), cost.work if cost else float("inf")

    return tuple(sorted(entries, key=place))


class MethodModel(QAbstractListModel):
    """The entries in their order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[MethodEntry, ...] = ()

    def show(self, entries: tuple[MethodEntry, ...]) -> None:
        """The same methods in the same order keep the cursor where it is."""
        before = self.entries
        same = [entry.card.name for entry in entries] == [entry.card.name for entry in before]
        if same:
            self.entries = entries
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
            return
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def row_of(self, name: str) -> int:
        return next((row for row, entry in enumerate(self.entries) if entry.card.name == name), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == ENTRY_ROLE:
            return entry
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return entry.spoken
        if role == Qt.ItemDataRole.ToolTipRole:
            cost = COSTS.get(entry.card.name)
            return "\n".join(part for part in (entry.card.citation, cost.spoken if cost else "") if part)
        return None

    def flags(self, _index: Index) -> Qt.ItemFlag:
        """What cannot be chosen can be reached by the keys, to read why."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren


class MethodList(QListView):
    """`chosen(str)` as the cursor moves over methods that can be chosen; `done()`: the one under it is taken (Enter)."""

    chosen = Signal(str)
    done = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Methods")
        self.methods = MethodModel(self)
        self.setModel(self.methods)
        self.setItemDelegate(_MethodDelegate(self))
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # the width of cards decides their height
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSpacing(2)
        self._quiet = False
        self.selectionModel().currentChanged.connect(lambda index, _old: self._moved(index))
        self.doubleClicked.connect(lambda _index: self._finish())

    def show_entries(self, entries: tuple[MethodEntry, ...], name: str) -> None:
        """The cursor goes to `name`, unless it is on a method that cannot be chosen."""
        current = self.currentIndex()
        apart = current.isValid() and self.methods.entries[current.row()].reason and self.hasFocus()
        self._quiet = True
        self.methods.show(entries)
        row = self.methods.row_of(name)
        if row >= 0 and not (apart and self.currentIndex().isValid()) and self.currentIndex().row() != row:
            self.setCurrentIndex(self.methods.index(row))
        self._quiet = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.scheduleDelayedItemsLayout()

    def _moved(self, index: QModelIndex) -> None:
        if index.isValid() and not self._quiet:
            entry = self.methods.entries[index.row()]
            if not entry.reason:
                self.chosen.emit(entry.card.name)

    def _finish(self) -> None:
        index = self.currentIndex()
        if index.isValid() and not self.methods.entries[index.row()].reason:
            self.chosen.emit(self.methods.entries[index.row()].card.name)
            self.done.emit()


class _MethodDelegate(QStyledItemDelegate):
    """The drawing at the left; beside it lines that wrap."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        width = self._view.viewport().width() - 2 * self._view.spacing()
        lines = self._lines(option.font, index.data(ENTRY_ROLE), self._text_width(width))
        height = sum(line[3] for line in lines)
        return QSize(width, max(height, scaled(_HEIGHT)) + 2 * _PADDING + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: MethodEntry = index.data(ENTRY_ROLE)
        colours, box = current_palette(), QRect(option.rect).adjusted(2, 2, -2, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_ground(painter, option, box, entry, colours)
        left = box.left() + _PADDING
        if self._has_drawing:
            top = box.top() + (box.height() - scaled(_HEIGHT)) // 2
            draw(painter, entry.card.name, QRectF(left, top, scaled(_WIDTH), scaled(_HEIGHT)), muted=bool(entry.reason))
        lines = self._lines(option.font, entry, self._text_width(box.width() + 4))
        top = box.top() + max((box.height() - sum(line[3] for line in lines)) // 2, _PADDING)
        left = box.right() - _PADDING - self._text_width(box.width() + 4)
        for text, font, role, height, sign in lines:
            painter.setFont(font)
            painter.setPen(QColor(getattr(colours, "muted" if entry.reason and role == "text" else role)))
            room = QRect(left, top, box.right() - _PADDING - left, height)
            if sign:
                side = min(scaled(_SIGN), QFontMetrics(font).height() + 2)
                draw(painter, sign, QRectF(left, top, side, side), muted=bool(entry.reason))
                room.adjust(side + 6, 0, 0, 0)
            painter.drawText(room, _WRAP, text)
            top += height
        painter.restore()

    @property
    def _has_drawing(self) -> bool:
        return self._view.viewport().width() > _NARROW_LETTERS * self._view.fontMetrics().averageCharWidth()

    def _text_width(self, width: int) -> int:
        drawing = scaled(_WIDTH) + _GAP if self._has_drawing else 0
        return max(width - drawing - 2 * _PADDING - 4, 80)

    @staticmethod
    def _lines(font: QFont, entry: MethodEntry, width: int) -> list[tuple[str, QFont, str, int, str]]:
        """(text, font, colour, height, sign before it) of each line that wraps."""
        bold = QFont(font)
        bold.setWeight(QFont.Weight.DemiBold)
        title = f"● {entry.card.title}" if entry.chosen else f"○ {entry.card.title}"
        texts = [(title, bold, "text", ""), (entry.card.summary, font, "text", "")]
        texts.append((entry.needs, font, "muted", f"needs_{entry.card.needs}"))
        if entry.cost:
            texts.append((entry.cost, font, "muted", ""))
        if entry.reason:
            texts.append((f"▲ {entry.reason}", font, "warning", ""))
        lines = []
        for text, used, role, sign in texts:
            metrics, room = QFontMetrics(used), width - (scaled(_SIGN) + 6 if sign else 0)
            lines.append((text, used, role, metrics.boundingRect(QRect(0, 0, room, 10_000), _WRAP, text).height() + 4, sign))
        return lines

    @staticmethod
    def _draw_ground(
        painter: QPainter, option: QStyleOptionViewItem, box: QRect, entry: MethodEntry, colours: Palette
    ) -> None:
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver) and not entry.reason
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(QColor(colours.selected if entry.chosen else colours.raised if hovered else colours.panel))
        painter.setPen(QPen(QColor(colours.accent if focused or entry.chosen else colours.border), 2 if focused else 1))
        painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 8, 8)
