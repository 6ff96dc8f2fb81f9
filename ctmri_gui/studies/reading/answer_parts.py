"""Parts of the answer form that leave the arrow keys to the pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

PICTURE_KEYS = (
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
    Qt.Key.Key_Home, Qt.Key.Key_End,
)  # fmt: skip


_LINE = 26
"""Letters: one that is longer would make the form wider than its place, and cut off the end of every line in it."""


def in_lines(text: str) -> str:
    """The words of a button, which breaks no lines by itself."""
    return text if len(text) <= _LINE else textwrap.fill(text, _LINE, replace_whitespace=False, drop_whitespace=False)


class AnswerButton(QPushButton):
    """Pressed or not; the arrow keys go on to the pictures instead of choosing the next one."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.setCheckable(True)
        self.setProperty("role", "switch")
        self.setAccessibleName(name or text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in PICTURE_KEYS:
            event.ignore()
        else:
            super().keyPressEvent(event)


class QuietScroll(QScrollArea):
    """Scrolls by wheel and to what has the keys; the keys themselves go on to the pictures."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()


class OneOf(QWidget):
    """Buttons of which one or none is pressed. `changed` follows the reader, not the program."""

    changed = Signal()

    def __init__(self, texts: Sequence[str], names: Sequence[str] = (), *, upright: bool = False) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        row = QVBoxLayout(self) if upright else QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        shown = [in_lines(text) for text in texts] if upright else texts
        self.buttons = [AnswerButton(text, name) for text, name in zip(shown, names or texts, strict=True)]
        for number, button in enumerate(self.buttons):
            self._group.addButton(button, number)
            row.addWidget(button)
            if upright:
                button.setStyleSheet("text-align: left;")
        self._group.idClicked.connect(lambda _: self.changed.emit())

    @property
    def chosen(self) -> int | None:
        """None before anything was chosen."""
        number = self._group.checkedId()
        return None if number < 0 else number

    def choose(self, number: int | None) -> None:
        """By the program."""
        self._group.setExclusive(False)
        for place, button in enumerate(self.buttons):
            button.setChecked(place == number)
        self._group.setExclusive(True)

    def press(self, number: int) -> bool:
        """As a click; whether there is such a button."""
        if not 0 <= number < len(self.buttons):
            return False
        self.choose(number)
        self.changed.emit()
        return True


def digit_of(event: QKeyEvent) -> int | None:
    """0 to 9 without Ctrl and Alt; of the number pad, too."""
    held = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
    if held != Qt.KeyboardModifier.NoModifier or not Qt.Key.Key_0 <= event.key() <= Qt.Key.Key_9:
        return None
    return int(event.key()) - int(Qt.Key.Key_0)
