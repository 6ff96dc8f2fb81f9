"""What is drawn over a pane's picture: edge letters, labels, scale bar, crosshair, or what to do when the pane is empty."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QStaticText

from ctmri_gui.viewer import palette

_EDGE = 12.0
_BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_LONGEST_BAR = 160.0
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


class Annotations:
    """Draws; knows nothing of volumes. Positions are pixels of the pane."""

    def __init__(self) -> None:
        self.text = PaneText()
        self.text_visible = True
        self.empty: EmptyText | None = None
        self.crosshair: QPointF | None = None
        self.mm_per_pixel = 1.0
        self._width = self._height = 0
        self._laid_out: dict[tuple[str, int, bool], QStaticText] = {}

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        self._width, self._height = width, height
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.empty is not None:
            self._draw_empty(painter, self.empty)
            return
        if self.crosshair is not None:
            self._draw_crosshair(painter, self.crosshair)
        if self.text_visible:
            self._draw_letters(painter)
            self._draw_labels(painter)
            self._draw_scale_bar(painter)

    def _draw_letters(self, painter: QPainter) -> None:
        middle_x, middle_y = self._width / 2, self._height / 2
        left, right, top, bottom = self.text.letters
        self._write(painter, left, QPointF(_EDGE, middle_y), (0.0, 0.5), 16, bold=True)
        self._write(painter, right, QPointF(self._width - _EDGE, middle_y), (1.0, 0.5), 16, bold=True)
        self._write(painter, top, QPointF(middle_x, _EDGE - 2), (0.5, 0.0), 16, bold=True)
        self._write(painter, bottom, QPointF(middle_x, self._height - _EDGE + 2), (0.5, 1.0), 16, bold=True)

    def _draw_labels(self, painter: QPainter) -> None:
        text, bottom = self.text, self._height - _EDGE
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.PLANES[text.plane])
        painter.drawRoundedRect(QRectF(_EDGE, bottom - 13, 4, 12), 1.5, 1.5)
        self._write(painter, text.position, QPointF(_EDGE + 10, bottom), (0.0, 1.0), 13)
        self._write(painter, text.window, QPointF(_EDGE, bottom - 20), (0.0, 1.0), 13, palette.MUTED)
        self._write(painter, text.convention, QPointF(self._width - _EDGE, _EDGE - 2), (1.0, 0.0), 12, palette.MUTED)

    def _draw_scale_bar(self, painter: QPainter) -> None:
        longest = min(self._width * 0.22, _LONGEST_BAR) * self.mm_per_pixel
        length = max((mm for mm in _BAR_LENGTHS_MM if mm <= longest), default=0)
        if not length:
            return
        right, y, width = self._width - _EDGE, self._height - _EDGE - 2.0, length / self.mm_per_pixel
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
            QLineF(x + gap, y, self._width, y),
            QLineF(x, 0, x, y - gap),
            QLineF(x, y + gap, x, self._height),
        ]
        for colour, thickness in ((QColor(0, 0, 0, 140), 2.6), (palette.CROSSHAIR, 1.1)):
            painter.setPen(QPen(colour, thickness))
            painter.drawLines(arms)

    def _draw_empty(self, painter: QPainter, empty: EmptyText) -> None:
        centre = QPointF(self._width / 2, self._height / 2)
        frame = QRectF(QPointF(), QSizeF(min(self._width - 32, 320), min(self._height - 32, 170)))
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
