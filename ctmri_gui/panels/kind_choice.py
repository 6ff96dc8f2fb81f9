"""A choice of kinds of image that cannot be changed by accident."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox

from ctmri_core.domain import PICTURES, Domain

KINDS = (*PICTURES, Domain.UNKNOWN)
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
_LEAST_LETTERS = 6  # the longest kind must not widen the panel


class KindChoice(QComboBox):
    """Only what is chosen in the open list counts: the wheel is for scrolling the panel, and keys open the list.

    Another kind can mean another translation, so that passing through kinds on the way to the right one must cost nothing.
    """

    chosen = Signal(object)  # Domain

    def __init__(self, domain: Domain) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LEAST_LETTERS)
        for kind in KINDS:
            self.addItem(kind.label)
        self.setCurrentIndex(KINDS.index(domain))
        self.activated.connect(lambda row: self.chosen.emit(KINDS[row]))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _MOVES or (event.text() and event.text().isprintable()):
            self.showPopup()
        else:
            super().keyPressEvent(event)
