"""Every key and mouse gesture on one sheet, from the keys in use."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QTextBrowser, QVBoxLayout, QWidget

from ctmri_core.errors import CtmriError
from ctmri_core.files import write_text
from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label, resize_dialog, set_role
from ctmri_gui.shortcuts.bindings import Bindings
from ctmri_gui.viewer.keys import MOUSE_GESTURES

_MOUSE = "Mouse on a picture"
_TITLE = "Keys and mouse of CT-MRI Studio"

Group = tuple[str, tuple[tuple[str, str], ...]]


def groups_of(bindings: Bindings, search: str = "") -> tuple[Group, ...]:
    """(heading, ((key, what it does), ...)) of all commands that have a key; only rows that hold all words of `search`."""
    groups: dict[str, list[tuple[str, str]]] = {_MOUSE: list(MOUSE_GESTURES)}
    for row in bindings.rows:
        if bindings.keys(row.id):
            groups.setdefault(row.group, []).append((bindings.keys_text(row.id), bindings.words(row.id)))
    words = search.lower().split()
    kept = ((name, tuple(row for row in rows if _holds(words, (name, *row)))) for name, rows in groups.items())
    return tuple((name, rows) for name, rows in kept if rows)


def as_text(groups: Iterable[Group]) -> str:
    """Plain text to print or to keep, keys in a column of their own."""
    groups = tuple(groups)
    width = max((len(key) for _, rows in groups for key, _ in rows), default=0)
    parts = [_TITLE]
    for name, rows in groups:
        parts.append("\n".join((name, "-" * len(name), *(f"{key:<{width}}  {what}" for key, what in rows))))
    return "\n\n".join(parts) + "\n"


class KeysSheet(QDialog):
    """The sheet, searched while typing. `change`: opens what changes the keys; shown keys follow."""

    def __init__(self, bindings: Bindings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        resize_dialog(self, 680, 680)
        self._bindings = bindings
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by key or by what it does (Ctrl+F)")
        self.search.setAccessibleName("Search keys")
        self.search.setClearButtonEnabled(True)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Keys and mouse")
        self.message = label("", "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.change = buttons.addButton("Change &keys…", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy = buttons.addButton("&Copy as text", QDialogButtonBox.ButtonRole.ActionRole)
        self.save = buttons.addButton("&Save as text…", QDialogButtonBox.ButtonRole.ActionRole)
        for button in (self.change, self.copy, self.save):
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        for part in (self.search, self.text, self.message, buttons):
            column.addWidget(part, 1 if part is self.text else 0)
        self.message.hide()
        self.search.textChanged.connect(lambda _words: self._show())
        self.copy.clicked.connect(self._copy)
        self.save.clicked.connect(self._ask_where)
        buttons.rejected.connect(self.reject)
        bindings.changed.connect(self._show)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        self._show()

    def save_to(self, path: Path) -> None:
        """Writes what is shown as text (UTF-8), and says how that went."""
        try:
            write_text(path, self._plain)
            self._say(f"Saved as {path.name}.")
        except CtmriError as error:
            self._say(str(error), "error")

    @property
    def _plain(self) -> str:
        return as_text(groups_of(self._bindings, self.search.text()))

    def _show(self) -> None:
        groups = groups_of(self._bindings, self.search.text())
        tables = (f"<h3>{html.escape(name)}</h3><table cellspacing=4>{''.join(map(_row, rows))}</table>" for name, rows in groups)
        self.text.setHtml("".join(tables) or "<p>No key or gesture holds these words.</p>")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._plain)
        self._say("Copied.")

    def _ask_where(self) -> None:
        chosen = file_choice.new_file(self, "Save keys as text", Path.home() / "ct_mri_studio_keys.txt", "Text (*.txt)")
        if chosen is not None:
            self.save_to(chosen if chosen.suffix else chosen.with_suffix(".txt"))

    def _say(self, words: str, role: str = "muted") -> None:
        set_role(self.message, role)
        self.message.setText(words)
        self.message.show()


def _holds(words: Iterable[str], parts: Iterable[str]) -> bool:
    text = " ".join(parts).lower()
    return all(word in text for word in words)


def _row(row: tuple[str, str]) -> str:
    return f"<tr><td width=200><b>{html.escape(row[0])}</b></td><td>{html.escape(row[1])}</td></tr>"
