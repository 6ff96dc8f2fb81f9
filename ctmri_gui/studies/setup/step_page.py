"""What all steps of setting up a study have in common: a heading, fields that change the draft, what is wrong beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.panels.small_parts import label, naming, scrolling
from ctmri_gui.studies.setup.draft import Draft


class StepPage(QWidget):
    """A subclass says what its fields read (`read`) and shows a request in them (`show_request`).

    `problem`: why the study cannot be made as far as this step goes; empty where it can.
    """

    def __init__(self, draft: Draft, title: str, words: str) -> None:
        super().__init__()
        self.draft = draft
        self._heard: list[QWidget] = []
        self._showing = False
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(18, 14, 18, 14)
        self.column.setSpacing(10)
        self.column.addWidget(label(title, "title"))
        self.column.addWidget(label(words, "muted"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, title))
        draft.replaced.connect(self.refresh)

    @property
    def problem(self) -> str:
        return ""

    @property
    def summary(self) -> str:
        """A few words under the name of the step."""
        return ""

    def read(self) -> dict[str, Any]:
        """Fields of the request, as they stand here."""
        return {}

    def show_request(self) -> None:
        """Fills the fields from the draft."""

    def forget(self) -> None:
        """Takes away what was typed and is not in the request."""

    def refresh(self) -> None:
        blockers = [QSignalBlocker(one) for one in self._heard]
        self._showing = True
        self.show_request()
        self._showing = False
        del blockers
        self.follow()

    def follow(self) -> None:
        """What depends on what was chosen."""

    def complete(self, *heard: QWidget) -> None:
        """All fields are there: from now on each change of one of `heard` goes into the draft."""
        self.column.addStretch(1)
        self._heard += heard
        for field in heard:
            _connect(field, self._take)
        self.refresh()
        self.draft.changed.connect(self.follow)

    def _take(self) -> None:
        if not self._showing:  # half of the fields still say what was before
            self.draft.change(**self.read())

    def heading(self, words: str) -> None:
        self.column.addWidget(label(words, "heading"))

    def form(self, *rows: tuple[str, QWidget | QLayout]) -> QFormLayout:
        """Rows of a name with a letter after &, empty for none, and a field. Below what was added before."""
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for words, field in rows:
            if words and isinstance(field, QWidget):
                form.addRow(naming(words, field), field)
                if not field.accessibleName():
                    field.setAccessibleName(words.replace("&", ""))
            elif words:
                form.addRow(words, field)
            else:
                form.addRow(field)
        self.column.addLayout(form)
        return form


def _connect(field: QWidget, heard: Any) -> None:
    if isinstance(field, QAbstractButton):
        field.toggled.connect(lambda _on: heard())
    elif isinstance(field, QSpinBox | QDoubleSpinBox):
        field.valueChanged.connect(lambda _value: heard())
    elif isinstance(field, QComboBox):
        field.currentIndexChanged.connect(lambda _row: heard())
    elif isinstance(field, QLineEdit):
        field.textChanged.connect(lambda _text: heard())
    elif isinstance(field, QPlainTextEdit):
        field.textChanged.connect(lambda: heard())


def number(low: int, high: int, tip: str, *, suffix: str = "", zero: str = "") -> QSpinBox:
    """A field of whole numbers; `zero`: what stands for the lowest."""
    made = QSpinBox()
    made.setRange(low, high)
    made.setToolTip(tip)
    made.setSuffix(suffix)
    made.setSpecialValueText(zero)
    return made


def decimal(low: float, high: float, tip: str, *, step: float = 0.05, places: int = 2, suffix: str = "") -> QDoubleSpinBox:
    made = QDoubleSpinBox()
    made.setRange(low, high)
    made.setDecimals(places)
    made.setSingleStep(step)
    made.setToolTip(tip)
    made.setSuffix(suffix)
    return made


def choice(rows: Sequence[tuple[str, str]], tip: str) -> QComboBox:
    """(words, value) of each."""
    made = QComboBox()
    for words, value in rows:
        made.addItem(words, value)
    made.setToolTip(tip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(16)
    return made


def say(note: QLabel, words: str) -> None:
    """A note beside fields, gone where there is nothing to say."""
    note.setText(words)
    note.setVisible(bool(words))
