"""The layer over a pane's picture: edge letters, labels, scale bar, crosshair, or what to do when the pane is empty."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QStaticText
from PySide6.QtWidgets import QWidget

from ctmri_gui.viewer import palette

_EDGE = 12.0
_BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_CACHED_TEXTS = 64
_CROSSHAIR_GAP = 9.0


@dataclass(frozen=True)
class PaneText:
    """What stands on a picture. `letters`: left, right, top, bottom. `plane`: `axial`, ... gives the position its mark."""

    letters: tuple[str, str, str, str] = ("", "", "", "")
    position: str = ""
    window: str = ""
    convention: str = ""
    plane: str = "axial"


@dataclass(frozen=True)
class EmptyText:
    """What an empty pane says: one line of what to do and one of detail."""

    headline: str
    detail: str = ""


class Overlay(QWidget):
    """Draws; knows nothing of volumes. Positions are pixels of this widget."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = PaneText()
        self._empty: EmptyText | None = EmptyText("")
        self._crosshair: QPointF | None = None
        self._mm_per_pixel = 1.0
        self._text_visible = True
        self._laid_out: dict[tuple[str, int, bool], QStaticText] = {}

    def set_text(self, text: PaneText) -> None:
        if text != self._text:
            self._text = text
            self.update()

    def set_empty(self, empty: EmptyText | None) -> None:
        if empty != self._empty:
            self._empty = empty
            self.update()

    def set_crosshair(self, where: QPointF | None) -> None:
        if where != self._crosshair:
            self._crosshair = where
            self.update()

    def set_mm_per_pixel(self, mm_per_pixel: float) -> None:
        self._mm_per_pixel = mm_per_pixel

    def set_text_visible(self, visible: bool) -> None:
        self._text_visible = visible
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._empty is not None:
            self._draw_empty(painter, self._empty)
        else:
            self._draw_annotations(painter)
        painter.end()

    def _draw_annotations(self, painter: QPainter) -> None:
        if self._crosshair is not None:
            self._draw_crosshair(painter, self._crosshair)
        if self._text_visible:
            self._draw_letters(painter)
            self._draw_labels(painter)
            self._draw_scale_bar(painter)

    def _draw_letters(self, painter: QPainter) -> None:
        middle_x, middle_y = self.width() / 2, self.height() / 2
        left, right, top, bottom = self._text.letters
        self._write(painter, left, QPointF(_EDGE, middle_y), (0.0, 0.5), 16, bold=True)
        self._write(painter, right, QPointF(self.width() - _EDGE, middle_y), (1.0, 0.5), 16, bold=True)
        self._write(painter, top, QPointF(middle_x, _EDGE - 2), (0.5, 0.0), 16, bold=True)
        self._write(painter, bottom, QPointF(middle_x, self.height() - _EDGE + 2), (0.5, 1.0), 16, bold=True)

    def _draw_labels(self, painter: QPainter) -> None:
        text, bottom = self._text, self.height() - _EDGE
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.PLANES[text.plane])
        painter.drawRoundedRect(QRectF(_EDGE, bottom - 13, 4, 12), 1.5, 1.5)
        self._write(painter, text.position, QPointF(_EDGE + 10, bottom), (0.0, 1.0), 13)
        self._write(painter, text.window, QPointF(_EDGE, bottom - 20), (0.0, 1.0), 13, palette.MUTED)
        self._write(painter, text.convention, QPointF(self.width() - _EDGE, _EDGE - 2), (1.0, 0.0), 12, palette.MUTED)

    def _draw_scale_bar(self, painter: QPainter) -> None:
        longest = self.width() * 0.22 * self._mm_per_pixel
        length = max((mm for mm in _BAR_LENGTHS_MM if mm <= longest), default=0)
        if not length:
            return
        right, y, width = self.width() - _EDGE, self.height() - _EDGE - 2.0, length / self._mm_per_pixel
        left = right - width
        path = [QLineF(left, y, right, y), QLineF(left, y - 5, left, y), QLineF(right, y - 5, right, y)]
        for colour, thickness in ((QColor(0, 0, 0, 170), 3.5), (palette.TEXT, 1.5)):
            painter.setPen(QPen(colour, thickness))
            painter.drawLines(path)
        self._write(painter, f"{length} mm", QPointF(left + width / 2, y - 4), (0.5, 1.0), 12, palette.MUTED)

    def _draw_crosshair(self, painter: QPainter, at: QPointF) -> None:
        x, y, gap = at.x(), at.y(), _CROSSHAIR_GAP
        arms = [
            QLineF(0, y, x - gap, y),
            QLineF(x + gap, y, self.width(), y),
            QLineF(x, 0, x, y - gap),
            QLineF(x, y + gap, x, self.height()),
        ]
        for colour, thickness in ((QColor(0, 0, 0, 140), 2.6), (palette.CROSSHAIR, 1.1)):
            painter.setPen(QPen(colour, thickness))
            painter.drawLines(arms)

    def _draw_empty(self, painter: QPainter, empty: EmptyText) -> None:
        centre = QPointF(self.width() / 2, self.height() / 2)
        frame = QRectF(QPointF(), QSizeF(min(self.width() - 32, 320), min(self.height() - 32, 170)))
        frame.moveCenter(centre)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.OUTLINE.lighter(130), 1.5, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(frame, 12, 12)
        painter.setPen(QPen(palette.ACCENT, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        tip = centre - QPointF(0, 26)
        painter.drawLines([QLineF(tip, tip + QPointF(*end)) for end in ((0, -24), (-7, -8), (7, -8))])
        self._write(painter, empty.headline, centre + QPointF(0, 8), (0.5, 0.5), 15, bold=True)
        self._write(painter, empty.detail, centre + QPointF(0, 34), (0.5, 0.5), 13, palette.MUTED)

    def _write(
        self,
        painter: QPainter,
        text: str,
        at: QPointF,
        anchor: tuple[float, float],
        pixels: int,
        colour: QColor = palette.TEXT,
        *,
        bold: bool = False,
    ) -> None:
        """`anchor`: which point of the text lies at `at`, (0, 0) its top left. A dark rim keeps it legible on bone."""
        if not text:
            return
        laid_out = self._lay_out(text, pixels, bold)
        size = laid_out.size()
        corner = at - QPointF(size.width() * anchor[0], size.height() * anchor[1])
        painter.setFont(palette.font(pixels, bold=bold))
        painter.setPen(QColor(0, 0, 0, 200))
        painter.drawStaticText(corner + QPointF(1, 1), laid_out)
        painter.setPen(colour)
        painter.drawStaticText(corner, laid_out)

    def _lay_out(self, text: str, pixels: int, bold: bool) -> QStaticText:
        key = (text, pixels, bold)
        if key not in self._laid_out:
            if len(self._laid_out) >= _CACHED_TEXTS:
                self._laid_out.pop(next(iter(self._laid_out)))
            laid_out = QStaticText(text)
            laid_out.setTextFormat(Qt.TextFormat.PlainText)
            laid_out.prepare(font=palette.font(pixels, bold=bold))
            self._laid_out[key] = laid_out
        return self._laid_out[key]
