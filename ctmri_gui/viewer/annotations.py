"""What is drawn over a pane's picture: edge letters, labels, scale bar, crosshair, or what to do when the pane is empty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QStaticText

from ctmri_gui.viewer import palette

_EDGE = 12.0
_BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_LONGEST_BAR = 160.0
_CACHED_TEXTS = 64
_CROSSHAIR_GAP = 9.0
_CLEARANCE = 6.0
_HALO = (QPointF(1, 1), QPointF(-1, -1), QPointF(1, -1), QPointF(-1, 1))
_SMALL, _NORMAL, _LETTER = 12, 13, 16
_ARROW = 66  # pixels from the frame of an empty pane to its text


@dataclass(frozen=True)
class PaneText:
    """What stands on a picture. `letters`: left, right, top, bottom. `plane`: `axial`, ... gives the position its mark.
    Letters, `convention` (`RADIOLOGICAL`) and whether greys are `inverted` cannot be switched off."""

    letters: tuple[str, str, str, str] = ("", "", "", "")
    position: str = ""
    window: str = ""
    convention: str = ""
    plane: str = "axial"
    inverted: bool = False

    @property
    def badges(self) -> tuple[str, ...]:
        return (self.convention, "INVERTED") if self.inverted else (self.convention,)


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
        self._laid_out: dict[tuple[str, int, bool], tuple[QStaticText, QFont, QSizeF]] = {}

    def draw(self, painter: QPainter, width: int, height: int) -> None:
        self._width, self._height = width, height
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.empty is not None:
            self._draw_empty(painter, self.empty)
            return
        if self.crosshair is not None:
            self._draw_crosshair(painter, self.crosshair)
        raised = self._draw_facts(painter) if self.text_visible else 0.0
        self._draw_badges(painter)
        self._draw_letters(painter, raised)

    def forget_layout(self) -> None:
        """The size of the texts has changed."""
        self._laid_out.clear()

    def _top_letter_y(self, width: float) -> float:
        """Below the badges where they reach the middle."""
        letter = self._size(self.text.letters[2], _LETTER, bold=True).width()
        sizes = [self._size(badge, _SMALL) for badge in self.text.badges]
        widest = max((size.width() for size in sizes), default=0.0)
        clear = width - _EDGE - widest > (width + letter) / 2 + _CLEARANCE
        return _EDGE - 2 if clear else _EDGE - 2 + sum(size.height() for size in sizes)

    def _draw_letters(self, painter: QPainter, raised: float) -> None:
        """`raised`: how far the lower letter gives way to what stands in the corners. In a pane too low for both in a column,
        only the letters at the sides are left, between badges and position."""
        middle_x = self._width / 2
        left, right, top, bottom = self.text.letters
        letter = self._size("R", _LETTER, bold=True).height()
        ceiling = _EDGE - 2 + sum(self._size(badge, _SMALL).height() for badge in self.text.badges)
        floor = self._height - _EDGE - (self._size(self.text.position, _NORMAL).height() if self.text_visible else 0)
        middle_y = min(max(self._height / 2, ceiling + letter / 2), floor - letter / 2)
        top_y, bottom_y = self._top_letter_y(self._width), self._height - _EDGE + 2 - raised
        write = partial(self._write, painter, pixels=_LETTER, bold=True)
        write(left, QPointF(_EDGE, middle_y), (0.0, 0.5))
        write(right, QPointF(self._width - _EDGE, middle_y), (1.0, 0.5))
        if top_y + 2 * letter <= bottom_y:
            write(top, QPointF(middle_x, top_y), (0.5, 0.0))
            write(bottom, QPointF(middle_x, bottom_y), (0.5, 1.0))

    def _draw_badges(self, painter: QPainter) -> None:
        y = _EDGE - 2
        for badge in self.text.badges:
            self._write(painter, badge, QPointF(self._width - _EDGE, y), (1.0, 0.0), _SMALL, palette.MUTED)
            y += self._size(badge, _SMALL).height()

    def _draw_facts(self, painter: QPainter) -> float:
        """Position, window and scale bar; returns how much of the lower edge's middle they take. Where the letters at the sides
        leave no room for all, the scale bar goes first, then the window."""
        text, bottom = self.text, self._height - _EDGE
        letter = self._size("R", _LETTER, bold=True).height()
        highest = max((self._height + letter) / 2, self._top_letter_y(self._width) + 2 * letter)
        place = self._fitted(text.position, self._width - 2 * _EDGE - 10)
        values = self._fitted(text.window, self._width - 2 * _EDGE)
        position, window = self._size(place, _NORMAL), self._size(values, _NORMAL)
        window_y = bottom - position.height() - 1
        if window_y - window.height() < highest:
            window = QSizeF()
        mark = position.height() - 5
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.PLANES[text.plane])
        painter.drawRoundedRect(QRectF(_EDGE, bottom - mark - 2, 4, mark), 1.5, 1.5)
        self._write(painter, place, QPointF(_EDGE + 10, bottom), (0.0, 1.0), _NORMAL)
        if not window.isEmpty():
            self._write(painter, values, QPointF(_EDGE, window_y), (0.0, 1.0), _NORMAL, palette.MUTED)
        ends = _EDGE + 10 + position.width(), _EDGE + window.width()
        rows = position.height() + 1, window.height() + 1
        bar = self._bar_mm()
        left_of_bar = self._width - _EDGE - max(bar / self.mm_per_pixel, self._size(f"{bar} mm", _SMALL).width())
        lift = _height_up_to(left_of_bar - _CLEARANCE, ends, rows)
        if bottom - 6 - lift - self._size(f"{bar} mm", _SMALL).height() >= highest:
            self._draw_scale_bar(painter, bar, bottom - 2 - lift)
        start = (self._width - self._size(text.letters[3], _LETTER, bold=True).width()) / 2
        return _height_up_to(start - _CLEARANCE, ends, rows)

    def _bar_mm(self) -> int:
        longest = min(self._width * 0.22, _LONGEST_BAR) * self.mm_per_pixel
        return max((mm for mm in _BAR_LENGTHS_MM if mm <= longest), default=0)

    def _draw_scale_bar(self, painter: QPainter, length: int, y: float) -> None:
        if not length:
            return
        right, width = self._width - _EDGE, length / self.mm_per_pixel
        left = right - width
        path = [QLineF(left, y, right, y), QLineF(left, y - 5, left, y), QLineF(right, y - 5, right, y)]
        for colour, thickness in ((QColor(0, 0, 0, 170), 3.5), (palette.TEXT, 1.5)):
            painter.setPen(QPen(colour, thickness))
            painter.drawLines(path)
        label = f"{length} mm"
        middle = min(left + width / 2, right - self._size(label, _SMALL).width() / 2)
        self._write(painter, label, QPointF(middle, y - 4), (0.5, 1.0), _SMALL, palette.MUTED)

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
        """In a low pane without the arrow, then without the detail."""
        width = min(self._width - 32, palette.scaled(320))
        lines = [(empty.headline, palette.font(15, bold=True), palette.TEXT), (empty.detail, palette.font(13), palette.MUTED)]
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        heights = [
            QFontMetricsF(font).boundingRect(QRectF(0, 0, width - 24, 10_000), flags, text).height() for text, font, _ in lines
        ]
        room = self._height - 16
        arrow = _ARROW if _ARROW + sum(heights) + 16 <= room else 12
        shown = 2 if arrow + sum(heights) + 8 <= room else 1
        below = 34 if arrow == _ARROW else 12
        frame = QRectF(0, 0, width, min(arrow + below + sum(heights[:shown]), room))
        frame.moveCenter(QPointF(self._width / 2, self._height / 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.OUTLINE.lighter(130), 1.5, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(frame, 12, 12)
        if arrow == _ARROW:
            painter.setPen(QPen(palette.ACCENT, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            tip = QPointF(frame.center().x(), frame.top() + 50)
            painter.drawLines([QLineF(tip, tip + QPointF(*end)) for end in ((0, -24), (-7, -8), (7, -8))])
        y = frame.top() + arrow
        for (text, font, colour), height in zip(lines[:shown], heights, strict=False):
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(QRectF(frame.left() + 12, y, width - 24, height + 2), flags, text)
            y += height + 8

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
        """`anchor`: which point of the text lies at `at`, (0, 0) its top left. A dark rim all around keeps it legible on bone
        and on inverted greys."""
        if not text:
            return
        laid_out, font, size = self._lay_out(text, pixels, bold)
        corner = at - QPointF(size.width() * anchor[0], size.height() * anchor[1])
        painter.setFont(font)
        painter.setPen(QColor(0, 0, 0, 200))
        for shift in _HALO:
            painter.drawStaticText(corner + shift, laid_out)
        painter.setPen(colour)
        painter.drawStaticText(corner, laid_out)

    def _size(self, text: str, pixels: int, *, bold: bool = False) -> QSizeF:
        return self._lay_out(text, pixels, bold)[2]

    def _fitted(self, text: str, width: float) -> str:
        if self._size(text, _NORMAL).width() <= width:
            return text
        return QFontMetricsF(palette.font(_NORMAL)).elidedText(text, Qt.TextElideMode.ElideRight, width)

    def _lay_out(self, text: str, pixels: int, bold: bool) -> tuple[QStaticText, QFont, QSizeF]:
        key = (text, pixels, bold)
        if key not in self._laid_out:
            if len(self._laid_out) >= _CACHED_TEXTS:
                self._laid_out.pop(next(iter(self._laid_out)))
            font, laid_out = palette.font(pixels, bold=bold), QStaticText(text)
            laid_out.setTextFormat(Qt.TextFormat.PlainText)
            laid_out.prepare(font=font)
            self._laid_out[key] = laid_out, font, laid_out.size()
        return self._laid_out[key]


def _height_up_to(x: float, ends: tuple[float, ...], rows: tuple[float, ...]) -> float:
    """How high rows of text, the lowest first, stand that reach further right than `x`."""
    reaching = [number for number, end in enumerate(ends, 1) if end > x]
    return sum(rows[: reaching[-1]]) if reaching else 0.0
