"""The rows of the picker for Qt's lists: a model without widgets and the painting of one row."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ctmri_gui.series_picker.rows import Row
from ctmri_gui.theme import Palette, current_palette

ROW_ROLE, PICTURE_ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_PADDING, _GAP, _THUMBNAIL, _ROUNDING = 8, 12, 72, 4

Index = QModelIndex | QPersistentModelIndex


class SeriesModel(QAbstractListModel):
    """Rows in the order given, with pictures as they come."""

    def __init__(self, rows: Sequence[Row], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = tuple(rows)
        self._pictures: dict[int, QImage] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == PICTURE_ROLE:
            return self._pictures.get(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.spoken
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join((row.title, row.facts, *(finding.message for finding in row.remarks)))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """What is refused can be reached by the keys, to read why, but not chosen."""
        usable = self.rows[index.row()].usable
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
        return plain | Qt.ItemFlag.ItemIsSelectable if usable else plain

    def set_picture(self, row: int, picture: QImage) -> None:
        self._pictures[row] = picture
        self.dataChanged.emit(self.index(row), self.index(row), [PICTURE_ROLE])


class SeriesDelegate(QStyledItemDelegate):
    """Picture at the left, beside it what the series is, its size, and the first thing to know about it."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        line = option.fontMetrics.height()
        return QSize(0, max(_THUMBNAIL, round(line * 3.8)) + 2 * _PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, picture = index.data(ROW_ROLE), index.data(PICTURE_ROLE)
        colours = current_palette()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRect(option.rect).adjusted(2, 2, -2, -2)
        self._draw_ground(painter, option, box, colours)
        side = box.height() - 2 * _PADDING + 4
        frame = QRect(box.left() + _PADDING, box.top() + (box.height() - side) // 2, side, side)
        self._draw_picture(painter, frame, row, picture, colours)
        text = box.adjusted(_PADDING + side + _GAP, _PADDING, -_GAP, -_PADDING)
        self._draw_text(painter, option, text, row, colours)
        painter.restore()

    @staticmethod
    def _draw_ground(painter: QPainter, option: QStyleOptionViewItem, box: QRect, colours: Palette) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        ground = colours.selected if selected else colours.raised if hovered else colours.panel
        painter.setBrush(QColor(ground))
        painter.setPen(QPen(QColor(colours.accent if focused or selected else colours.border), 1))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    @staticmethod
    def _draw_picture(painter: QPainter, frame: QRect, row: Row, picture: QImage | None, colours: Palette) -> None:
        painter.fillRect(frame, QColor("#000000"))
        if picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(frame, picture)
            return
        painter.setPen(QColor("#8d99a8"))
        words = row.series.domain.modality if row.usable else "—"
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, words or "?")
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)

    def _draw_text(self, painter: QPainter, option: QStyleOptionViewItem, box: QRect, row: Row, colours: Palette) -> None:
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        line = option.fontMetrics.height()
        top = box.top() + max((box.height() - round(3.5 * line)) // 2, 0)
        muted = QColor(colours.muted)
        right = self._draw_badges(painter, option.font, QRect(box.left(), top, box.width(), line), row.badges, colours)
        title = QRect(box.left(), top, max(right - box.left(), 0), line)
        _write(painter, bold, QColor(colours.text) if row.usable else muted, title, row.title, Qt.TextElideMode.ElideMiddle)
        facts = QRect(box.left(), top + round(1.25 * line), box.width(), line)
        _write(painter, option.font, muted, facts, row.facts)
        if row.remarks:
            self._draw_remark(painter, option.font, QRect(box.left(), top + round(2.5 * line), box.width(), line), row, colours)

    @staticmethod
    def _draw_remark(painter: QPainter, font: QFont, box: QRect, row: Row, colours: Palette) -> None:
        """The first one, shortened; how many more there are stays readable."""
        first = row.remarks[0]
        colour = colours.error if not row.usable else colours.warning if first.serious else colours.muted
        sign = "Cannot be opened: " if not row.usable else "▲ " if first.serious else ""
        room = QFontMetrics(font).horizontalAdvance(f"   {row.more}") + _ROUNDING if row.more else 0
        _write(painter, font, QColor(colour), box.adjusted(0, 0, -room, 0), f"{sign}{first.message}")
        end = box.adjusted(box.width() - room, 0, 0, 0)
        _write(painter, font, QColor(colours.muted), end, f"   {row.more}")

    @staticmethod
    def _draw_badges(painter: QPainter, font: QFont, box: QRect, badges: Sequence[str], colours: Palette) -> int:
        """At the right end of the first line; returns where they begin."""
        right = box.right()
        painter.setFont(font)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for badge in reversed(badges):
            width = QFontMetrics(font).horizontalAdvance(badge) + 14
            place = QRect(right - width, box.top(), width, box.height())
            painter.setPen(QPen(QColor(colours.warning), 1))
            painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, badge)
            right -= width + 8
        return right


def _write(
    painter: QPainter, font: QFont, colour: QColor, box: QRect, text: str, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight
) -> None:
    metrics = QFontMetrics(font)
    painter.setFont(font)
    painter.setPen(colour)
    at = QPointF(box.left(), box.top() + (box.height() + metrics.ascent() - metrics.descent()) / 2)
    painter.drawText(at, metrics.elidedText(text, mode, box.width()))
