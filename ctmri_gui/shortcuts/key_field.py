"""A field that takes a key instead of text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit

_ALONE = (
    *(Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr),
    *(Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown),
)
_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class KeyField(QLineEdit):
    """Takes one key with its modifiers, other commands' keys too; `typed()` follows. Tab goes on, as everywhere.

    Not Qt's own field: that one says that there is no key whenever somebody begins to press another.
    """

    typed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.key = ""
        self.setReadOnly(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAccessibleName(name)
        self.setAccessibleDescription("Press the new key")
        self.setPlaceholderText("no key")

    def show_key(self, key: str) -> None:
        """`key`: portable, empty for none."""
        self.key = key
        self.setText(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in _ALONE and event.key() != 0:
            self.show_key(_portable(event))
            self.typed.emit()


def _portable(event: QKeyEvent) -> str:
    """Shift that only makes a sign of another (`?`) is part of that sign."""
    held, text = event.modifiers() & _MODIFIERS, event.text()
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and (not text.isprintable() or not text or text.isalnum()):
        held |= Qt.KeyboardModifier.ShiftModifier
    combination = QKeyCombination(held, Qt.Key(event.key()))
    return QKeySequence(combination).toString(QKeySequence.SequenceFormat.PortableText)
