"""Words on a dark ground over a picture, in its upper left corner or beside a point."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from ctmri_gui.viewer import palette

EDGE, PADDING = 12.0, 7.0
_BESIDE_LETTER = 22.0
_GROUND = QColor(8, 12, 16, 225)
_WIDEST = 420
_FEWEST_LETTERS = 2
_WRAPPED = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


def below_letters() -> float:
    """The height under the letter at the upper edge of a picture."""
    return EDGE + palette.scaled(24)


def place(width: float, height: float, pane_width: int) -> QRectF:
    """A box in the upper left corner: beside the letter of the upper edge, or below it where there is no room."""
    beside = EDGE + width + _BESIDE_LETTER <= pane_width / 2
    return QRectF(EDGE, EDGE - 2 if beside else below_letters(), width, height)


def ground(painter: QPainter, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(box, 4, 4)


@dataclass(frozen=True)
class Chip:
    """A few words, broken into lines where the pane is narrow."""

    text: str
    bold: bool = False

    def draw(self, painter: QPainter, pane_width: int) -> None:
        """In the upper left corner."""
        size = self._size(min(pane_width - 2 * EDGE, palette.scaled(_WIDEST)))
        self._draw(painter, place(*size, pane_width))

    def draw_at(self, painter: QPainter, at: QPointF, anchor: tuple[float, float], room: float) -> None:
        """In one line of at most `room`, shortened where that is too little; nothing where it is hopeless. `anchor`: which point
        of the box lies at `at`, (0, 0) its upper left corner."""
        metrics = QFontMetricsF(self._font)
        text = metrics.elidedText(self.text, Qt.TextElideMode.ElideRight, room - 2 * PADDING - 1)
        if len(text) > _FEWEST_LETTERS:
            width, height = math.ceil(metrics.horizontalAdvance(text)) + 2 * PADDING + 1, math.ceil(metrics.height()) + 7
            box = QRectF(at.x() - width * anchor[0], at.y() - height * anchor[1], width, height)
            Chip(text, self.bold)._draw(painter, box)

    def _draw(self, painter: QPainter, box: QRectF) -> None:
        ground(painter, box)
        painter.setFont(self._font)
        painter.setPen(palette.TEXT)
        painter.drawText(box.adjusted(PADDING, 3, -PADDING + 2, -3), _WRAPPED, self.text)

    def _size(self, widest: float) -> tuple[float, float]:
        room = QRectF(0, 0, max(widest - 2 * PADDING, 40), 1000)
        taken = QFontMetricsF(self._font).boundingRect(room, _WRAPPED, self.text)
        return math.ceil(taken.width()) + 2 * PADDING + 1, math.ceil(taken.height()) + 7

    @property
    def _font(self) -> QFont:
        return palette.font(12, bold=self.bold)
