"""All cases at a glance: a small picture of each, those that something is wrong with first. Only what is in sight is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ctmri_core.events import StopSignal, Work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.theme import Palette, current_palette
from ctmri_gui.training.new_run.case_pictures import Tiles
from ctmri_gui.training.new_run.case_rows import CaseRow
from ctmri_gui.viewer.palette import scaled

ROW_ROLE, TILES_ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_TILE, _GAP, _PADDING, _TILES_SHOWN = 92, 2, 6, 3
_AT_ONCE, _AHEAD, _KEPT = 8, 12, 400
_DELAY_MS = 40

Index = QModelIndex | QPersistentModelIndex
Make = Callable[[Sequence[CaseRow], StopSignal], Work[Mapping[int, Tiles] | None]]


class CaseModel(QAbstractListModel):
    """Rows in the order given, with pictures as they come."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[CaseRow, ...] = ()
        self.tiles: dict[int, Tiles] = {}

    def show(self, rows: Sequence[CaseRow]) -> None:
        self.beginResetModel()
        self.rows, self.tiles = tuple(rows), {}
        self.endResetModel()

    def take(self, made: Mapping[int, Tiles]) -> None:
        """Pictures by number; the oldest are forgotten where there are very many."""
        self.tiles |= made
        for number in list(self.tiles)[: max(len(self.tiles) - _KEPT, 0)]:
            del self.tiles[number]
        self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1), [TILES_ROLE])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == TILES_ROLE:
            return self.tiles.get(row.number)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.spoken
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join((f"{row.title}, {row.side}", *row.messages))
        return None


class CaseDelegate(QStyledItemDelegate):
    """Above the pictures stand the case's number and what is wrong with it."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        side = scaled(_TILE)
        width = _TILES_SHOWN * (side + _GAP) + 2 * _PADDING + 4
        return QSize(width, side + round(2.7 * option.fontMetrics.height()) + 2 * _PADDING + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, tiles, colours = index.data(ROW_ROLE), index.data(TILES_ROLE), current_palette()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRect(option.rect).adjusted(2, 2, -2, -2)
        self._draw_ground(painter, option, box, row, colours)
        inner = box.adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        line, muted = option.fontMetrics.height(), QColor(colours.muted)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        head = QRect(inner.left(), inner.top(), inner.width(), line)
        ahead = QFontMetrics(bold).horizontalAdvance(row.title) + 10
        _write(painter, bold, QColor(colours.text if row.used else colours.muted), head, row.title)
        _write(painter, option.font, muted, head.adjusted(ahead, 0, 0, 0), f"· {row.side}")
        colour = QColor(colours.error if row.serious else colours.warning) if row.words else QColor(colours.good)
        _write(painter, option.font, colour, head.translated(0, round(1.2 * line)), row.words or "✓ nothing found")
        below = QRect(inner.left(), inner.bottom() - scaled(_TILE) + 1, inner.width(), scaled(_TILE))
        self._draw_tiles(painter, below, row, tiles)
        painter.restore()

    @staticmethod
    def _draw_ground(painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: CaseRow, colours: Palette) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(QColor(colours.selected if selected else colours.raised if hovered else colours.panel))
        wrong = colours.error if row.serious else colours.border
        painter.setPen(QPen(QColor(colours.accent if focused or selected else wrong), 1))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    @staticmethod
    def _draw_tiles(painter: QPainter, box: QRect, row: CaseRow, tiles: Tiles | None) -> None:
        side = box.height()
        shown = () if tiles is None else (*tiles.pictures[: _TILES_SHOWN - 1], tiles.overlay)
        if not row.used:
            painter.setOpacity(0.35)
        for place in range(_TILES_SHOWN if len(shown) != 2 else 2):  # one kind of picture, and its outline
            frame = QRect(box.left() + place * (side + _GAP), box.top(), side, side)
            painter.fillRect(frame, QColor("#000000"))
            if place < len(shown):
                painter.drawImage(frame, shown[place])
            elif not row.files:
                painter.setPen(QColor("#8d99a8"))
                painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "—")


class CaseGrid(QListView):
    """`opened(CaseRow)` for the case that is clicked, or under the cursor when Enter is pressed."""

    opened = Signal(object)

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.setAccessibleName("Cases, those that something is wrong with first")
        self.cases = CaseModel(self)
        self.setModel(self.cases)
        self.setItemDelegate(CaseDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._make: Make | None = None
        self._latest = Latest(jobs)
        self._failed: set[int] = set()
        self._look_soon = QTimer(self)
        self._look_soon.setSingleShot(True)
        self._look_soon.setInterval(_DELAY_MS)
        self._look_soon.timeout.connect(self._look)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._look_soon.start())
        self.clicked.connect(lambda index: self.opened.emit(index.data(ROW_ROLE)))

    def show_rows(self, rows: Iterable[CaseRow], make: Make | None) -> None:
        """`make`: has pictures of some rows made; None: pictures are given by `cases.take`."""
        self._latest.drop()
        self._latest.state = None
        self._make, self._failed = make, set()
        self.cases.show(tuple(rows))
        self._look_soon.start()

    def close_pictures(self) -> None:
        """Makes no more pictures."""
        self._make = None
        self._latest.drop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look_soon.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._look_soon.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().data(ROW_ROLE))
        else:
            super().keyPressEvent(event)

    def _look(self) -> None:
        """Asks for pictures of the rows in sight and of those below, a few at a time."""
        busy = self._latest.state is not None and self._latest.state.running
        if self._make is None or busy or not self.isVisible() or not self.cases.rows:
            return
        area = self.viewport().rect()
        first = last = None
        for row in range(len(self.cases.rows)):
            place = self.visualRect(self.cases.index(row))
            if place.bottom() < area.top():
                continue
            if place.top() > area.bottom():
                break
            first, last = row if first is None else first, row
        if first is None or last is None:
            return
        near = self.cases.rows[first : last + 1 + _AHEAD]
        wanted = [row for row in near if row.files and row.number not in self.cases.tiles and row.number not in self._failed]
        if wanted:
            self._ask(wanted[:_AT_ONCE])

    def _ask(self, rows: Sequence[CaseRow]) -> None:
        make = self._make
        assert make is not None

        def begin(stop: StopSignal) -> Work[Any]:
            return make(rows, stop)

        def take(made: Mapping[int, Tiles]) -> None:
            self._failed |= {row.number for row in rows} - set(made)
            self.cases.take(made)

        self._latest.ask("Small pictures", begin, take, ended=lambda _end: self._look_soon.start(), listed=False)


def _write(painter: QPainter, font: QFont, colour: QColor, box: QRect, text: str) -> None:
    painter.setFont(font)
    painter.setPen(colour)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
