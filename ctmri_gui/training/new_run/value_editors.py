"""One bounded editor for each kind of config field. The wheel moves a value only where it has the keyboard."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTime
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTimeEdit,
    QWidget,
)

from ctmri_core.config_fields import ConfigField
from ctmri_gui import file_choice

NOT_SET = "not set"
_CLOCK = "HH:mm"
_DECIMALS = 12
_WIDEST = 2**31 - 1
_SMALL, _LARGE = 1e-3, 1e6
_PART_OF_NUMBER = re.compile(r"[+-]?\d*\.?\d*(e[+-]?\d*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Editor:
    """`widget` to be laid out, `focus` that takes the keyboard; `read` and `write` its value, None for "not set"."""

    widget: QWidget
    focus: QWidget
    read: Callable[[], Any]
    write: Callable[[Any], None]


def editor_for(field: ConfigField, guard: QObject, edited: Callable[[], None]) -> Editor:
    """An editor of `field` that calls `edited` when its value is changed. `guard`: a `WheelGuard` that lives as long."""
    made = _MAKERS.get(field.kind, _text)(field, edited)
    made.focus.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.focus.installEventFilter(guard)
    made.focus.setObjectName(field.name)
    made.focus.setAccessibleName(field.label)
    made.focus.setAccessibleDescription(field.help)
    made.focus.setToolTip(field.help)
    return made


def shown(value: Any) -> str:
    """A value as its editor and summaries show it: `2e-4`, `on`, `not set`."""
    if value is None or value == "":
        return NOT_SET
    if isinstance(value, bool):
        return "on" if value else "off"
    return _short(value) if isinstance(value, float) else str(value)


class NumberBox(QDoubleSpinBox):
    """A number as a person writes it, `2e-4` as well. Steps follow its size, or that of the default where it may be zero."""

    def __init__(self, field: ConfigField) -> None:
        super().__init__()
        self._field = field
        self._low = -1e12 if field.low is None else field.low
        self._high = 1e12 if field.high is None else field.high
        self.setDecimals(_DECIMALS)
        if field.optional:
            self.setSpecialValueText(NOT_SET)
        self.setRange(self._low - 1 if field.optional else self._low, self._high)

    def textFromValue(self, value: float) -> str:
        return _short(value)

    def valueFromText(self, text: str) -> float:
        return self.minimum() if self._is_unset(text) else _number(text)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        states, text = QValidator.State, text.replace(",", ".")
        if self._is_unset(text):
            return states.Acceptable, text, position
        if _PART_OF_NUMBER.fullmatch(text.strip()) is None:
            return states.Invalid, text, position
        try:
            fits = self._fits(_number(text))
        except ValueError:  # not finished yet: `2e-`
            fits = False
        return states.Acceptable if fits else states.Intermediate, text, position

    def stepBy(self, steps: int) -> None:
        value = self.value()
        for _ in range(abs(steps)):
            value = round(self._stepped(value, steps > 0), _DECIMALS)
        self.setValue(value)

    def _is_unset(self, text: str) -> bool:
        return self._field.optional and text.strip() == NOT_SET

    def _fits(self, value: float) -> bool:
        above = value > self._low if self._field.low_open else value >= self._low
        return above and (value < self._high if self._field.high_open else value <= self._high)

    def _stepped(self, value: float, up: bool) -> float:
        if value < self._low:
            return self._usual if up else value
        small = self._field.high == 1 and self._field.high_open and value > 0.5  # of 0.99 counts what is missing to 1
        size = self._step(1 - value if small else value, shrinks=up if small else not up)
        moved = value + size if up else value - size
        if self._fits(moved):
            return moved
        if self._field.optional and moved < self._low:
            return self.minimum()
        closed = (self._low, self._high)[up]
        return closed if self._fits(closed) else value

    @property
    def _usual(self) -> float:
        return float(self._field.default or self._low + self._fixed_step)

    @property
    def _fixed_step(self) -> float:
        return _decade(float(self._field.default)) if self._field.default else min(_decade(self._high) / 10, 1.0)

    def _step(self, of: float, *, shrinks: bool) -> float:
        one_sided = self._field.low_open or (self._field.high == 1 and self._field.high_open)
        if not one_sided or of <= 0:
            return self._fixed_step
        decade = _decade(of)
        return decade / 10 if shrinks and math.isclose(of, decade) else decade


def _short(value: float) -> str:
    """`2e-4`, `0.05`, `3e6`: what a person would write."""
    if value and not _SMALL <= abs(value) < _LARGE:
        mantissa, _, exponent = f"{value:.9e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.10g}"


def _number(text: str) -> float:
    return float(text.strip().replace(",", "."))


def _decade(value: float) -> float:
    """The power of ten at or below `value`."""
    return float(10.0 ** math.floor(math.log10(abs(value)) + 1e-9))


def _float(field: ConfigField, edited: Callable[[], None]) -> Editor:
    return _spin(NumberBox(field), field, edited)


def _int(field: ConfigField, edited: Callable[[], None]) -> Editor:
    box = QSpinBox()
    low = -_WIDEST if field.low is None else int(field.low) + field.low_open
    high = _WIDEST if field.high is None else min(int(field.high) - field.high_open, _WIDEST)
    if field.optional:
        box.setSpecialValueText(NOT_SET)
    box.setRange(low - field.optional, high)
    box.setSingleStep(_whole_step(field, low))
    return _spin(box, field, edited)


def _whole_step(field: ConfigField, low: int) -> int:
    """Widths and edges begin at a power of two, in whose multiples they are chosen."""
    if low >= 4 and low & (low - 1) == 0:
        return low
    return max(1, int(_decade(field.default) / 10)) if field.default else 1


def _spin(box: Any, field: ConfigField, edited: Callable[[], None]) -> Editor:
    """`box`: a `QSpinBox` or a `NumberBox`."""
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
    box.valueChanged.connect(edited)

    def read() -> Any:
        return None if field.optional and box.value() == box.minimum() else box.value()

    def write(value: Any) -> None:
        box.setValue(type(box.minimum())(box.minimum() if value is None else value))

    return Editor(box, box, read, write)


def _bool(_field: ConfigField, edited: Callable[[], None]) -> Editor:
    box = QCheckBox(shown(False))
    box.toggled.connect(lambda on: box.setText(shown(on)))
    box.toggled.connect(edited)
    return Editor(box, box, box.isChecked, lambda value: box.setChecked(bool(value)))


def _choice(field: ConfigField, edited: Callable[[], None]) -> Editor:
    box = QComboBox()
    for choice in (None, *field.choices) if field.optional else field.choices:
        box.addItem(shown(choice), choice)
    box.currentIndexChanged.connect(edited)
    return Editor(box, box, box.currentData, lambda value: box.setCurrentIndex(box.findData(value)))


def _text(field: ConfigField, edited: Callable[[], None]) -> Editor:
    line = QLineEdit()
    line.setPlaceholderText(NOT_SET if field.optional else "")
    line.textChanged.connect(edited)
    return Editor(line, line, lambda: _read_text(line, field), lambda value: _write_text(line, value))


def _time(_field: ConfigField, edited: Callable[[], None]) -> Editor:
    box = QTimeEdit()
    box.setDisplayFormat(_CLOCK)
    box.timeChanged.connect(edited)
    return Editor(box, box, lambda: box.time().toString(_CLOCK), lambda value: box.setTime(QTime.fromString(value, "H:mm")))


def _file(field: ConfigField, edited: Callable[[], None]) -> Editor:
    line, both = QLineEdit(), QWidget()
    line.setPlaceholderText("no file")
    line.textChanged.connect(edited)
    choose = QPushButton("…")
    choose.setToolTip("Choose a file")
    choose.setAccessibleName(f"Choose a file: {field.label}")

    def ask() -> None:
        current = line.text()
        chosen = file_choice.existing_files(both, field.label, str(Path(current).parent) if current else "")
        if chosen:
            line.setText(str(chosen[0]))

    choose.clicked.connect(ask)
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(line, 1)
    row.addWidget(choose)
    return Editor(both, line, lambda: _read_text(line, field), lambda value: _write_text(line, value))


def _read_text(line: QLineEdit, field: ConfigField) -> str | None:
    text = line.text().strip()
    return None if field.optional and not text else text


def _write_text(line: QLineEdit, value: Any) -> None:
    line.setText("" if value is None else str(value))
    line.setCursorPosition(0)


_MAKERS: dict[str, Callable[[ConfigField, Callable[[], None]], Editor]] = {
    "int": _int, "float": _float, "bool": _bool, "choice": _choice, "file": _file,
    "time": _time,
}  # fmt: skip
