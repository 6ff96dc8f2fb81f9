"""One sample picture with the names of its columns, or words where there is none."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ctmri_gui.training.monitor.reading import Grey
from ctmri_gui.viewer import palette


class PreviewCanvas(QWidget):
    """`columns`: equally wide parts of the picture, left to right. Draws as large as it is, its sides in proportion."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._image: QImage | None = None
        self._columns: tuple[str, ...] = ()
        self._words = ""
        self._whole = False

    @property
    def words(self) -> str:
        """What stands there in place of a picture."""
        return self._words

    def set_picture(self, values: Grey, columns: tuple[str, ...], told: str) -> None:
        """`told`: what it is, for those who cannot see it."""
        rows, width = values.shape
        self._image = QImage(np.ascontiguousarray(values).data, width, rows, width, QImage.Format.Format_Grayscale8).copy()
        self._columns, self._words = columns, ""
        self.setAccessibleName(told)
        self._fit()

    def set_words(self, words: str) -> None:
        self._image, self._words = None, words
        self.setAccessibleName(words)
        self._fit()

    def set_whole(self, whole: bool) -> None:
        """One pixel of the picture on each of the screen; else as large as there is room."""
        self._whole = whole
        self._fit()

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if palette.changes_text(event):
            self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), palette.BACKGROUND)
        if self._image is None:
            painter.setPen(palette.MUTED)
            room = self.rect().adjusted(20, 20, -20, -20)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words)
        else:
            place = self._place(self._image)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.width() < self._image.width())
            painter.drawImage(place, self._image)
            self._draw_names(painter, place)
        if self.hasFocus():
            painter.setPen(palette.ACCENT)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _draw_names(self, painter: QPainter, place: QRect) -> None:
        painter.setFont(palette.font(12, bold=True))
        wide = place.width() / max(len(self._columns), 1)
        for number, name in enumerate(self._columns):
            room = QRect(round(place.x() + number * wide), place.y() - self._head, round(wide), self._head)
            painter.setPen(palette.AMBER if name == "synthetic" else QColor(palette.TEXT))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, name)

    @property
    def _head(self) -> int:
        return palette.scaled(22)

    def _place(self, image: QImage) -> QRect:
        room = self.rect().adjusted(0, self._head, 0, 0)
        size = image.size()
        if not self._whole:
            size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left = room.x() + max((room.width() - size.width()) // 2, 0)
        return QRect(left, room.y() + max((room.height() - size.height()) // 2, 0), size.width(), size.height())

    def _fit(self) -> None:
        least = QSize(120, 120)
        if self._whole and self._image is not None:
            least = self._image.size() + QSize(0, self._head)
        self.setMinimumSize(least)
        self.update()
