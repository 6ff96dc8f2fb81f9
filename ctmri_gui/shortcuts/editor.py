"""The dialog in which keys are changed. A change holds at once; what it takes from another command is said before."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.actions import keys_text
from ctmri_gui.panels.asking import ask
from ctmri_gui.panels.small_parts import label, naming, resize_dialog, set_role
from ctmri_gui.shortcuts.bindings import Bindings, Row, reserved
from ctmri_gui.shortcuts.key_field import KeyField
from ctmri_gui.viewer.palette import scaled

_COMMAND, _KEYS, _WHERE, _ID = 0, 1, 2, Qt.ItemDataRole.UserRole


class KeysEditor(QDialog):
    """Every command with its keys; two keys of the selected one can be typed."""

    def __init__(self, bindings: Bindings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Change keys")
        resize_dialog(self, 700, 620)
        self._bindings = bindings
        self._make_parts()
        self._lay_out()
        self._fill()
        self._connect()
        self.table.setCurrentCell(0, 0)

    def _make_parts(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by command or key (Ctrl+F)")
        self.search.setAccessibleName("Search commands and keys")
        self.search.setClearButtonEnabled(True)
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName("Commands and their keys")
        self.table.setHorizontalHeaderLabels(["Command", "Keys", "Where"])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(scaled(30))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in (_COMMAND, _WHERE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.none = label("No command or key holds these words.", "muted")
        self.none.hide()
        self.fields = [KeyField(words) for words in ("Key", "Second key")]
        self.message = label("", "muted")
        self.take = QPushButton("&Use it here")
        self.leave = QPushButton("&Leave it there")
        self.no_key = QPushButton("&No key")
        self.reset = QPushButton("&Reset this command")
        self.reset_all = QPushButton("Reset &all…")

    def _lay_out(self) -> None:
        form = QFormLayout()
        for words, field in zip(("&Key", "&Second key"), self.fields, strict=True):
            form.addRow(naming(words, field), field)
        answer = QHBoxLayout()
        answer.addWidget(self.message, 1)
        answer.addWidget(self.take)
        answer.addWidget(self.leave)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.no_key, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.reset, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.reset_all, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        for button in (self.take, self.leave, *buttons.buttons()):
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)  # Enter is a key that may be typed
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addWidget(self.none)
        column.addLayout(form)
        column.addLayout(answer)
        column.addWidget(buttons)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.table.currentCellChanged.connect(lambda *_: self._show_selected())
        self.table.cellActivated.connect(lambda *_: self.fields[0].setFocus())
        for field in self.fields:
            field.typed.connect(self._typed)
        self.take.clicked.connect(self._use)
        self.leave.clicked.connect(self._show_selected)
        self.no_key.clicked.connect(lambda: self._bindings.set_keys(self._selected, ()))
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._ask_reset_all)
        self._bindings.changed.connect(self._refresh)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)

    # The list

    def _fill(self) -> None:
        rows = self._bindings.rows
        self.table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            for column, words in enumerate((self._bindings.words(row.id), "", row.group)):
                item = QTableWidgetItem(words)
                item.setToolTip(words)
                item.setData(_ID, row.id)
                self.table.setItem(place, column, item)
        self._refresh()

    def _refresh(self) -> None:
        for place in range(self.table.rowCount()):
            row = self._id_at(place)
            mark = " (changed)" if self._bindings.is_changed(row) else ""
            self._item(place, _KEYS).setText((self._bindings.keys_text(row) or "no key") + mark)
        self._show_selected()

    def _filter(self, words: str) -> None:
        wanted = words.lower().split()
        shown = 0
        for place in range(self.table.rowCount()):
            text = " ".join(self._item(place, column).text() for column in range(3)).lower()
            fits = all(word in text for word in wanted)
            self.table.setRowHidden(place, not fits)
            shown += fits
        self.none.setVisible(not shown)
        if self.table.isRowHidden(self.table.currentRow()):
            first = next((place for place in range(self.table.rowCount()) if not self.table.isRowHidden(place)), -1)
            self.table.setCurrentCell(first, 0)

    def _item(self, place: int, column: int) -> QTableWidgetItem:
        item = self.table.item(place, column)
        assert item is not None
        return item

    def _id_at(self, place: int) -> str:
        return str(self._item(place, 0).data(_ID))

    # The keys of the selected command

    @property
    def _selected(self) -> str:
        place = self.table.currentRow()
        return self._id_at(place) if place >= 0 else ""

    def _show_selected(self) -> None:
        row = self._selected
        keys = self._bindings.keys(row) if row else ()
        for place, field in enumerate(self.fields):
            field.show_key(keys[place] if place < len(keys) else "")
            field.setEnabled(bool(row))
        self.no_key.setEnabled(bool(keys))
        self.reset.setEnabled(bool(row) and self._bindings.is_changed(row))
        self._say("Click a field and press the new key; it holds at once." if row else "")

    def _typed(self) -> None:
        keys = self._typed_keys
        refused = next(((key, why) for key in keys if (why := reserved(key))), None)
        taken = self._taken(keys)
        if refused is not None:
            self._say(f"{keys_text(refused[:1])} {refused[1]}; please choose another key.", "error")
        elif taken:
            self._say(" ".join(self._loss(key, row) for key, row in taken), "warning", ask_first=True)
        elif self._selected:
            self._bindings.set_keys(self._selected, keys)
            self._say(f"Now {keys_text(keys)}." if keys else "Now without a key.")

    @property
    def _typed_keys(self) -> tuple[str, ...]:
        return tuple(field.key for field in self.fields if field.key)

    def _taken(self, keys: tuple[str, ...]) -> list[tuple[str, Row]]:
        return [(key, row) for key in keys if (row := self._bindings.holder(key, self._selected)) is not None]

    def _loss(self, key: str, row: Row) -> str:
        rest = keys_text(tuple(other for other in self._bindings.keys(row.id) if other != key))
        left = f"would keep {rest}" if rest else "would be left without a key"
        return f"{keys_text((key,))} belongs to “{self._bindings.words(row.id)}”, which {left}."

    def _use(self) -> None:
        self._bindings.set_keys(self._selected, self._typed_keys)
        self._say(f"Now {keys_text(self._typed_keys)}.")
        self.fields[0].setFocus()

    def _reset(self) -> None:
        row = self._selected
        own = next(one.keys for one in self._bindings.rows if one.id == row)
        taken = self._taken(own)
        if taken:
            for place, field in enumerate(self.fields):
                field.show_key(own[place] if place < len(own) else "")
            self._say(" ".join(self._loss(key, other) for key, other in taken), "warning", ask_first=True)
        else:
            self._bindings.reset(row)

    def _ask_reset_all(self) -> None:
        question, more = "Give every command its own keys again?", "All keys that were changed are forgotten."
        reset = self._bindings.reset_all
        ask(self, "Reset all keys", question, more, yes="Reset all", no="Keep them", then=reset, name="reset_keys")

    def _say(self, words: str, role: str = "muted", *, ask_first: bool = False) -> None:
        self.message.setText(words)
        set_role(self.message, role)
        self.take.setVisible(ask_first)
        self.leave.setVisible(ask_first)
