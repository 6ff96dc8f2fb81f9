"""What can be taken back: one stack for windows, layout and annotations.

How pictures are compared is not among it: one key goes through the modes, one switches them off and on again, and as steps they
would push what was drawn farther from reach.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QUndoCommand, QUndoStack

_KEPT = 200

Change = Callable[[], None]


class _Step(QUndoCommand):
    def __init__(self, text: str, undo: Change, redo: Change, merge: object) -> None:
        super().__init__(text)
        self.back, self.forth, self.merge = undo, redo, merge
        self._is_done = True

    def undo(self) -> None:
        self.back()

    def redo(self) -> None:
        """The stack calls this when the step is put on it, for what has been done already."""
        if self._is_done:
            self._is_done = False
        else:
            self.forth()


class History(QObject):
    """Steps that were done, newest last. `changed()` follows whatever changes what can be taken back or done again."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stack = _empty()
        self._newest: _Step | None = None
        self._replaying = False

    def record(self, text: str, undo: Change, redo: Change, *, merge: object = None) -> None:
        """Remembers a step that has just been done. `text`: what it did, in the menu behind Undo: `move a length`.

        `merge`: steps in succession with one such key are one (the moves of one drag): it takes back all of them. While a step
        is taken back or done again nothing is recorded, so whoever hears a change may record it without asking why it came.
        """
        if self._replaying:
            return
        newest = self._newest
        if merge is not None and newest is not None and newest.merge == merge and not self._stack.canRedo():
            newest.forth = redo
            return
        self._newest = _Step(text, undo, redo, merge)
        self._stack.push(self._newest)
        self.changed.emit()

    def keep(self) -> QUndoStack:
        """All steps, for `put_back`: each case has its own."""
        return self._stack

    def put_back(self, steps: QUndoStack | None) -> None:
        """Goes on where `keep` was; without steps nothing can be taken back."""
        self._stack, self._newest = steps or _empty(), None
        self.changed.emit()

    def undo(self) -> None:
        self._replay(self._stack.undo)

    def redo(self) -> None:
        self._replay(self._stack.redo)

    def clear(self) -> None:
        """Nothing can be taken back any more."""
        self._newest = None
        self._stack.clear()
        self.changed.emit()

    @property
    def can_undo(self) -> bool:
        return self._stack.canUndo()

    @property
    def can_redo(self) -> bool:
        return self._stack.canRedo()

    @property
    def undo_text(self) -> str:
        """What `undo` would take back, empty when there is nothing."""
        return self._stack.undoText()

    @property
    def redo_text(self) -> str:
        return self._stack.redoText()

    def _replay(self, step: Change) -> None:
        self._newest, self._replaying = None, True
        try:
            step()
        finally:
            self._replaying = False
        self.changed.emit()


def _empty() -> QUndoStack:
    """Without a parent, which would keep its steps and what they hold."""
    stack = QUndoStack()
    stack.setUndoLimit(_KEPT)
    return stack


def follow_history(history: History, undo: QAction, redo: QAction) -> None:
    """Lets two commands take back and do again, and say what."""
    words = undo.text(), redo.text()

    def show() -> None:
        for action, word, able, what in (
            (undo, words[0], history.can_undo, history.undo_text),
            (redo, words[1], history.can_redo, history.redo_text),
        ):
            action.setEnabled(able)
            action.setText(f"{word}: {what}" if what else word)

    undo.triggered.connect(lambda _checked=False: history.undo())
    redo.triggered.connect(lambda _checked=False: history.redo())
    history.changed.connect(show)
    show()
