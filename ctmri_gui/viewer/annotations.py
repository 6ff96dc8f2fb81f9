"""What is drawn over a pane's picture: edge letters, labels, scale bar, crosshair, or what to do when the pane is empty."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QStaticText

from ctmri_gui.viewer import palette

_EDGE = 12.0
_BAR_LENGTHS_MM = tuple(length * 10**power for power in range(5) for length in (1, 2, 5))
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
    Letters, `convention` (`RADIOLOGICAL`), whether greys are `inverted`, and `doubt` (why two pictures in one pane do not show
    one place at one place) cannot be switched off."""

    letters: tuple[str, str, str, str] = ("", "", "", "")
    position: str = ""
    window: str = ""
    convention: str = ""
    plane: str = "axial"
    inverted: bool = False
    doubt: str = ""

    @property
    def badges(self) -> tuple[str, ...]:
        more = ("INVERTED" if self.inverted else "", f"≠ {self.doubt.upper()}" if self.doubt else "")
        return (self.convention, *(badge for badge in more if badge))


@dataclass(frozen=True)
class EmptyText:
    """What an empty pane says: one line of what to do and one of detail."""

    headline: str
    detail: str = ""


@dataclass(frozen=True)
class _Line:
    """One line of text: `anchor` of it lies at `at`, in `box`. `mark`, `bar`: what is drawn with it."""

    text: str
    at: QPointF
    anchor: tuple[float, float]
    pixels: int
    colour: QColor
    box: QRectF
    bold: bool = False
    mark: bool = False
    bar: bool = False


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
        for line in self._lines():
            if line.bar:
                self._draw_scale_bar(painter, line)
            elif line.mark:
                self._draw_mark(painter, line)
            self._write(painter, line.text, line.at, line.anchor, line.pixels, line.colour, bold=line.bold)

    def places(self, width: int, height: int) -> list[QRectF]:
        """Where `draw` would write."""
        self._width, self._height = width, height
        return [] if self.empty is not None else [line.box for line in self._lines()]

    def forget_layout(self) -> None:
        """The size of the texts has changed."""
        self._laid_out.clear()

    def _lines(self) -> list[_Line]:
        """What is written, what matters most first; what would stand on something before it is left out, so that nothing lies
        on anything else however small the pane is."""
        facts, raised = self._facts() if self.text_visible else ([], 0.0)
        sides, ends = self._letters(raised)
        kept: list[_Line] = []
        for line in (*self._badges(), *sides, *facts[:1], *ends, *facts[1:]):
            box = line.box.adjusted(1, 1, -1, -1)
            if line.text and line.box.top() >= 0 and not any(box.intersects(other.box) for other in kept):
                kept.append(line)
        return kept

    def _line(
        self, text: str, at: QPointF, anchor: tuple[float, float], pixels: int, colour: QColor = palette.TEXT, **more: bool
    ) -> _Line:  # fmt: skip
        size = self._size(text, pixels, bold=more.get("bold", False))
        box = QRectF(at - QPointF(size.width() * anchor[0], size.height() * anchor[1]), size)
        return _Line(text, at, anchor, pixels, colour, box, **more)

    def _top_letter_y(self, width: float) -> float:
        """Below the badges where they reach the middle."""
        letter = self._size(self.text.letters[2], _LETTER, bold=True).width()
        sizes = [self._size(badge, _SMALL) for badge in self.text.badges]
        widest = max((size.width() for size in sizes), default=0.0)
        clear = width - _EDGE - widest > (width + letter) / 2 + _CLEARANCE
        return _EDGE - 2 if clear else _EDGE - 2 + sum(size.height() for size in sizes)

    def _letters(self, raised: float) -> tuple[list[_Line], list[_Line]]:
        """At the sides, and above and below. `raised`: how far the lower letter gives way to what stands in the corners. In a
        pane too low for both in a column, only the letters at the sides are left, between badges and position."""
        middle_x = self._width / 2
        left, right, top, bottom = self.text.letters
        letter = self._size("R", _LETTER, bold=True).height()
        ceiling = _EDGE - 2 + sum(self._size(badge, _SMALL).height() for badge in self.text.badges)
        floor = self._height - _EDGE - (self._size(self.text.position, _NORMAL).height() if self.text_visible else 0)
        middle_y = min(max(self._height / 2, ceiling + letter / 2), max(floor - letter / 2, letter / 2))
        top_y, bottom_y = self._top_letter_y(self._width), self._height - _EDGE + 2 - raised
        sides = [
            self._line(left, QPointF(_EDGE, middle_y), (0.0, 0.5), _LETTER, bold=True),
            self._line(right, QPointF(self._width - _EDGE, middle_y), (1.0, 0.5), _LETTER, bold=True),
        ]
        if top_y + 2 * letter > bottom_y:
            return sides, []
        ends = ((top, top_y, 0.0), (bottom, bottom_y, 1.0))
        return sides, [self._line(text, QPointF(middle_x, y), (0.5, anchor), _LETTER, bold=True) for text, y, anchor in ends]

    def _badges(self) -> list[_Line]:
        lines, y = [], _EDGE - 2
        for badge in self.text.badges:
            colour = palette.AMBER if badge.startswith("≠") else palette.MUTED
            lines.append(self._line(badge, QPointF(self._width - _EDGE, y), (1.0, 0.0), _SMALL, colour))
            y += self._size(badge, _SMALL).height()
        return lines

    def _facts(self) -> tuple[list[_Line], float]:
        """Position, window and scale bar, and how much of the lower edge's middle they take. Where the letters at the sides
        leave no room for all, the scale bar goes first, then the window."""
        text, bottom = self.text, self._height - _EDGE
        letter = self._size("R", _LETTER, bold=True).height()
        highest = max((self._height + letter) / 2, self._top_letter_y(self._width) + 2 * letter)
        place = self._fitted_position(self._width - 2 * _EDGE - 10)
        values = self._fitted(text.window, self._width - 2 * _EDGE)
        position, window = self._size(place, _NORMAL), self._size(values, _NORMAL)
        window_y = bottom - position.height() - 1
        if window_y - window.height() < highest:
            window = QSizeF()
        lines = [self._line(place, QPointF(_EDGE + 10, bottom), (0.0, 1.0), _NORMAL, mark=True)]
        if not window.isEmpty():
            lines.append(self._line(values, QPointF(_EDGE, window_y), (0.0, 1.0), _NORMAL, palette.MUTED))
        ends = _EDGE + 10 + position.width(), _EDGE + window.width()
        rows = position.height() + 1, window.height() + 1
        bar = self._bar_line(bottom, ends, rows)
        if bar is not None and bar.box.top() >= highest:
            lines.append(bar)
        start = (self._width - self._size(text.letters[3], _LETTER, bold=True).width()) / 2
        return lines, _height_up_to(start - _CLEARANCE, ends, rows)

    def _bar_line(self, bottom: float, ends: tuple[float, ...], rows: tuple[float, ...]) -> _Line | None:
        """The words of the scale bar, above what they would meet."""
        length = self._bar_mm()
        if not length:
            return None
        words = f"{length} mm"
        right, width, half = self._width - _EDGE, length / self.mm_per_pixel, self._size(words, _SMALL).width() / 2
        lift = _height_up_to(right - max(width, 2 * half) - _CLEARANCE, ends, rows)
        middle = min(right - width / 2, right - half)
        return self._line(words, QPointF(middle, bottom - 6 - lift), (0.5, 1.0), _SMALL, palette.MUTED, bar=True)

    def _bar_mm(self) -> int:
        longest = min(self._width * 0.22, _LONGEST_BAR) * self.mm_per_pixel
        return max((mm for mm in _BAR_LENGTHS_MM if mm <= longest), default=0)

    def _draw_mark(self, painter: QPainter, line: _Line) -> None:
        """The colour of the plane, before the position."""
        height = line.box.height() - 5
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.PLANES[self.text.plane])
        painter.drawRoundedRect(QRectF(_EDGE, line.box.bottom() - height - 2, 4, height), 1.5, 1.5)

    def _draw_scale_bar(self, painter: QPainter, line: _Line) -> None:
        """Below its words."""
        right, width, y = self._width - _EDGE, self._bar_mm() / self.mm_per_pixel, line.at.y() + 4
        left = right - width
        path = [QLineF(left, y, right, y), QLineF(left, y - 5, left, y), QLineF(right, y - 5, right, y)]
        for colour, thickness in ((QColor(0, 0, 0, 170), 3.5), (palette.TEXT, 1.5)):
            painter.setPen(QPen(colour, thickness))
            painter.drawLines(path)

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
        fonts = [palette.narrowed(font, text, width - 24) for font, text in
                 ((palette.font(15, bold=True), empty.headline), (palette.font(13), empty.detail))]  # fmt: skip
        lines = [(empty.headline, fonts[0], palette.TEXT), (empty.detail, fonts[1], palette.MUTED)]
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

    def _fitted_position(self, width: float) -> str:
        """Without its unit, then without the number of the slice, before anything is cut."""
        whole = self.text.position
        forms = (whole, whole.replace(" mm", ""), whole.partition(" · ")[0])
        fitting = (form for form in forms if self._size(form, _NORMAL).width() <= width)
        return next(fitting, None) or self._fitted(forms[-1], width)

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
