"""One field for each thing that has to be known of another program's model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from ctmri_core.domain import PICTURES

CHOOSE = "Choose…"
_KINDS = PICTURES
_SCALINGS = {
    "percentile_range": "0.5th to 99.5th percentile of the body", "min_max": "lowest to highest value in the body",
    "z_score": "mean and 3 standard deviations of the body",
}  # fmt: skip
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
    """How MR values are scaled; one that was told in more words than the choices here stays as it was told."""
    told = start if isinstance(start, dict) and start.get("kind") in _SCALINGS else None
    inner = choice_field(name, title, tuple(_SCALINGS.items()), told["kind"] if told else None)

    def value() -> Any:
        kind = inner.value()
        if kind is MISSING:
            return MISSING
        return told if told and kind == told["kind"] else {"kind": kind}

    return CardField(name, title, inner.widget, value, inner.changed)


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


def _on(signal: Any) -> Callable[[Callable[[], None]], None]:
    return lambda follow: signal.connect(lambda *_: follow())


def _all(fields: list[CardField]) -> Callable[[Callable[[], None]], None]:
    def connect(follow: Callable[[], None]) -> None:
        for field in fields:
            field.changed(follow)

    return connect
