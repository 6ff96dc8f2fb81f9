"""Colours and type of the panes. Every state that has a colour also has a word or a shape."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QFont
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


def font(pixels: int, *, bold: bool = False) -> QFont:
    """The application's own family. `pixels`: the size beside text of 13 px; it grows with the application's text."""
    own = QApplication.font()
    return _font(own.family(), scaled(pixels), bold)


def scaled(pixels: int) -> int:
    """A length beside text of 13 px, for the application's present text; never below 12."""
    text = QApplication.font().pixelSize()
    return max(round(pixels * text / _STANDARD_TEXT) if text > 0 else pixels, 12)


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
