"""What is written and drawn over two pictures in one pane: their names, the wipe's line, the fade's slider, the colour bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from ctmri_gui.viewer import palette
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.compare import chips
from ctmri_gui.viewer.compare.chips import Chip
from ctmri_gui.viewer.compare.colour_bar import ColourBar
from ctmri_gui.viewer.compare.composition import line_pixel
from ctmri_gui.viewer.compare.modes import Compare, Mode

_GRAB, _GRIP, _KNOB = 7.0, 9.0, 7.0
_TRACK = 160
_GAP = 10.0


@dataclass(frozen=True)
class MarksState:
    """`own`, `other`: names of the two pictures; `says`: what stands in the place of the second one, or how it is seen; `bar`:
    of a difference."""

    compare: Compare = field(default_factory=Compare)
    own: str = ""
    other: str = ""
    held: bool = False
    says: str = ""
    bar: ColourBar | None = None


class CompareMarks:
    """An `Overlay` and a `Grabber` of one pane. `amount_asked`, `line_asked`: told where the mouse drags slider and line."""

    def __init__(self, amount_asked: Callable[[float], None], line_asked: Callable[[float], None]) -> None:
        self.state = MarksState()
        self._amount_asked, self._line_asked = amount_asked, line_asked
        self._painted: Projection | None = None

    def paint(self, painter: QPainter, projection: Projection) -> None:
        if isinstance(painter.device(), QWidget):  # and not a picture of the pane that is made elsewhere
            self._painted = projection
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state, width = self.state, projection.pane[0]
        if state.held:
            Chip(state.other, bold=True).draw(painter, width)
        elif state.says:
            Chip(state.says).draw(painter, width)
        elif state.bar is not None:
            state.bar.draw(painter, projection.pane)
        elif state.compare.mode is Mode.FADE:
            self._draw_slider(painter, projection)
        elif state.compare.mode is Mode.WIPE:
            self._draw_line(painter, projection)

    def cursor_at(self, at: QPointF) -> Qt.CursorShape | None:
        """The mouse's shape where line or slider can be taken, None elsewhere."""
        compare, projection = self.state.compare, self._painted
        if projection is None or not self._can_be_dragged:
            return None
        if compare.mode is Mode.FADE:
            near = self._track(projection).adjusted(-_GRAB, -_GRAB, _GRAB, _GRAB)
            return Qt.CursorShape.PointingHandCursor if near.contains(at) else None
        away = (at.x() if compare.upright else at.y()) - line_pixel(compare, projection.pane)
        if abs(away) > _GRAB:
            return None
        return Qt.CursorShape.SplitHCursor if compare.upright else Qt.CursorShape.SplitVCursor

    def takes(self, at: QPointF) -> bool:
        taken = self.cursor_at(at) is not None
        if taken:
            self.pull(at)
        return taken

    def pull(self, at: QPointF) -> None:
        compare, projection = self.state.compare, self._painted
        if projection is None:
            return
        width, height = projection.pane
        if compare.mode is Mode.FADE:
            track = self._track(projection)
            self._amount_asked((at.x() - track.left()) / track.width())
        elif compare.upright:
            self._line_asked(at.x() / max(width, 1))
        else:
            self._line_asked(at.y() / max(height, 1))

    def let_go(self, at: QPointF, *, travelled: bool) -> None:
        """Nothing is left to do."""

    @property
    def _can_be_dragged(self) -> bool:
        state = self.state
        return state.compare.mode in (Mode.FADE, Mode.WIPE) and not state.held and not state.says and bool(state.other)

    def _slider_box(self, projection: Projection) -> QRectF:
        metrics = QFontMetricsF(palette.font(12))
        names = metrics.horizontalAdvance(self.state.own + self.state.other) + 2 * _GAP
        room = projection.pane[0] - 2 * chips.EDGE
        width = min(max(names, _TRACK) + 2 * chips.PADDING, room)
        return chips.place(width, metrics.height() + 24, projection.pane[0])

    def _track(self, projection: Projection) -> QRectF:
        box = self._slider_box(projection).adjusted(chips.PADDING + _KNOB, 0, -chips.PADDING - _KNOB, 0)
        return QRectF(box.left(), box.bottom() - 14, box.width(), 4)

    def _draw_slider(self, painter: QPainter, projection: Projection) -> None:
        box, track, amount = self._slider_box(projection), self._track(projection), self.state.compare.amount
        chips.ground(painter, box)
        inner = box.adjusted(chips.PADDING, 3, -chips.PADDING, 0)
        painter.setFont(palette.font(12))
        painter.setPen(palette.TEXT)
        metrics, half = QFontMetricsF(palette.font(12)), (inner.width() - _GAP) / 2
        free = max(inner.width() - _GAP - metrics.horizontalAdvance(self.state.own), half)
        own = metrics.elidedText(self.state.own, Qt.TextElideMode.ElideRight, inner.width() - _GAP - min(free, half))
        other = metrics.elidedText(self.state.other, Qt.TextElideMode.ElideRight, free)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, own)
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, other)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.OUTLINE.lighter(170))
        painter.drawRoundedRect(track, 2, 2)
        painter.setBrush(palette.ACCENT)
        painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * amount, track.height()), 2, 2)
        painter.setBrush(palette.TEXT)
        painter.drawEllipse(QPointF(track.left() + track.width() * amount, track.center().y()), _KNOB, _KNOB)

    def _draw_line(self, painter: QPainter, projection: Projection) -> None:
        compare, (width, height) = self.state.compare, projection.pane
        at = line_pixel(compare, projection.pane)
        line = QLineF(at, 0, at, height) if compare.upright else QLineF(0, at, width, at)
        for colour, thickness in ((QColor(0, 0, 0, 170), 4.0), (palette.CROSSHAIR, 1.6)):
            painter.setPen(QPen(colour, thickness))
            painter.drawLine(line)
        # Not where the letters of the edges and the middle of the picture are
        grip = QPointF(at, height * 0.62) if compare.upright else QPointF(width * 0.38, at)
        painter.setPen(QPen(QColor(0, 0, 0, 170), 1.5))
        painter.setBrush(palette.CROSSHAIR)
        painter.drawEllipse(grip, _GRIP, _GRIP)
        self._draw_arrows(painter, grip, upright=compare.upright)
        own, other = Chip(self.state.own), Chip(self.state.other)
        if compare.upright:
            y = chips.below_letters()
            own.draw_at(painter, QPointF(at - 6, y), (1.0, 0.0), at - 8)
            other.draw_at(painter, QPointF(at + 6, y), (0.0, 0.0), width - at - 8)
        else:
            x = 2 * chips.EDGE + palette.scaled(24)  # beside the letter at the left edge
            own.draw_at(painter, QPointF(x, at - 6), (0.0, 1.0), width - x)
            other.draw_at(painter, QPointF(x, at + 6), (0.0, 0.0), width - x)

    @staticmethod
    def _draw_arrows(painter: QPainter, grip: QPointF, *, upright: bool) -> None:
        painter.setPen(QPen(QColor(0, 0, 0), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for way in (-1, 1):
            tip, back = 6.0 * way, 3.0 * way
            ends = ((tip, 0.0), (back, -3.0)), ((tip, 0.0), (back, 3.0))
            painter.drawLines(
                [
                    QLineF(grip + QPointF(*(a if upright else a[::-1])), grip + QPointF(*(b if upright else b[::-1])))
                    for a, b in ends
                ]
            )
