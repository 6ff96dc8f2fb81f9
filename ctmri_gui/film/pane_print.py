"""One pane as it is exported: its bars above, its picture below, at any size and sharpness."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QPainter, QRegion
from PySide6.QtWidgets import QWidget

from ctmri_gui.film.look import Look
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.annotations import Annotations
from ctmri_gui.viewer.pane_frame import Header, Strip
from ctmri_gui.viewer.slice_view import SliceView


class PanePrint:
    """Follows a pane: what is painted is what the pane shows at that moment, by the pane's own code."""

    def __init__(self, pane: SliceView, look: Look) -> None:
        self._pane, self._look = pane, look
        self._header, self._strip = Header(pane.role, fixed=True), Strip()
        self._strip.set_private(not look.names)
        self._annotations = Annotations()
        self._frame = pane.projection.frame  # the scale of a film is that of its first frame
        self.follow()

    @property
    def ready(self) -> bool:
        """Whether there is a picture; it may be on its way."""
        return self._pane.canvas.has_picture

    @property
    def warns(self) -> bool:
        """Whether the pane says that its picture is synthetic."""
        return self._strip.warns

    @property
    def bars_height(self) -> int:
        """What the bars above the picture need."""
        return self._header_height + self._strip_height

    def follow(self) -> None:
        """Takes over the words that stand above the pane's picture now."""
        width = self._look.pane[0]
        self._header.say_as(self._pane.header)
        self._header.resize(width, self._header.sizeHint().height())
        self._strip.resize(width, self._strip.height())
        self._strip.say_as(self._pane.strip)
        self._strip.resize(width, self._strip.height())

    def paint(self, painter: QPainter, bars_height: int) -> None:
        """From the painter's origin: bars so high, and the picture below."""
        width, height = self._look.pane
        painter.fillRect(0, 0, width, bars_height, palette.FRAME)
        if self._look.captions:
            _render(self._header, painter, 0)
        if self._strip_height:
            _render(self._strip, painter, bars_height - self._strip_height)
        painter.save()
        painter.translate(0, bars_height)
        self._say_on_picture()
        self._pane.paint_elsewhere(
            painter, (width, height), self._frame, self._annotations, overlaid=self._look.drawings, crossed=self._look.drawings
        )
        painter.restore()

    def _say_on_picture(self) -> None:
        text = self._pane.canvas.annotations.text
        if not self._look.letters:
            text = replace(text, letters=("", "", "", ""), convention="")
        self._annotations.text, self._annotations.text_visible = text, self._look.facts

    @property
    def _header_height(self) -> int:
        return self._header.height() if self._look.captions else 0

    @property
    def _strip_height(self) -> int:
        """The warning of a synthetic picture always stands there; other words are captions."""
        return self._strip.height() if self._strip.warns or (self._look.captions and self._strip.shown_text) else 0


def _render(bar: QWidget, painter: QPainter, top: int) -> None:
    """`bar` was never shown: it is painted where the painter's origin is, `top` px lower."""
    bar.render(painter, QPoint(0, top), QRegion(), QWidget.RenderFlag.DrawChildren)


def sheet_size(look: Look, bars_height: int, columns: int, rows: int) -> QSize:
    """Of so many panes beside and above one another, in px of the program."""
    width, height = look.pane
    return QSize(columns * (width + GAP) - GAP, rows * (height + bars_height + GAP) - GAP)


GAP = 2
