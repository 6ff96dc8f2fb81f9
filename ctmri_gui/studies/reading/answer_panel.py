"""The form beside the pictures: what is asked, what was answered, and how far the reader has come."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ctmri_core.studies.protocol import Protocol
from ctmri_core.studies.trials import Answer, Mark, Trial
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.answer_parts import AnswerButton, QuietScroll, in_lines
from ctmri_gui.studies.reading.choices import choice_for
from ctmri_gui.studies.reading.question_fields import ButtonsField, Given, PlacesField, QuestionField, field_for
from ctmri_gui.viewer import palette

REASON_KEYS = "ASDFGHJKQWETYU"
_WIDTH = 300


class AnswerPanel(QWidget):
    """Signals: `changed()` when the reader answered something; `submitted()`, `backAsked()`, `pauseAsked()`;
    `markAsked(object)` with the label that marks get from now on, or None."""

    changed = Signal()
    submitted = Signal()
    backAsked = Signal()
    pauseAsked = Signal()
    markAsked = Signal(object)

    def __init__(self, protocol: Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self.choice = choice_for(protocol)
        self.choice.changed.connect(self.changed)
        self.fields: tuple[QuestionField, ...] = tuple(field_for(question) for question in protocol.questions)
        self.reasons = [QCheckBox(in_lines(f"{_reason_key(number)}{words}")) for number, words in enumerate(protocol.reasons)]
        self.mark = AnswerButton("Mark a place  (M)", "Mark a place in the picture")
        self.progress_words, self._bar = label("", "muted"), QProgressBar()
        self.told, self.submit = label(""), QPushButton("Next  (Enter)")
        self._back, self._pause = QPushButton("Back"), QPushButton("Pause  (P)")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.progress_words, self._bar):
            column.addWidget(widget)
        column.addWidget(self._scrolled(), 1)
        column.addWidget(self.told)
        column.addWidget(self.submit)
        row = QHBoxLayout()
        row.addWidget(self._back)
        row.addWidget(self._pause)
        column.addLayout(row)
        self._dress()
        self._connect()
        self._follow_font()

    # What is answered -------------------------------------------------------------------------------------------------

    @property
    def ticked(self) -> tuple[str, ...]:
        """Reasons, in the order of the protocol."""
        return tuple(words for words, box in zip(self._protocol.reasons, self.reasons, strict=True) if box.isChecked())

    @property
    def questions(self) -> dict[str, Given]:
        return {field.question.key: field.value for field in self.fields if not isinstance(field, PlacesField)}

    def begin(self, trial: Trial, *, done: int, of: int, may_go_back: bool) -> None:
        """An empty form."""
        block = "Practice" if trial.block == "practice" else "Trial"
        self.progress_words.setText(f"{block} {trial.number} of {of}")
        self._bar.setRange(0, of)
        self._bar.setValue(done)
        self.choice.begin(trial)
        for field in self.fields:
            field.put(None)
        for box in self.reasons:
            box.setChecked(False)
        self._back.setEnabled(may_go_back)
        self.show_top()
        self.lock(True)
        self.say("")

    def put(self, answer: Answer) -> None:
        """What was answered before."""
        self.choice.put(answer.choice, answer.confidence)
        for field in self.fields:
            field.put(answer.questions.get(field.question.key))
        for words, box in zip(self._protocol.reasons, self.reasons, strict=True):
            box.setChecked(words in answer.reasons)

    def say(self, words: str, role: str = "warning") -> None:
        """One line above the button; empty for none."""
        self.told.setText(words)
        self.told.setProperty("role", role)
        self.told.style().unpolish(self.told)
        self.told.style().polish(self.told)
        self.told.setVisible(bool(words))

    def tell_marks(self, marks: list[Mark], marking: str | None) -> None:
        """How many there are, and which question they are set for now."""
        free = sum(mark.label == "" for mark in marks)
        self.mark.setText(f"Mark a place  (M)   {free} marked" if free else "Mark a place  (M)")
        self.mark.setChecked(marking == "")
        for field in self.fields:
            if isinstance(field, PlacesField):
                key = field.question.key
                field.tell(sum(mark.label == key for mark in marks), now=marking == key)

    def lock(self, locked: bool) -> None:
        """Whether nothing can be answered; buttons to go on and to pause stay."""
        self._form.setEnabled(not locked)

    @property
    def locked(self) -> bool:
        return not self._form.isEnabled()

    # Keys -------------------------------------------------------------------------------------------------------------

    def take_digit(self, digit: int) -> bool:
        """For the design's question, or where it asks none, for the first scale that is not answered."""
        if self._protocol.design != "grading":
            return self.choice.take_digit(digit)
        scale = next((field for field in self.fields if isinstance(field, ButtonsField) and not field.settled), None)
        return scale is not None and scale.press(digit)

    def take_reason(self, event: QKeyEvent) -> bool:
        """Whether the letter ticks a reason."""
        letter = event.text().upper()
        place = REASON_KEYS.find(letter) if len(letter) == 1 else -1
        if not 0 <= place < len(self.reasons) or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        self.reasons[place].toggle()
        self.changed.emit()
        return True

    def show_top(self) -> None:
        """What the design asks."""
        self._area.verticalScrollBar().setValue(0)

    def go_to_open_question(self, *, compulsory: bool = True) -> bool:
        """The keyboard goes to the first question without an answer; False where there is none."""
        open_one = next((one for one in self.fields if not one.settled and (one.question.compulsory or not compulsory)), None)
        if open_one is None:
            return False
        open_one.take_keys()
        self._area.ensureWidgetVisible(open_one)
        return True

    # Parts ------------------------------------------------------------------------------------------------------------

    def _scrolled(self) -> QuietScroll:
        self._form = QWidget()
        column = QVBoxLayout(self._form)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(10)
        asked = label(self._protocol.question, "heading")
        column.addWidget(asked)
        if self._protocol.finding:
            column.addWidget(label(f"Looked for: {self._protocol.finding}", "muted"))
        column.addWidget(self.choice)
        if marks_are_asked(self._protocol):
            column.addWidget(self.mark)
        if self.reasons:
            column.addWidget(label("Why (if you like)", "heading"))
        for widget in (*self.reasons, *self.fields):
            column.addWidget(widget)
        column.addStretch(1)
        self._area = QuietScroll()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(self._form)
        return self._area

    def _dress(self) -> None:
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("How much is done")
        self.submit.setProperty("primary", True)
        self._back.setVisible(self._protocol.go_back)
        self._back.setText("Back  (Backspace)")
        self.told.hide()

    def _connect(self) -> None:
        self.submit.clicked.connect(self.submitted)
        self._back.clicked.connect(self.backAsked)
        self._pause.clicked.connect(self.pauseAsked)
        self.mark.clicked.connect(lambda on: self.markAsked.emit("" if on else None))
        for box in self.reasons:
            box.clicked.connect(lambda _: self.changed.emit())
        for field in self.fields:
            field.changed.connect(partial(self._go_on_after, field))
            if isinstance(field, PlacesField):
                key = field.question.key
                field.markAsked.connect(lambda on, key=key: self.markAsked.emit(key if on else None))

    def _go_on_after(self, field: QuestionField) -> None:
        """A scale that was answered hands the keyboard on to the next question that is open."""
        if field.question.kind in ("likert", "choice") and not self.go_to_open_question():
            field.take_keys()
        self.changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        if palette.changes_text(event):
            self._follow_font()
        super().changeEvent(event)

    def _follow_font(self) -> None:
        self.setFixedWidth(palette.scaled(_WIDTH))


def marks_are_asked(protocol: Protocol) -> bool:
    """Whether places may be marked beside those that a question asks for."""
    return protocol.marks or protocol.design == "diagnosis"


def _reason_key(number: int) -> str:
    return f"{REASON_KEYS[number]}   " if number < len(REASON_KEYS) else ""
