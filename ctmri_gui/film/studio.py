"""Paints panes side by side into one picture, sharp at any size: no grab of the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from ctmri_gui.film.look import Look
from ctmri_gui.film.pane_print import GAP, PanePrint, sheet_size
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.slice_view import SliceView


class Studio:
    """`rows`: panes beside one another, rows of them above one another. `paint` gives what they show at that moment.

    The bars above the pictures have the height that they need in the beginning: all frames of a film are of one size.
    """

    def __init__(self, rows: Sequence[Sequence[SliceView]], look: Look) -> None:
        self._look = look
        self._rows = [[PanePrint(pane, look) for pane in row] for row in rows]
        self._bars = max(one.bars_height for row in self._rows for one in row)
        columns = max(len(row) for row in self._rows)
        self._size = sheet_size(look, self._bars, columns, len(self._rows))

    @property
    def size(self) -> QSize:
        """Of a picture, in pixels of the file."""
        return self._size * self._look.sharpness

    @property
    def ready(self) -> bool:
        """Whether all panes have their pictures."""
        return all(one.ready for row in self._rows for one in row)

    @property
    def synthetic(self) -> bool:
        """Whether a pane says that it shows a synthetic image."""
        return any(one.warns for row in self._rows for one in row)

    def paint(self) -> QImage:
        image = QImage(self.size, QImage.Format.Format_RGB888)
        image.setDevicePixelRatio(self._look.sharpness)
        image.fill(palette.FRAME)
        painter = QPainter(image)
        width, height = self._look.pane
        for row, prints in enumerate(self._rows):
            for column, one in enumerate(prints):
                one.follow()
                painter.save()
                painter.translate(QPoint(column * (width + GAP), row * (height + self._bars + GAP)))
                one.paint(painter, self._bars)
                painter.restore()
        painter.end()
        return image


def rows_of(panes: Mapping[str, SliceView], shown: Sequence[str]) -> list[list[SliceView]]:
    """The panes of `shown` as they stand on the screen, from top left to bottom right."""
    places = [(_corner(panes[name]), panes[name]) for name in shown]
    rows: dict[int, list[tuple[int, SliceView]]] = {}
    for corner, pane in sorted(places, key=lambda place: (place[0].y(), place[0].x())):
        rows.setdefault(corner.y(), []).append((corner.x(), pane))
    return [[pane for _, pane in row] for row in rows.values()]


def _corner(pane: QWidget) -> QPoint:
    return pane.mapToGlobal(QPoint(0, 0))
