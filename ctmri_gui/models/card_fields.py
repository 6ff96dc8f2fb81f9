"""One field for each thing that has to be known of another program's model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from ctmri_core.domain import PICTURES

CHOOSE = "Choose…"
_KINDS = PICTURES
_SCALINGS = {
    "percentile_range": "0.5th to 99.5th percentile of the body", "min_max": "lowest to highest value in the body",
    "z_score": "mean and 3 standard deviations of the body", "contrast": "0.5th to 99.5th percentile, with a contrast (gamma)",
    "window": "from one value to another, the same for every scan", "interior": "0 to 3 times the median deep in the body",
}  # fmt: skip
_LEARNT_SCALINGS = {"nyul": "standard scale of its card (Nyul)", "histogram": "distribution of its card (histogram matching)"}
"""What nobody can type in: landmarks come with a card."""
_NUMBERS: dict[str, tuple[str, ...]] = {"contrast": ("gamma",), "window": ("low", "high", "gamma")}
"""What is asked beside the kind."""
_TITLES = {"low": "black", "high": "white", "gamma": "gamma, below 1: dark parts brighter"}
_REGIONS = ("head", "head and neck", "thorax", "abdomen", "pelvis", "whole body")
_OWN = "the scan's own"


@dataclass(frozen=True)
class CardField:
    """`value`: what was entered, `MISSING` where nothing was that can be used. `changed` takes what is to be called then."""

    name: str
    title: str
    widget: QWidget
    value: Callable[[], Any]
    changed: Callable[[Callable[[], None]], None]


class _Missing:
    """Nothing was entered."""


MISSING = _Missing()


def text_field(name: str, title: str, start: str, hint: str = "") -> CardField:
    line = QLineEdit(start)
    line.setPlaceholderText(hint)
    line.setMaxLength(120)
    return CardField(name, title, _named(line, title), lambda: line.text().strip() or MISSING, _on(line.textChanged))


def region_field(name: str, title: str, start: str) -> CardField:
    box = QComboBox()
    box.setEditable(True)
    box.addItems(_REGIONS)
    box.setCurrentText(start)
    return CardField(name, title, _named(box, title), lambda: box.currentText().strip() or MISSING, _on(box.currentTextChanged))


def choice_field(name: str, title: str, choices: tuple[tuple[str, str], ...], start: Any) -> CardField:
    box = QComboBox()
    box.addItem(CHOOSE, MISSING)
    for value, meaning in choices:
        box.addItem(meaning[:1].upper() + meaning[1:], value)
    box.setCurrentIndex(max(box.findData(start), 0))
    _shrink(box)
    return CardField(name, title, _named(box, title), box.currentData, _on(box.currentIndexChanged))


def scaling_field(name: str, title: str, start: Any) -> CardField:
    """How MR values are scaled; what a card tells beyond what is asked here stays as it is told."""
    told: dict[str, Any] = start if isinstance(start, dict) and start.get("kind") in _SCALINGS | _LEARNT_SCALINGS else {}
    own = told.get("kind")
    choices = [*_SCALINGS.items(), *((kind, words) for kind, words in _LEARNT_SCALINGS.items() if kind == own)]
    inner = choice_field(name, title, tuple(choices), own)
    usual = {"gamma": 1.0, **told}
    numbers = {key: number_field(name, f"{title}: {words}", usual.get(key), words) for key, words in _TITLES.items()}
    row = _beside(*numbers.values())

    def follow() -> None:
        for key, field in numbers.items():
            field.widget.setVisible(key in _NUMBERS.get(inner.value(), ()))
        row.setVisible(inner.value() in _NUMBERS)

    def value() -> Any:
        kind = inner.value()
        if kind is MISSING:
            return MISSING
        asked = {key: numbers[key].value() for key in _NUMBERS.get(kind, ())}
        return MISSING if MISSING in asked.values() else {**(told if kind == own else {"kind": kind}), **asked}

    inner.changed(follow)
    follow()
    return CardField(name, title, _under(inner.widget, row), value, _all([inner, *numbers.values()]))


def direction_field(name: str, title: str, start: str) -> CardField:
    source, _, target = start.partition("_to_")
    both = [choice_field(name, end, tuple((kind.value, kind.label) for kind in _KINDS), said)
            for end, said in (("From", source), ("to", target))]  # fmt: skip

    def value() -> Any:
        ends = [field.value() for field in both]
        return MISSING if MISSING in ends else "_to_".join(ends)

    return CardField(name, title, _beside(*both), value, _all(both))


def spacing_field(name: str, title: str, start: Any) -> CardField:
    box = QComboBox()
    box.setEditable(True)
    box.addItem(_OWN)
    box.setCurrentText(_OWN if start is None else "" if start is MISSING else f"{start:g}")
    line = box.lineEdit()
    assert line is not None
    line.setPlaceholderText("mm")

    def value() -> Any:
        return None if box.currentText().strip() == _OWN else _number(box.currentText())

    return CardField(name, title, _named(box, title), value, _on(box.currentTextChanged))


def number_field(name: str, title: str, start: Any, hint: str = "") -> CardField:
    """A whole number where it is one."""
    line = QLineEdit("" if start is MISSING or start is None else f"{start:g}")
    line.setPlaceholderText(hint)
    return CardField(name, title, _named(line, title), lambda: _number(line.text()), _on(line.textChanged))


def range_field(name: str, title: str, start: Any, hints: tuple[str, str], made: Callable[[float, float], Any]) -> CardField:
    """Two numbers, low and high; `made` of them is the value."""
    values = start if isinstance(start, list | tuple) and len(start) == 2 else (MISSING, MISSING)
    ends = zip(("lowest", "highest"), values, hints, strict=True)
    both = [number_field(name, f"{title}: {end}", value, hint) for end, value, hint in ends]

    def value() -> Any:
        low, high = (field.value() for field in both)
        return MISSING if low is MISSING or high is MISSING else made(low, high)

    return CardField(name, title, _beside(*both), value, _all(both))


def _number(text: str) -> Any:
    try:
        number = float(text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return MISSING
    return int(number) if number.is_integer() else number


def _named(widget: QWidget, title: str) -> QWidget:
    widget.setAccessibleName(title)
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return widget


def _shrink(box: QComboBox) -> None:
    """Its longest choice must not make the form wider than the window."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)


def _beside(*fields: CardField) -> QWidget:
    inside = QWidget()
    row = QHBoxLayout(inside)
    row.setContentsMargins(0, 0, 0, 0)
    for field in fields:
        row.addWidget(field.widget, 1)
    return inside


def _under(above: QWidget, below: QWidget) -> QWidget:
    inside = QWidget()
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(above)
    column.addWidget(below)
    return inside


def _on(signal: Any) -> Callable[[Callable[[], None]], None]:
    return lambda follow: signal.connect(lambda *_: follow())


def _all(fields: list[CardField]) -> Callable[[Callable[[], None]], None]:
    def connect(follow: Callable[[], None]) -> None:
        for field in fields:
            field.changed(follow)

    return connect
