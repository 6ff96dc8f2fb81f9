"""Dialogs that are as high as shows all they hold, as far as the screen has room; beyond that it scrolls, and buttons stay."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QScrollArea, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import fit_height, resize_dialog, scrolling


class FittedDialog(QDialog):
    """`within`: where the content is put."""

    def __init__(self, title: str, name: str, width: int, parent: QWidget | None = None) -> None:
        """`name`: of the content, for those who hear it; `width`: px beside text of 13 px."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self._width = width
        inside = QWidget()
        self.within = QVBoxLayout(inside)
        self.within.setContentsMargins(0, 0, 0, 0)
        self.within.setSpacing(12)
        self._area: QScrollArea = scrolling(inside, name)

    def complete_with(self, *below: QWidget) -> None:
        """`below`: what always stands in sight under the content, all of which is there now."""
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(self._area, 1)
        for part in below:
            column.addWidget(part)
        resize_dialog(self, self._width, 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, lambda: fit_height(self, self._area))
