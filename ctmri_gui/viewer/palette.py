"""Colours and type of the panes. Every state that has a colour also has a word or a shape."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QFont, QFontMetricsF
from PySide6.QtWidgets import QApplication

BACKGROUND = QColor("#000000")
FRAME = QColor("#10151b")
TEXT = QColor("#e8edf2")
MUTED = QColor("#9fb0c0")
ACCENT = QColor("#5cc8ff")
OUTLINE = QColor("#2a3440")
CROSSHAIR = QColor("#ffd54a")
MEASURE = QColor("#7df0b8")
AMBER = QColor("#ffb000")
AMBER_GROUND = QColor("#3a2a00")
STRIP_GROUND = QColor("#5a0f12")
STRIP_TEXT = QColor("#ffd9a0")
PLANES = {"axial": QColor("#ff6b6b"), "sagittal": QColor("#ffd54a"), "coronal": QColor("#66d98a")}


_STANDARD_TEXT = 13
_SMALLEST = 12


def font(pixels: int, *, bold: bool = False) -> QFont:
    """The application's own family. `pixels`: the size beside text of 13 px; it grows with the application's text."""
    own = QApplication.font()
    return _font(own.family(), scaled(pixels), bold)


def narrowed(font: QFont, text: str, width: float) -> QFont:
    """`font`, or one as much smaller as the longest word of `text` needs to stay within `width`."""
    widest = max((QFontMetricsF(font).horizontalAdvance(word) for word in text.split()), default=0.0)
    if widest <= width:
        return font
    smaller = QFont(font)
    smaller.setPixelSize(max(int(font.pixelSize() * width / widest), _SMALLEST))
    return smaller


def scaled(pixels: int) -> int:
    """A length beside text of 13 px, for the application's present text; never below 12."""
    text = QApplication.font().pixelSize()
    return max(round(pixels * text / _STANDARD_TEXT) if text > 0 else pixels, _SMALLEST)


def changes_text(event: QEvent) -> bool:
    """Whether a widget's text may have another size after this change event."""
    return event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange)


@cache
def _font(family: str, pixels: int, bold: bool) -> QFont:
    result = QFont(family)
    result.setPixelSize(pixels)
    if bold:
        result.setWeight(QFont.Weight.DemiBold)
    return result
