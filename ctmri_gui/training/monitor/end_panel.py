"""How a run ended, in words, and what can be done now."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from ctmri_core.method import MethodCard
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.state_words import RunState
from ctmri_gui.training.new_run.field_words import run_words
from ctmri_gui.viewer.palette import scaled

_KINDS = {"good": "done", "error": "error", "warning": "warning"}
_LAST_NOTES, _LOG_HEIGHT = 10, 150
_MEMORY, _FULL = "emory", "disk is full"  # what a failure was about, as its sentence has it
_NO_MEMORY = ("MemoryError", "bad_alloc")  # the same, as a process says it that dies of it


class EndPanel(QFrame):
    """Shown when a run is over. `resume`, `smaller` and `verdict` are asked for by its buttons."""

    resume = Signal()
    smaller = Signal()
    verdict = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "bar")
        self.reason = label("", "heading")
        self.resume_button = _press("&Resume", "Goes on from the last checkpoint", self.resume.emit)
        self.smaller_button = _press(
            "&Use smaller settings", "Begins a new run like this one that needs less memory", self.smaller.emit
        )
        self.verdict_button = _press("See the &verdict", "The new model against doing nothing and others", self.verdict.emit)
        self.unfold = _press("Show the &log", "The last lines that the run wrote", self._unfold)
        self.unfold.setCheckable(True)
        self.copy = _press("Copy the log", "To the clipboard, to send it to somebody", self._copy)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setTabChangesFocus(True)
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setAccessibleName("Last lines of the log")
        ways = Flow()
        for press in (self.verdict_button, self.resume_button, self.smaller_button, self.unfold, self.copy):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.addWidget(self.reason)
        column.addLayout(ways)
        column.addWidget(self.log)
        self.hide()

    def show_end(self, state: RunState, record: RunRecord, card: MethodCard | None = None) -> None:
        """`state`: of a run of `card` that is over."""
        end = record.finished
        failed = end is not None and end.reason in ("failed", "crashed")
        trained = record.last_step is not None
        done = end is not None and end.reason == "completed"
        said_last = end.log if failed and end is not None else ""
        short = failed and (_MEMORY in state.sentence or any(word in said_last for word in _NO_MEMORY))
        again = not done and (not short or "resume" in state.sentence)  # the same would not fit again
        self.resume_button.setProperty("primary", again)
        self.smaller_button.setProperty("primary", short and not again)
        self.verdict_button.setProperty("primary", done)
        self.setProperty("kind", _KINDS.get(state.role, "info"))
        for widget in (self, *self.findChildren(QWidget)):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        said = state.sentence.startswith(state.word)
        way_out = " Make room on it, then resume." if failed and _FULL in state.sentence else ""
        sentence = run_words(state.sentence, card)
        self.reason.setText((sentence if said else f"{state.word}: {sentence}") + way_out)
        set_role(self.reason, "error" if failed else "heading")
        self.resume_button.setVisible(not done and record.started is not None)  # before, nothing was kept to go on from
        self.smaller_button.setVisible(short)
        self.verdict_button.setVisible(trained and bool(record.best or done))
        notes = (run_words(note.message, card) for note in record.notes[-_LAST_NOTES:])
        log = (end.log if end is not None else "") or "\n".join(notes)
        self.log.setPlainText(log)
        self.log.moveCursor(QTextCursor.MoveOperation.End)
        self.unfold.setChecked(failed and bool(log))
        self.unfold.setVisible(bool(log) and not done)
        self._unfold()
        self.show()

    def _unfold(self) -> None:
        there = self.unfold.isChecked()
        self.unfold.setText("Hide the &log" if there else "Show the &log")
        self.log.setVisible(there)
        self.copy.setVisible(there)
        self.log.setFixedHeight(scaled(_LOG_HEIGHT))
        QTimer.singleShot(0, self.log, self.log.ensureCursorVisible)  # the last lines tell most; its height is known by then

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.log.toPlainText())


def _press(text: str, tip: str, do: object) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(tip)
    assert callable(do)
    made.clicked.connect(lambda: do())
    return made
