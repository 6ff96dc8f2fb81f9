"""A field for grey values, which may be thousands of Hounsfield units or thousandths of an MR signal."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox

LARGEST, SMALLEST_WIDTH = 1e7, 1e-3
_DIGITS = 10


class NumberField(QDoubleSpinBox):
    """Steps grow with the number; no zeros are shown that say nothing."""

    def __init__(self, name: str, value: float = 0.0, lowest: float = -LARGEST, highest: float = LARGEST) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setDecimals(3)
        self.setRange(lowest, highest)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setValue(value)

    def textFromValue(self, value: float) -> str:
        """In the notation of the place, as the field reads it."""
        return f"{value:.{_DIGITS}g}".replace(".", self.locale().decimalPoint())
