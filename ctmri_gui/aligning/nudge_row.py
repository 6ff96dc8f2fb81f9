"""Fields for moving the truth by hand: millimetres and degrees along and about the patient's axes."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QWidget

from ctmri_core.aligning.by_hand import Nudge
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.training.monitor.flow import Flow

_SHIFTS = (("&Left", "mm to the patient's left; below zero to the right"), ("Bac&k", "mm to the back; below zero to the front"),
           ("Hea&d", "mm towards the head; below zero towards the feet"))  # fmt: skip
_TURNS = (("N&od", "degrees about the axis from right to left"), ("&Tilt", "degrees about the axis from front to back"),
          ("T&urn", "degrees about the axis from feet to head"))  # fmt: skip
_MOST_MM, _MOST_DEGREES = 500.0, 180.0
_HINT = "Arrows move by 1 mm, with Ctrl turn by 1°, Shift: by 5"


class NudgeRow(QWidget):
    """`chosen(Nudge)`: what the fields say, all in all."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        row = Flow(self)
        self.mm = [self._field(row, words, tip, " mm", _MOST_MM) for words, tip in _SHIFTS]
        self.degrees = [self._field(row, words, tip, "°", _MOST_DEGREES) for words, tip in _TURNS]
        self.back = QPushButton("As found")
        self.back.setToolTip("Takes back all that was moved by hand")
        self.back.clicked.connect(lambda _checked=False: self.chosen.emit(Nudge()))
        row.addWidget(self.back)
        row.addWidget(label(_HINT, "muted", wrap=False))

    def show_nudge(self, nudge: Nudge) -> None:
        for field, value in zip((*self.mm, *self.degrees), (*nudge.mm, *nudge.degrees), strict=True):
            with QSignalBlocker(field):
                field.setValue(value)
        self.back.setEnabled(bool(nudge))

    def _field(self, row: Flow, words: str, tip: str, unit: str, most: float) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(-most, most)
        field.setDecimals(1)
        field.setSingleStep(0.5)
        field.setSuffix(unit)
        field.setToolTip(tip)
        field.setAccessibleName(f"{words.replace('&', '')}: {tip}")
        field.valueChanged.connect(self._choose)
        both = QWidget()
        line = QHBoxLayout(both)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(naming(words, field))
        line.addWidget(field)
        row.addWidget(both)
        return field

    def _choose(self) -> None:
        x, y, z = (round(field.value(), 3) for field in self.mm)
        a, b, c = (round(field.value(), 3) for field in self.degrees)
        self.chosen.emit(Nudge((x, y, z), (a, b, c)))
