"""Pages between which the trials stand: one card, one thing to do, Enter to go on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.studies.trials import ReaderFacts
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.answer_parts import QuietScroll
from ctmri_gui.studies.reading.keys_shown import Rows
from ctmri_gui.viewer import palette

_WIDTH, _LEAST, _BESIDE = 720, 300, 12
_MOST_YEARS = 80


class Page(QWidget):
    """A card in the middle. `done()` when the reader goes on; `other()` for the second button."""

    done = Signal()
    other = Signal()

    def __init__(self, title: str, *texts: str, go_on: str = "Go on", other: str = "") -> None:
        super().__init__()
        self.told = label("", "warning")
        self.told.hide()
        self.button = QPushButton(f"{go_on}  (Enter)")
        self.button.setProperty("primary", True)
        self.button.clicked.connect(self.go_on)
        self._card = QFrame()
        self._card.setProperty("role", "card")
        self.column = QVBoxLayout(self._card)
        self.column.setContentsMargins(28, 24, 28, 24)
        self.column.setSpacing(12)
        self.column.addWidget(label(title, "title"))
        for text in texts:
            self.column.addWidget(_selectable(text))
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.column.addLayout(self.body)
        self.column.addWidget(self.told)
        row = QHBoxLayout()
        row.addStretch(1)
        if other:
            second = QPushButton(other)
            second.clicked.connect(self.other)
            row.addWidget(second)
        row.addWidget(self.button)
        self.column.addLayout(row)
        self._centre()
        self._follow_font()

    def missing(self) -> str:
        """Why the reader cannot go on yet, in words; empty where he can."""
        return ""

    def go_on(self) -> None:
        """Says what is missing, or `done`."""
        self.say(self.missing())
        if not self.missing():
            self.done.emit()

    def say(self, words: str) -> None:
        """Above the button; empty for nothing."""
        self.told.setText(words)
        self.told.setVisible(bool(words))

    def take_keys(self) -> None:
        """Where the keyboard begins."""
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():  # a key held from the trial before must not skip a page
                self.go_on()
        else:
            super().keyPressEvent(event)

    def _centre(self) -> None:
        inside = QWidget()
        row = QHBoxLayout(inside)
        row.setContentsMargins(_BESIDE, _BESIDE, _BESIDE, _BESIDE)
        row.addStretch(1)
        row.addWidget(self._card, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        area = QuietScroll()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        self._area: QScrollArea = area
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def changeEvent(self, event: QEvent) -> None:
        if palette.changes_text(event):
            self._follow_font()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_font()

    def _follow_font(self) -> None:
        """As wide as lines are read well, and no wider than the window: nothing scrolls sideways."""
        room = self._area.width() - 2 * _BESIDE - self._area.verticalScrollBar().sizeHint().width()
        self._card.setFixedWidth(max(min(palette.scaled(_WIDTH), room), palette.scaled(_LEAST)))


class ConsentPage(Page):
    """What the study is about, and the text to consent to, to be scrolled to its end."""

    def __init__(self, title: str, about: str, consent: str) -> None:
        super().__init__(title, *([about] if about else []), go_on="I agree, go on")
        self._seen = False
        self._text = QPlainTextEdit(consent)
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setAccessibleName("Text to consent to")
        self._agreed = QCheckBox("I have read this and agree to take part")
        self.body.addWidget(self._text)
        self.body.addWidget(self._agreed)
        self._text.setMinimumHeight(palette.scaled(240))
        self._text.verticalScrollBar().valueChanged.connect(lambda _: self._look())

    def _look(self) -> None:
        bar = self._text.verticalScrollBar()
        self._seen = self._seen or (self.isVisible() and bar.value() >= bar.maximum() - 1)

    def take_keys(self) -> None:
        self._text.setFocus()

    def missing(self) -> str:
        self._look()
        if not self._seen:
            return "Read the text to its end first: scroll it, or press End."
        return "" if self._agreed.isChecked() else "Tick that you agree (Tab, Space), or close this window."

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_End:
            self._text.verticalScrollBar().setValue(self._text.verticalScrollBar().maximum())
        else:
            super().keyPressEvent(event)


class FactsPage(Page):
    """What the reader says of himself, and of his monitor."""

    def __init__(self, code: str, monitor: str) -> None:
        super().__init__("About you", f"You read as {code}. Your name is not asked for and stands nowhere.")
        self._years, self._specialty, self._note = QLineEdit(), QLineEdit(), QLineEdit()
        form = QGridLayout()
        form.setColumnStretch(1, 1)
        rows = (
            ("Years of experience", self._years, "such as 7; 0 in training"),
            ("Specialty", self._specialty, "such as neuroradiology"),
            ("Monitor and room", self._note, "make, luminance, light in the room: what you know of them"),
        )  # fmt: skip
        for row, (text, field, hint) in enumerate(rows):
            field.setPlaceholderText(hint)
            field.setAccessibleName(text)
            field.setMaxLength(400 if field is self._note else 100)
            form.addWidget(label(text, wrap=False), row, 0)
            form.addWidget(field, row, 1)
        self.body.addLayout(form)
        self.body.addWidget(label(f"The screen was found to have {monitor}.", "muted"))

    @property
    def note(self) -> str:
        """Of the monitor."""
        return self._note.text().strip()

    def facts(self, code: str) -> ReaderFacts:
        """When nothing is missing."""
        return ReaderFacts(reader=code, years=_number(self._years.text()) or 0.0, specialty=self._specialty.text().strip())

    def missing(self) -> str:
        years = _number(self._years.text())
        fits = years is not None and 0 <= years <= _MOST_YEARS
        return "" if fits else f"Say your years of experience, from 0 to {_MOST_YEARS}."

    def take_keys(self) -> None:
        self._years.setFocus()


class KeysPage(Page):
    """How to answer."""

    def __init__(self, question: str, rows: Rows, *texts: str) -> None:
        super().__init__("How to answer", question, *texts)
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(24)
        for row, (keys, words) in enumerate(rows):
            grid.addWidget(label(keys, "heading", wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(words), row, 1)
        self.body.addLayout(grid)


class EndPage(Page):
    """Thanks, and what to send back. Nothing about how good the answers were."""

    def __init__(self, done: int, of: int, facts: Sequence[tuple[str, str]]) -> None:
        whole = done >= of
        said = f"All {of} trials are answered." if whole else f"{done} of {of} trials are answered."
        super().__init__("Thank you" if whole else "Until next time", said, go_on="Close")
        for title, text in facts:
            self.body.addWidget(label(title, "heading"))
            self.body.addWidget(_selectable(text))


def _selectable(text: str) -> QWidget:
    made = label(text)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
