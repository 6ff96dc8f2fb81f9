"""Colours and type of the panes. Every state that has a colour also has a word or a shape."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QColor, QFont

BACKGROUND = QColor("#000000")
FRAME = QColor("#10151b")
TEXT = QColor("#e8edf2")
MUTED = QColor("#9fb0c0")
ACCENT = QColor("#5cc8ff")
OUTLINE = QColor("#2a3440")
CROSSHAIR = QColor("#ffd54a")
AMBER = QColor("#ffb000")
AMBER_GROUND = QColor("#3a2a00")
STRIP_GROUND = QColor("#5a0f12")
STRIP_TEXT = QColor("#ffd9a0")
PLANES = {"axial": QColor("#ff6b6b"), "sagittal": QColor("#ffd54a"), "coronal": QColor("#66d98a")}


@cache
def font(pixels: int, *, bold: bool = False) -> QFont:
    """The application's own family at a size in logical pixels, never below 12."""
    result = QFont()
    result.setPixelSize(max(pixels, 12))
    if bold:
        result.setWeight(QFont.Weight.DemiBold)
    return result
