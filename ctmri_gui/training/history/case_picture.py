"""The best and the worst case of a verdict: small in the page, large when pressed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from ctmri_core.events import Finished
from ctmri_core.training.verdict import CasePicture
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.history.history_work import Colour, read_case
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.palette import scaled

_SMALL_WIDTH = 560


class CaseButton(QWidget):
    """One case with its caption; the picture is a button."""

    def __init__(self, case: CasePicture, folder: Path, jobs: Jobs) -> None:
        super().__init__()
        self._title = case.caption
        self._image: QImage | None = None
        self._latest = Latest(jobs)
        self.press = QPushButton()
        self.press.setAccessibleName(f"{self._title}; show it large")
        self.press.setToolTip("Source, synthetic, truth and error; press to see it large")
        self.press.setEnabled(False)
        self.press.clicked.connect(self.show_large)
        self._words = label("Reading the picture …", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(label(self._title, "heading"))
        column.addWidget(self.press, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._words)
        column.addStretch(1)
        self.press.hide()
        self._latest.ask(
            "Read a picture", partial(read_case, folder / case.file), self._take, ended=self._ended, listed=False
        )  # fmt: skip

    def show_large(self) -> None:
        if self._image is not None:
            dialog = _Large(self._title, self._image, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def drop(self) -> None:
        """The page shows another verdict."""
        self._latest.drop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _take(self, values: Colour) -> None:
        rows, columns, _ = values.shape
        self._image = QImage(np.ascontiguousarray(values).data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
        self.press.setEnabled(True)
        self.press.show()
        self._words.hide()
        self._fit()

    def _ended(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self._words.setText(end.message)

    def _fit(self) -> None:
        if self._image is None:
            return
        width = max(min(self.width() - 40, scaled(_SMALL_WIDTH)), 60)
        small = self._image.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
        self.press.setIcon(QPixmap.fromImage(small))
        self.press.setIconSize(small.size())


class _Large(QDialog):
    def __init__(self, title: str, image: QImage, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("A case of the verdict")
        self._canvas = _Canvas(image)
        self._canvas.setAccessibleName(title)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(label(title, "heading"))
        column.addWidget(self._canvas, 1)
        column.addWidget(buttons)
        room = self.screen().availableSize() * 0.9
        self.resize(QSize(image.width(), image.height() + 110).scaled(room, Qt.AspectRatioMode.KeepAspectRatio))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accept()
            return
        super().keyPressEvent(event)


class _Canvas(QWidget):
    def __init__(self, image: QImage) -> None:
        super().__init__()
        self._image = image
        self.setMinimumSize(200, 100)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), palette.BACKGROUND)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawImage(QRect(QPoint(left, top), size), self._image)

