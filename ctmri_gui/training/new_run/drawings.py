"""Line drawings of any shape in the program's colours: black becomes the text's, blue the accent's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgRenderer

from ctmri_core.resources_folder import resources_folder
from ctmri_gui.theme import current_palette

_FOLDER, _OTHERWISE = "methods", "other"


def draw(painter: QPainter, name: str, place: QRectF, *, muted: bool = False) -> None:
    """The drawing `name` in `place`; that of any method where there is none of this name."""
    colours = current_palette()
    text, accent = (colours.muted, colours.muted) if muted else (colours.text, colours.accent)
    _renderer(name, text, accent).render(painter, place)


@cache
def _renderer(name: str, text: str, accent: str) -> QSvgRenderer:
    content = _file(name).read_text(encoding="utf-8").replace("#000000", text).replace("#0000ff", accent)
    return QSvgRenderer(QByteArray(content.encode()))


def _file(name: str) -> Path:
    folder = resources_folder() / "icons" / _FOLDER
    file = folder / f"{name}.svg"
    return file if file.is_file() else folder / f"{_OTHERWISE}.svg"
