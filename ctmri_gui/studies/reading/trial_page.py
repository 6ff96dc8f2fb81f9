"""A trial on the screen: pictures, the form beside them, and what the keys do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ctmri_core.studies.protocol import Protocol
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.answer_panel import AnswerPanel, marks_are_asked
from ctmri_gui.studies.reading.answer_parts import digit_of
from ctmri_gui.studies.reading.keys_shown import keys_line
from ctmri_gui.studies.reading.picture_area import PictureArea
from ctmri_gui.studies.reading.places import RULER, Places

_TEN = 10
_CLOSER = 1.25
_WINDOW_STEP = 15.0
_WAYS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip
_Keys = Qt.KeyboardModifier


class TrialPage(QWidget):
    """`submitted()` by Enter or the button, `pauseAsked()`, `backAsked()`."""

    submitted = Signal()
    pauseAsked = Signal()
    backAsked = Signal()

    def __init__(self, protocol: Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self.area, self.panel = PictureArea(protocol.display), AnswerPanel(protocol)
        self.places = Places(self.area)
        self._keys_line = label(keys_line(protocol), "muted")
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addWidget(self.area, 1)
        left.addWidget(self._keys_line)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 10, 10, 8)
        row.setSpacing(10)
        row.addLayout(left, 1)
        row.addWidget(self.panel)
        self.panel.submitted.connect(self.submitted)
        self.panel.pauseAsked.connect(self.pauseAsked)
        self.panel.backAsked.connect(self.backAsked)
        self.panel.markAsked.connect(self._set_marking)
        self.panel.changed.connect(lambda: self.panel.say(""))
        self.panel.changed.connect(self._follow_choice)
        self.panel.changed.connect(self.area.acted)
        self.places.changed.connect(self._follow_marks)
        for number in range(1, 10):
            shortcut = QShortcut(QKeySequence(f"Alt+{number}"), self)
            shortcut.activated.connect(lambda number=number: self.area.apply_preset(number - 1))

    def look(self) -> None:
        """The keyboard to the pictures, or where the design asks by scales alone, to the first of them."""
        if self._protocol.design != "grading" or not self.panel.go_to_open_question(compulsory=False):
            self.setFocus()
            if self.area.panes:
                self.area.panes[0].setFocus()
        self._tell_marks()

    def ask_mark(self) -> None:
        """The next click, or Space, sets one; where that is so already, it stays so."""
        self._set_marking("")

    def _set_marking(self, text: str | None) -> None:
        self.places.set_purpose(text)
        self._tell_marks()
        if text is not None and self.area.panes:
            self.area.panes[0].setFocus()

    def _follow_choice(self) -> None:
        """Who finds something is asked at once where it is."""
        if self._protocol.design == "diagnosis" and not self.panel.locked:
            present, unmarked = self.panel.choice.choice == "present", not any(mark.label == "" for mark in self.places.marks)
            if present and unmarked and self.places.purpose is None:
                self._set_marking("")
            elif not present and self.places.purpose == "":
                self._set_marking(None)

    def lock(self, locked: bool) -> None:
        """While no picture stands there, and while an answer that was given waits: nothing can be answered or marked."""
        if locked and self.panel.isAncestorOf(self.focusWidget()):
            self.setFocus()  # what cannot be used has no keys: Enter would go nowhere
        self.panel.lock(locked)
        if locked and self.places.purpose is not None:
            self._set_marking(None)

    def _follow_marks(self) -> None:
        if not self.panel.locked:
            self.panel.say("")
        self._tell_marks()

    def _tell_marks(self) -> None:
        self.panel.tell_marks(self.places.marks, self.places.purpose)

    # Keys -------------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not (self._go_on_by(event) or self._answer_by(event) or self._look_by(event)):
            super().keyPressEvent(event)

    def _go_on_by(self, event: QKeyEvent) -> bool:
        key = event.key()
        acts: dict[int, Callable[[], object]] = {
            Qt.Key.Key_Return: self.submitted.emit, Qt.Key.Key_Enter: self.submitted.emit,
            Qt.Key.Key_P: self.pauseAsked.emit, Qt.Key.Key_Backspace: self.backAsked.emit,
            Qt.Key.Key_Escape: self._escape,
        }  # fmt: skip
        if key not in acts or (event.isAutoRepeat() and key != Qt.Key.Key_Backspace):
            return key in acts
        acts[key]()
        return True

    def _escape(self) -> None:
        """Out of marking, out of a field, else a pause."""
        if self.places.purpose is not None:
            self._set_marking(None)
        elif self.panel.isAncestorOf(self.focusWidget()) and self.area.panes:
            self.area.panes[0].setFocus()
        else:
            self.pauseAsked.emit()

    def _answer_by(self, event: QKeyEvent) -> bool:
        digit, key = digit_of(event), event.key()
        if self.panel.locked:
            return False
        if digit is not None:
            return self.panel.take_digit(digit)
        if key == Qt.Key.Key_M and marks_are_asked(self._protocol):
            self._set_marking(None if self.places.purpose == "" else "")
            return True
        if key == Qt.Key.Key_L and self._protocol.display.may_measure:
            self._set_marking(None if self.places.purpose == RULER else RULER)
            return True
        if key == Qt.Key.Key_Delete:
            self.places.undo()
            return True
        if key == Qt.Key.Key_Space and self.places.purpose is not None:
            self.places.press_cursor()
            return True
        plain = event.modifiers() & ~_Keys.KeypadModifier == _Keys.NoModifier
        if plain and self.places.purpose is None and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            return self.panel.choice.take_arrow(Qt.Key(key))
        return self.panel.take_reason(event)

    def _look_by(self, event: QKeyEvent) -> bool:
        key, held = event.key(), event.modifiers() & ~_Keys.KeypadModifier
        if key in _WAYS:
            self._move_by(*_WAYS[Qt.Key(key)], held)
            return True
        area = self.area
        acts: dict[int, Callable[[], object]] = {
            Qt.Key.Key_PageUp: lambda: area.step(_TEN), Qt.Key.Key_PageDown: lambda: area.step(-_TEN),
            Qt.Key.Key_Home: lambda: area.step(-1_000_000), Qt.Key.Key_End: lambda: area.step(1_000_000),
            Qt.Key.Key_Plus: lambda: area.zoom(_CLOSER), Qt.Key.Key_Equal: lambda: area.zoom(_CLOSER),
            Qt.Key.Key_Minus: lambda: area.zoom(1 / _CLOSER), Qt.Key.Key_R: area.reset, Qt.Key.Key_N: area.activate_next,
        }  # fmt: skip
        if key not in acts or held & _Keys.ControlModifier:
            return False
        acts[key]()
        return True

    def _move_by(self, right: int, down: int, held: Qt.KeyboardModifier) -> None:
        """Arrows: slices; with Shift the picture, with Ctrl its window; the keyboard's mark while one is set."""
        if held & _Keys.ControlModifier:
            self.area.drag_window(right * _WINDOW_STEP, -down * _WINDOW_STEP)
        elif held & _Keys.ShiftModifier:
            self.area.pan_step(right, down)
        elif self.places.purpose is not None:
            self.places.move_cursor(right, down)
        elif down:
            self.area.step(-down)
