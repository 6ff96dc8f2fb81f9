"""One question beside what the design asks: a choice, a scale, a number, a text, or a mark."""

from __future__ import annotations

import re
from collections.abc import Collection

from pydantic import ValidationError
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialogButtonBox, QFormLayout, QLineEdit, QPlainTextEdit, QWidget

from ctmri_core.studies.protocol import Question, QuestionKind
from ctmri_gui.panels.fitted_dialog import FittedDialog
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.studies.setup.step_page import decimal
from ctmri_gui.viewer.palette import scaled

KINDS: tuple[tuple[str, QuestionKind], ...] = (
    ("Scale of steps", "likert"), ("Choice", "choice"), ("Number", "number"), ("Text", "text"), ("Mark in the picture", "mark"),
)  # fmt: skip
_SCALES, _NUMBERS, _CHOICES = ("likert", "number"), ("number",), ("choice",)


class QuestionDialog(FittedDialog):
    """`question`: what was put together, None until it is accepted. `taken`: keys of the others."""

    def __init__(self, parent: QWidget, question: Question | None, taken: Collection[str]) -> None:
        super().__init__("Question", "Question", 480, parent)
        self.question: Question | None = None
        self._taken, self._key = set(taken), "" if question is None else question.key
        self.kind, self.text = QComboBox(), QLineEdit()
        for words, kind in KINDS:
            self.kind.addItem(words, kind)
        self.text.setMaxLength(400)
        self.text.setPlaceholderText("How sharp is the anatomy?")
        self.choices = QPlainTextEdit()
        self.choices.setPlaceholderText("One answer in each line")
        self.choices.setTabChangesFocus(True)
        self.choices.setFixedHeight(scaled(96))
        self.low, self.high = (decimal(-1e6, 1e6, tip, step=1, places=2) for tip in ("The lowest answer", "The highest answer"))
        self.low_label, self.high_label, self.unit = QLineEdit(), QLineEdit(), QLineEdit()
        self.low_label.setPlaceholderText("poor")
        self.high_label.setPlaceholderText("excellent")
        self.unit.setPlaceholderText("mm")
        self.compulsory = QCheckBox("No trial ends &without an answer")
        self.problem = label("", "warning")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        self._show(question or Question(key="q1", kind="likert", text="?", low=1, high=5))
        if question is None:
            self.text.clear()
        for told in (self.kind.currentIndexChanged, self.text.textChanged, self.choices.textChanged, self.low.valueChanged,
                     self.high.valueChanged):  # fmt: skip
            told.connect(self._follow)
        self._follow()

    def accept(self) -> None:
        self.question = self._made()
        if self.question is not None:
            super().accept()

    def _made(self) -> Question | None:
        kind = self.kind.currentData()
        given: dict[str, object] = {"key": self._key or self._new_key(), "kind": kind, "text": self.text.text().strip(),
                                    "compulsory": self.compulsory.isChecked()}  # fmt: skip
        if kind in _CHOICES:
            given["choices"] = tuple(line.strip() for line in self.choices.toPlainText().splitlines() if line.strip())
        if kind in _SCALES:
            given |= {"low": self.low.value(), "high": self.high.value(), "low_label": self.low_label.text().strip(),
                      "high_label": self.high_label.text().strip()}  # fmt: skip
        if kind in _NUMBERS:
            given["unit"] = self.unit.text().strip()
        try:
            return Question.model_validate(given)
        except ValidationError as error:
            told = error.errors()[0]
            self._refused = "Write the question." if told["loc"] == ("text",) else _plain(told["msg"])
            return None

    def _new_key(self) -> str:
        """From the first words, for the column in tables."""
        word = re.sub(r"[^a-z0-9]+", "_", self.text.text().lower()).strip("_")[:24].strip("_")
        key = word if word[:1].isalpha() else f"q_{word}".strip("_")
        number, unique = 2, key or "q"
        while unique in self._taken:
            unique, number = f"{key}_{number}", number + 1
        return unique

    def _show(self, question: Question) -> None:
        self.kind.setCurrentIndex(self.kind.findData(question.kind))
        self.text.setText(question.text)
        self.choices.setPlainText("\n".join(question.choices))
        self.low.setValue(question.low)
        self.high.setValue(question.high)
        self.low_label.setText(question.low_label)
        self.high_label.setText(question.high_label)
        self.unit.setText(question.unit)
        self.compulsory.setChecked(question.compulsory)

    def _follow(self) -> None:
        kind = self.kind.currentData()
        for part, kinds in ((self.choices, _CHOICES), (self.low, _SCALES), (self.high, _SCALES), (self.low_label, _SCALES),
                            (self.high_label, _SCALES), (self.unit, _NUMBERS)):  # fmt: skip
            self._form.setRowVisible(part, kind in kinds)
        whole = kind == "likert"
        for field in (self.low, self.high):
            field.setDecimals(0 if whole else 2)
        self._refused = ""
        made = self._made()
        self.problem.setText("" if made is not None else self._refused)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(made is not None)

    def _lay_out(self) -> None:
        form = self._form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for words, field in (("&Kind", self.kind), ("&Question", self.text), ("&Answers", self.choices), ("&From", self.low),
                             ("Up &to", self.high), ("&Lowest is", self.low_label), ("&Highest is", self.high_label),
                             ("&Unit", self.unit)):  # fmt: skip
            field.setAccessibleName(words.replace("&", ""))
            form.addRow(naming(words, field), field)
        form.addRow(self.compulsory)
        self.within.addLayout(form)
        self.within.addWidget(self.problem)
        self.complete_with(self.buttons)


def _plain(message: str) -> str:
    told = message.removeprefix("Value error, ").partition(": ")
    words = told[2] or told[0]
    return f"{words[:1].upper()}{words[1:]}."
