"""Each patient's error under each contender as dots: who is better on whom is seen at once."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ctmri_core.training.verdict import DirectionVerdict
from ctmri_gui.theme import current_palette
from ctmri_gui.training.monitor.curve_kinds import pen
from ctmri_gui.training.monitor.words import number
from ctmri_gui.viewer.palette import changes_text, scaled

_TICKS = 4
_SHAPES = 4


class DotPlot(QWidget):
    """Patients side by side, their errors upwards from 0. Contenders differ by shape as well as by colour."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict: DirectionVerdict | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Error of each patient")

    def show_verdict(self, verdict: DirectionVerdict) -> None:
        self._verdict = verdict
        own = verdict.contenders[0] if verdict.contenders else None
        told = [] if own is None else [f"patient {each.patient}: {number(each.error)} {verdict.unit}" for each in own.scores]
        self.setAccessibleDescription("Of this model: " + "; ".join(told))
        self.setToolTip("Lower is better. Each column is one validation patient.")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(scaled(420), scaled(240))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if changes_text(event):
            self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        verdict = self._verdict
        if verdict is None or not verdict.contenders:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().lineSpacing()
        rows = self._draw_legend(painter, verdict, line)
        left = self.fontMetrics().horizontalAdvance("0000.0 ") + 8
        area = QRectF(left, (rows + 0.8) * line, self.width() - left - line, self.height() - (rows + 3.2) * line)
        top = max(each.error for one in verdict.contenders for each in one.scores) or 1.0
        self._draw_axes(painter, verdict, area, top, line)
        for place, contender in enumerate(verdict.contenders):
            for column, scores in enumerate(contender.scores):
                wide = area.width() / verdict.patients
                aside = (place - (len(verdict.contenders) - 1) / 2) * min(wide / 8, line)  # equal errors stay apart
                x = area.left() + (column + 0.5) * wide + aside
                self._draw_dot(painter, QPointF(x, area.bottom() - scores.error / top * area.height()), place)

    def _draw_legend(self, painter: QPainter, verdict: DirectionVerdict, line: int) -> int:
        """How many lines it takes."""
        x, row = float(line), 0
        for place, contender in enumerate(verdict.contenders):
            wide = self.fontMetrics().horizontalAdvance(contender.label) + 3 * line
            if x + wide > self.width() and x > line:
                x, row = float(line), row + 1
            self._draw_dot(painter, QPointF(x, (row + 0.5) * line), place)
            painter.setPen(QColor(current_palette().text))
            painter.drawText(QPointF(x + line, (row + 0.8) * line), contender.label)
            x += wide
        return row + 1

    def _draw_axes(self, painter: QPainter, verdict: DirectionVerdict, area: QRectF, top: float, line: int) -> None:
        colours = current_palette()
        for tick in range(_TICKS + 1):
            y = area.bottom() - tick / _TICKS * area.height()
            painter.setPen(QPen(QColor(colours.border), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(colours.muted))
            place = QRectF(0, y - line / 2, area.left() - 6, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number(top * tick / _TICKS))
        wide = area.width() / verdict.patients
        step = max(math.ceil(self.fontMetrics().horizontalAdvance("000") / wide), 1)
        for column in range(0, verdict.patients, step):
            place = QRectF(area.left() + (column + 0.5) * wide - line * 2, area.bottom() + 2, line * 4, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(verdict.contenders[0].scores[column].patient))
        foot = QRectF(0, area.bottom() + line, self.width(), line * 1.2)
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, f"patient; error in {verdict.unit}, lower is better")

    def _draw_dot(self, painter: QPainter, centre: QPointF, place: int) -> None:
        name = "light" if QColor(current_palette().window).lightness() > 127 else "dark"
        colour = pen(place, name).color()
        size = scaled(9) / 2
        painter.setPen(QPen(colour, 2))
        painter.setBrush(colour if place == 0 else Qt.BrushStyle.NoBrush)  # the new model's are filled
        shape = place % _SHAPES
        if shape == 0:
            painter.drawEllipse(centre, size, size)
        elif shape == 1:
            painter.drawRect(QRectF(centre.x() - size, centre.y() - size, 2 * size, 2 * size))
        elif shape == 2:
            aside, up = QPointF(size * 1.2, 0), QPointF(0, size * 1.2)
            painter.drawPolygon(QPolygonF([centre - up, centre + aside, centre + up, centre - aside]))
        else:
            away = QPointF(size, -size)
            painter.drawLine(centre - QPointF(size, size), centre + QPointF(size, size))
            painter.drawLine(centre - away, centre + away)
