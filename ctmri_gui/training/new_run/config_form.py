"""A form made from the fields of a config: what help and flags of the command line are made from as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from ctmri_core.config_fields import ConfigField
from ctmri_gui.panels.keyboard_order import in_order, takes_keys
from ctmri_gui.panels.small_parts import WheelGuard, label, scrolling, set_role
from ctmri_gui.training.new_run.field_words import in_words, labels_of, matches
from ctmri_gui.training.new_run.value_editors import Editor, editor_for, shown
from ctmri_gui.viewer.palette import scaled

_EDITOR_WIDTH = 144
_LINES = 3  # of a row: names and short editors, long editors, help
_LONG = ("text", "file")
_FEW = 8
"""So many fields need neither groups nor a field to find one."""


class ConfigForm(QWidget):
    """Edits what differs from the defaults of `fields`, in groups that open and close.

    `changed`: the values that differ; others than those of `fields` are left out. `edited(dict)` gives all that differ, each
    time the user changes one. `scrolls`: with a scrolling area of its own, under what finds settings and says what is wrong.
    `closed`: only groups in which something is changed are open at first. `beside`: stands beside what finds settings.
    """

    edited = Signal(object)  # dict[str, Any]

    def __init__(
        self, fields: Sequence[ConfigField], changed: Mapping[str, Any] | None = None, *, scrolls: bool = False,
        closed: bool = False, beside: QWidget | None = None, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._fields = {field.name: field for field in fields}
        self._changed = self._known(changed or {})
        self.labels = labels_of(fields)
        self.guard = WheelGuard(self)
        self._searching = False
        self._sections = [
            _Section(self, title, tuple(members)) for title, members in groupby(fields, key=lambda field: field.group)
        ]
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings")
        self.search.setAccessibleName("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.search_for)
        self.nothing = label("No setting of that name.", "muted")
        self.nothing.hide()
        self.problem = label("", "error")
        self.problem.hide()
        self.reset_everything = QPushButton("Reset all")
        self.reset_everything.setToolTip("Back to the defaults")
        self.reset_everything.clicked.connect(self.reset_all)
        self._lay_out(scrolls, beside)
        if not closed:
            self._open_first()
        self.open_changed()
        self._show_counts()

    @property
    def values(self) -> dict[str, Any]:
        """What differs from the defaults."""
        return dict(self._changed)

    def set_values(self, changed: Mapping[str, Any]) -> None:
        """Shows other values, without telling of it."""
        self._changed = self._known(changed)
        for section in self._sections:
            section.show_values()
        self._show_counts()

    def editor(self, name: str) -> QWidget:
        """What takes the keyboard for the field `name`; its group is opened."""
        return self._row(name).editor.focus

    def open_changed(self) -> None:
        """Opens the groups in which something is changed."""
        for section in self._sections:
            if any(name in self._changed for name in section.names):
                section.set_open(True)

    def reset(self, name: str) -> None:
        """The default of one field again."""
        self._row(name).editor.write(self._fields[name].default)

    def reset_all(self) -> None:
        if self._changed:
            self.set_values({})
            self.edited.emit({})

    def show_problem(self, text: str) -> None:
        """Says, or stops saying, what does not go together."""
        self.problem.setText(in_words(text, self.labels) if text else "")
        self.problem.setVisible(bool(text))

    def search_for(self, text: str) -> None:
        """Shows only settings of whose name, help or group all words are part; all of them for none."""
        words = text.casefold().split()
        begins, self._searching = bool(words) and not self._searching, bool(words)
        found = [section.search_for(words, begins) for section in self._sections]
        self.nothing.setVisible(not any(found))

    def value_of(self, name: str) -> Any:
        return self._changed.get(name, self._fields[name].default)

    def is_changed(self, name: str) -> bool:
        return name in self._changed

    def take(self, name: str, value: Any) -> None:
        """A value from its editor."""
        before = self.values
        if value == self._fields[name].default:
            self._changed.pop(name, None)
        else:
            self._changed[name] = value
        if before != self._changed:
            self._show_counts()
            self.edited.emit(self.values)

    def _known(self, changed: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value for name, value in changed.items() if name in self._fields and value != self._fields[name].default
        }

    def _row(self, name: str) -> _Row:
        section = next(section for section in self._sections if name in section.names)
        section.set_open(True)
        return section.rows[name]

    def _open_first(self) -> None:
        for section in self._sections if len(self._fields) <= _FEW else self._sections[:1]:
            section.set_open(True)

    def _show_counts(self) -> None:
        for section in self._sections:
            section.show_count(sum(name in self._changed for name in section.names))
        self.reset_everything.setEnabled(bool(self._changed))

    def _lay_out(self, scrolls: bool, beside: QWidget | None) -> None:
        head = QHBoxLayout()
        for part in filter(None, (self.search, beside, self.reset_everything)):
            head.addWidget(part)
        for part in (self.search, self.reset_everything):
            part.setVisible(len(self._fields) > _FEW)
        inside = QWidget() if scrolls else self
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.problem)
        column.addWidget(self.nothing)
        body = column
        if scrolls:
            body = QVBoxLayout(inside)
            body.setContentsMargins(0, 0, 8, 0)
            column.addWidget(scrolling(inside, "Settings"), 1)
        for section in self._sections:
            body.addWidget(section)
        body.addStretch(1)


class _Section(QWidget):
    """A group of fields under its title. Its rows are made when it is opened first, which keeps long forms quick."""

    def __init__(self, form: ConfigForm, title: str, fields: tuple[ConfigField, ...]) -> None:
        super().__init__()
        self._form, self._title, self._fields = form, title, fields
        self.names = frozenset(field.name for field in fields)
        self.rows: dict[str, _Row] = {}
        self._was_open = self._open = False
        self.head = QToolButton()
        self.head.setProperty("role", "heading")
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setArrowType(Qt.ArrowType.RightArrow)
        self.head.clicked.connect(lambda: self.set_open(not self._open))
        self.head.setVisible(bool(title))
        self.body = QFrame()
        self.body.hide()
        self._grid = QGridLayout(self.body)
        self._grid.setContentsMargins(scaled(18) if title else 0, 2, 0, 6)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.head, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.body)
        if not title:
            self.set_open(True)

    def set_open(self, opened: bool) -> None:
        if opened and not self.rows:
            for place, field in enumerate(self._fields):
                self.rows[field.name] = _Row(self._form, field, self._grid, _LINES * place)
            in_order((self.head, *(part for row in self.rows.values() for part in row.keys)))
        self._open = opened
        self.head.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.body.setVisible(opened)
        self._name_head()

    def show_values(self) -> None:
        for row in self.rows.values():
            row.show_value()

    def show_count(self, changed: int) -> None:
        self.head.setText(f"{self._title}  ({changed} changed)" if changed else self._title)
        self._name_head()

    def search_for(self, words: Sequence[str], begins: bool) -> bool:
        """Shows what matches all `words`; whether anything does. Without words it is as it was when the search began."""
        if begins:
            self._was_open = self._open
        found = {field.name for field in self._fields if matches(field, words)}
        self.set_open(bool(found) if words else self._was_open)
        for name, row in self.rows.items():
            row.set_visible(name in found)
        self.setVisible(bool(found))
        return bool(found)

    def _name_head(self) -> None:
        self.head.setAccessibleName(f"{self.head.text()}, {'open' if self._open else 'closed'}")


class _Row:
    """Name, editor, what takes the default back, and the help below. What is changed is said in words and set in bold."""

    def __init__(self, form: ConfigForm, field: ConfigField, grid: QGridLayout, line: int) -> None:
        self._form, self.field = form, field
        self._quiet = False
        self.editor: Editor = editor_for(field, form.guard, self._take)
        self.name = label(field.label)
        self.name.setBuddy(self.editor.focus)
        self.name.setToolTip(field.help)
        self.help = QLabel()
        self.help.setWordWrap(True)
        self.help.setTextFormat(Qt.TextFormat.PlainText)
        self.help.setProperty("role", "muted")
        self.back = QToolButton()
        self.back.setText("Reset")
        self.back.setToolTip(f"Back to {shown(field.default)}")
        self.back.setAccessibleName(f"Reset {field.label} to {shown(field.default)}")
        self.back.clicked.connect(self._reset)
        self._keep_room(True)
        grid.addWidget(self.name, line, 0)
        if field.kind in _LONG:
            grid.addWidget(self.editor.widget, line + 1, 0, 1, 3)
        else:
            self.editor.widget.setFixedWidth(scaled(_EDITOR_WIDTH))
            grid.addWidget(self.editor.widget, line, 1)
        grid.addWidget(self.back, line, 2)
        grid.addWidget(self.help, line + 2, 0, 1, 3)
        self.show_value()

    @property
    def keys(self) -> tuple[QWidget, ...]:
        """What takes the keyboard, one after another."""
        return *takes_keys(self.editor.widget), self.back

    def show_value(self) -> None:
        """What the form holds, without telling of it."""
        self._quiet = True
        self.editor.write(self._form.value_of(self.field.name))
        self._quiet = False
        self.show_changed()

    def show_changed(self) -> None:
        changed = self._form.is_changed(self.field.name)
        if changed != (self.name.property("role") == "heading"):
            set_role(self.name, "heading" if changed else "")
        self.back.setVisible(changed and not self.name.isHidden())
        self.help.setText(in_words(_told(self.field, changed), self._form.labels))

    def set_visible(self, visible: bool) -> None:
        for widget in (self.name, self.editor.widget, self.help):
            widget.setVisible(visible)
        self._keep_room(visible)
        self.back.setVisible(visible and self._form.is_changed(self.field.name))

    def _keep_room(self, visible: bool) -> None:
        """For the way back: what is edited does not move when it comes. Of a row that is not shown, nothing is left."""
        keeps = self.back.sizePolicy()
        keeps.setRetainSizeWhenHidden(visible)
        self.back.setSizePolicy(keeps)

    def _take(self) -> None:
        if not self._quiet:
            self._form.take(self.field.name, self.editor.read())
            self.show_changed()

    def _reset(self) -> None:
        self.editor.focus.setFocus()
        self.editor.write(self.field.default)


def _told(field: ConfigField, changed: bool) -> str:
    """`Changed from 64. Channels of the first layer: at least 4 and at most 256.`"""
    usual = f"Changed from {shown(field.default)}. " if changed else ""
    bounds = f": {field.bounds}" if field.bounds else ""
    return f"{usual}{field.help[:1].upper()}{field.help[1:]}{bounds}."
