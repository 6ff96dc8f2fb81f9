"""Fields for the questions a study asks beside that of its design."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ctmri_core.studies.protocol import Question
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.answer_parts import AnswerButton, OneOf, digit_of

Given = str | float | None
_WIDEST_SCALE = 11
"""A scale with more steps than this has no button for each."""


class QuestionField(QWidget):
    """One question. `changed` when the reader answered."""

    changed = Signal()

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(label(f"{question.text}{'' if question.compulsory else ' (if you like)'}", "heading"))

    @property
    def value(self) -> Given:
        """As in `Answer.questions`; None for nothing."""
        return None

    def put(self, value: Given) -> None:
        """What was answered before; None for nothing."""

    def take_keys(self) -> None:
        """Moves the keyboard here."""

    @property
    def settled(self) -> bool:
        """Whether there is an answer."""
        return self.value is not None


class ButtonsField(QuestionField):
    """One of some words or of the steps of a scale, by button or by number."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        steps = range(round(question.low), round(question.high) + 1)
        self._values: tuple[Given, ...] = question.choices or tuple(float(step) for step in steps)
        self._first = 1 if question.choices else round(question.low)
        if question.choices:
            texts = [f"{number}   {words}" if number < 10 else words for number, words in enumerate(question.choices, 1)]
        else:
            texts = [str(step) for step in steps]
        names = [f"{question.text}: {words}" for words in question.choices or texts]
        self._buttons = OneOf(texts, names, upright=bool(question.choices))
        self._buttons.changed.connect(self.changed)
        self._column.addWidget(self._buttons)
        self._column.addLayout(_ends(question))

    @property
    def value(self) -> Given:
        chosen = self._buttons.chosen
        return None if chosen is None else self._values[chosen]

    def put(self, value: Given) -> None:
        self._buttons.choose(self._values.index(value) if value in self._values else None)

    def take_keys(self) -> None:
        self._buttons.buttons[self._buttons.chosen or 0].setFocus(Qt.FocusReason.TabFocusReason)

    def press(self, digit: int) -> bool:
        """The answer with this number; whether there is one."""
        return self._buttons.press(digit - self._first)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = digit_of(event)
        if digit is None or not self.press(digit):
            event.ignore()


class LineField(QuestionField):
    """A text or a number."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self._line = QLineEdit()
        self._line.setAccessibleName(question.text)
        self._line.setMaxLength(2000)
        if question.kind != "text":
            self._line.setPlaceholderText(" ".join(f"{question.low:g} to {question.high:g} {question.unit}".split()))
        self._line.textEdited.connect(lambda _: self.changed.emit())
        self._column.addWidget(self._line)
        if question.kind != "text":
            self._column.addLayout(_ends(question))

    @property
    def value(self) -> Given:
        """A number that is none stays text, and so is refused."""
        text = self._line.text().strip()
        if self.question.kind == "text" or not text:
            return text or None
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return text

    def put(self, value: Given) -> None:
        self._line.setText("" if value is None else f"{value:.15g}" if isinstance(value, float) else value)

    def take_keys(self) -> None:
        self._line.setFocus(Qt.FocusReason.TabFocusReason)


class PlacesField(QuestionField):
    """Places to be marked in the picture, where the marks are kept. `markAsked(bool)`: whether clicks are to set them now."""

    markAsked = Signal(bool)

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.button = AnswerButton("Mark in the picture", f"{question.text}: mark in the picture")
        self.button.clicked.connect(self.markAsked)
        self.count = 0
        self._column.addWidget(self.button)

    def tell(self, count: int, *, now: bool) -> None:
        """So many are marked; `now`: clicks set them."""
        self.count = count
        self.button.setText(f"Mark in the picture ({count} marked)" if count else "Mark in the picture")
        self.button.setChecked(now)

    def take_keys(self) -> None:
        self.button.setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def settled(self) -> bool:
        return self.count > 0


def field_for(question: Question) -> QuestionField:
    """The field of a question's kind."""
    if question.kind == "mark":
        return PlacesField(question)
    many = question.kind == "likert" and question.high - question.low >= _WIDEST_SCALE
    return LineField(question) if question.kind in ("text", "number") or many else ButtonsField(question)


def _ends(question: Question) -> QHBoxLayout:
    """What the ends of a scale mean."""
    row = QHBoxLayout()
    if question.low_label or question.high_label:
        row.addWidget(label(question.low_label, "muted", wrap=False))
        row.addStretch(1)
        row.addWidget(label(question.high_label, "muted", wrap=False))
    return row
