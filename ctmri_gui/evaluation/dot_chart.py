"""Every case under every model as a dot: how far scores spread, and who lies outside."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ctmri_gui.evaluation.figures import number
from ctmri_gui.theme import current_palette
from ctmri_gui.viewer.palette import changes_text, scaled

_TICKS, _NEAR = 4, 10
_SPREAD = 11
"""Dots of neighbours stand in so many places side by side."""


@dataclass(frozen=True)
class Dot:
    """`column`: place of its model; `counted`: whether it is in the means."""

    case: int
    model: int
    column: int
    value: float
    label: str
    counted: bool = True


class DotChart(QWidget):
    """`chosen(case, model)` follows a click or the arrow keys; `opened(case, model)` a double click or Enter."""

    chosen = Signal(int, int)
    opened = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.dots: tuple[Dot, ...] = ()
        self._names: tuple[str, ...] = ()
        self._title, self._unit = "", ""
        self.current: Dot | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Scores of each case")
        self.setAccessibleDescription("Left and right go from case to case, by their scores; Enter opens one in the viewer.")

    def take(self, dots: Sequence[Dot], names: Sequence[str], title: str, unit: str) -> None:
        """`title`: of the vertical axis."""
        self.dots = tuple(sorted((dot for dot in dots if math.isfinite(dot.value)), key=lambda dot: (dot.column, dot.value)))
        self._names, self._title, self._unit = tuple(names), title, unit
        self.current = None
        self.update()

    def select(self, case: int, model: int) -> None:
        """Marks a case; nothing is emitted."""
        self.current = next((dot for dot in self.dots if (dot.case, dot.model) == (case, model)), None)
        self.update()

    def place_of(self, dot: Dot) -> QPointF:
        """Where it is drawn."""
        area = self._area()
        wide = area.width() / max(len(self._names), 1)
        own = [other for other in self.dots if other.column == dot.column]
        aside = (own.index(dot) % _SPREAD - _SPREAD // 2) / _SPREAD * min(wide * 0.7, scaled(220))
        low, high = self._limits()
        y = area.bottom() - (dot.value - low) / (high - low) * area.height()
        return QPointF(area.left() + (dot.column + 0.5) * wide + aside, y)

    def sizeHint(self) -> QSize:
        return QSize(scaled(420), scaled(260))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(240), scaled(180))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if changes_text(event):
            self.updateGeometry()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            dot = self._at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if dot is None else self._words(dot), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        dot = self._at(event.position())
        if dot is not None:
            self._choose(dot)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        dot = self._at(event.position())
        if dot is not None:
            self.opened.emit(dot.case, dot.model)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}.get(Qt.Key(event.key()))
        if step is not None and self.dots:
            at = self.dots.index(self.current) + step if self.current is not None else 0
            self._choose(self.dots[min(max(at, 0), len(self.dots) - 1)])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current is not None:
            self.opened.emit(self.current.case, self.current.model)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.dots:
            painter.setPen(QColor(current_palette().muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "There are no scores to draw.")
            return
        self._draw_axes(painter)
        for column in range(len(self._names)):
            self._draw_median(painter, column)
        for dot in self.dots:
            self._draw_dot(painter, dot)
        if self.hasFocus():
            painter.setPen(QPen(QColor(current_palette().accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _area(self) -> QRectF:
        line = self.fontMetrics().lineSpacing()
        left = self.fontMetrics().horizontalAdvance("0000.00 ") + 8
        return QRectF(left, 1.8 * line, max(self.width() - left - line, 1), max(self.height() - 4 * line, 1))

    def _limits(self) -> tuple[float, float]:
        low, high = min(dot.value for dot in self.dots), max(dot.value for dot in self.dots)
        room = 0.08 * (high - low) or max(abs(high) * 0.05, 1e-6)
        return low - room, high + room

    def _draw_axes(self, painter: QPainter) -> None:
        colours, area, line = current_palette(), self._area(), self.fontMetrics().lineSpacing()
        low, high = self._limits()
        for tick in range(_TICKS + 1):
            y = area.bottom() - tick / _TICKS * area.height()
            painter.setPen(QPen(QColor(colours.border), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(colours.muted))
            text = number(low + tick / _TICKS * (high - low), self._unit)
            place = QRectF(0, y - line / 2, area.left() - 6, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(QColor(colours.text))
        painter.drawText(QRectF(6, 2, self.width() - 12, line), Qt.AlignmentFlag.AlignLeft, self._title)
        wide = area.width() / len(self._names)
        for column, name in enumerate(self._names):
            place = QRectF(area.left() + column * wide, area.bottom() + line / 2, wide, line)
            elided = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(wide) - 6)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, elided)

    def _draw_median(self, painter: QPainter, column: int) -> None:
        values = [dot.value for dot in self.dots if dot.column == column and dot.counted]
        if not values:
            return
        area, (low, high) = self._area(), self._limits()
        y = area.bottom() - (statistics.median(values) - low) / (high - low) * area.height()
        wide = area.width() / len(self._names)
        middle, half = area.left() + (column + 0.5) * wide, min(wide * 0.4, scaled(70))
        painter.setPen(QPen(QColor(current_palette().text), 2))
        painter.drawLine(QPointF(middle - half, y), QPointF(middle + half, y))

    def _draw_dot(self, painter: QPainter, dot: Dot) -> None:
        """Hollow where it is left out of the means."""
        colours, size = current_palette(), scaled(9) / 2
        chosen = self.current is dot
        painter.setPen(QPen(QColor(colours.text if chosen else colours.accent), 3 if chosen else 2))
        painter.setBrush(QColor(colours.accent) if dot.counted else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(self.place_of(dot), size * (1.6 if chosen else 1), size * (1.6 if chosen else 1))

    def _at(self, place: QPointF) -> Dot | None:
        """The dot under the mouse, or near it."""
        near = [(_apart(self.place_of(dot), place), dot) for dot in self.dots]
        distance, dot = min(near, key=lambda entry: entry[0], default=(math.inf, None))
        return dot if distance <= scaled(_NEAR) else None

    def _choose(self, dot: Dot) -> None:
        self.current = dot
        self.setAccessibleDescription(self._words(dot))
        self.update()
        self.chosen.emit(dot.case, dot.model)

    def _words(self, dot: Dot) -> str:
        out = "" if dot.counted else ", left out of the means"
        return f"{dot.label}, {self._names[dot.column]}: {number(dot.value, self._unit)} {self._unit}".rstrip() + out


def _apart(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())
