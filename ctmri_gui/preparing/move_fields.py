"""Fields for moving a picture by hand: millimetres along and degrees about the patient's axes, in two lines."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QPushButton, QWidget

from ctmri_core.aligning.by_hand import Nudge
from ctmri_gui.panels.small_parts import naming

_SHIFTS = (("Left", "mm to the patient's left; below zero to the right"), ("Back", "mm to the back; below zero to the front"),
           ("Head", "mm towards the head; below zero towards the feet"))  # fmt: skip
_TURNS = (("Nod", "degrees about the axis from right to left"), ("Tilt", "degrees about the axis from front to back"),
          ("Turn", "degrees about the axis from feet to head"))  # fmt: skip
_MOST_MM, _MOST_DEGREES, _STEP = 500.0, 180.0, 0.5


class MoveFields(QWidget):
    """`chosen(Nudge)`: what the fields say, all in all."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self.mm = [self._field(0, place, *said, " mm", _MOST_MM) for place, said in enumerate(_SHIFTS)]
        self.degrees = [self._field(1, place, *said, "°", _MOST_DEGREES) for place, said in enumerate(_TURNS)]
        self.back = QPushButton("As found")
        self.back.setToolTip("Takes back all that was moved by hand. Arrow keys on the pictures move by 1 mm, with Shift by 5")
        self.back.clicked.connect(lambda _checked=False: self.chosen.emit(Nudge()))
        self._grid.addWidget(self.back, 0, 6)
        self._grid.setColumnStretch(7, 1)

    def show_nudge(self, nudge: Nudge) -> None:
        for field, value in zip((*self.mm, *self.degrees), (*nudge.mm, *nudge.degrees), strict=True):
            with QSignalBlocker(field):
                field.setValue(value)
        self.back.setEnabled(bool(nudge))

    def _field(self, row: int, place: int, words: str, tip: str, unit: str, most: float) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(-most, most)
        field.setDecimals(1)
        field.setSingleStep(_STEP)
        field.setSuffix(unit)
        field.setToolTip(tip)
        field.setAccessibleName(f"{words}: {tip}")
        field.setKeyboardTracking(False)
        field.valueChanged.connect(lambda _value: self._choose())
        self._grid.addWidget(naming(words, field), row, 2 * place)
        self._grid.addWidget(field, row, 2 * place + 1)
        return field

    def _choose(self) -> None:
        x, y, z = (round(field.value(), 3) for field in self.mm)
        a, b, c = (round(field.value(), 3) for field in self.degrees)
        self.chosen.emit(Nudge((x, y, z), (a, b, c)))
