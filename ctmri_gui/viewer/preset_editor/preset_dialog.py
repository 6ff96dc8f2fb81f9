"""The lists of window presets: add, rename, change, give keys, order, delete, and back to those of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.panels.small_parts import label, naming, resize_dialog, set_role
from ctmri_gui.viewer.preset_book import DEFAULTS, PresetBook, PresetKind, fits
from ctmri_gui.viewer.preset_editor.preset_form import PresetForm
from ctmri_gui.viewer.presets import Preset, Window

_NEW = "New preset"
_BUTTONS = (
    ("add", "&Add", "Adds a preset"),
    ("delete", "&Delete", "Takes the selected preset out of the list"),
    ("up", "&Up", "Moves the selected preset up"),
    ("down", "Do&wn", "Moves the selected preset down"),
    ("reset", "&Reset list", "The presets of the program again, for this modality"),
)


class PresetDialog(QDialog):
    """Changes are taken over with OK. `key_words`: how the key that a number stands for is written now; `start`: what a new
    preset shows, that of the active pane."""

    def __init__(
        self, book: PresetBook, kind: PresetKind, key_words: Callable[[str], str] = str, start: Window | None = None,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle("Window presets")
        resize_dialog(self, 700, 480)
        self._book, self._start = book, start or Window(40, 400)
        self.lists = {one: list(book.own(one)) for one in PresetKind}
        self.kind = QComboBox()
        self.kind.addItems([one.value for one in PresetKind])
        self.kind.setAccessibleName("Modality")
        self.kind.setCurrentText(kind.value)
        self.list = QListWidget()
        self.list.setAccessibleName("Window presets")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.form = PresetForm(key_words)
        self.message = label("", "muted")
        self.buttons = {name: QPushButton(words) for name, words, _ in _BUTTONS}
        for name, _, tip in _BUTTONS:
            self.buttons[name].setToolTip(tip)
            self.buttons[name].setAutoDefault(False)
        self._foot = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._foot.button(QDialogButtonBox.StandardButton.Ok).setProperty("primary", True)
        self._lay_out()
        self._connect()
        self._fill()

    def accept(self) -> None:
        self._book.replace({kind: tuple(presets) for kind, presets in self.lists.items()})
        super().accept()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(naming("&Modality", self.kind))
        top.addWidget(self.kind, 1)
        buttons = QGridLayout()
        for place, button in enumerate(self.buttons.values()):
            buttons.addWidget(button, place // 2, place % 2)
        left, right, both = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        left.addLayout(top)
        left.addWidget(self.list, 1)
        left.addLayout(buttons)
        right.addWidget(self.form)
        right.addWidget(self.message)
        right.addStretch(1)
        for part, space in ((both, 18), (left, 6), (right, 6), (buttons, 6), (top, 6)):
            part.setSpacing(space)
        both.addLayout(left, 1)
        both.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.addLayout(both, 1)
        column.addWidget(self._foot)

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(lambda _row: self._fill())
        self.list.currentRowChanged.connect(lambda _row: self._show_selected())
        self.form.changed.connect(self._take)
        actions = {"add": self._add, "delete": self._delete, "up": lambda: self._move(-1), "down": lambda: self._move(1)}
        for name, action in {**actions, "reset": self._reset}.items():
            self.buttons[name].clicked.connect(lambda _checked=False, call=action: call())
        self._foot.accepted.connect(self.accept)
        self._foot.rejected.connect(self.reject)

    @property
    def _kind(self) -> PresetKind:
        return PresetKind(self.kind.currentText())

    @property
    def _presets(self) -> list[Preset]:
        return self.lists[self._kind]

    def _fill(self, row: int = 0) -> None:
        self.list.clear()
        self.list.addItems([_words(preset) for preset in self._presets])
        self.list.setCurrentRow(min(row, len(self._presets) - 1))

    def _show_selected(self) -> None:
        row, count = self.list.currentRow(), len(self._presets)
        self.form.show_preset(self._presets[row] if 0 <= row < count else None)
        self._follow()

    def _follow(self) -> None:
        row, count = self.list.currentRow(), len(self._presets)
        self.buttons["delete"].setEnabled(count > 1)
        self.buttons["up"].setEnabled(row > 0)
        self.buttons["down"].setEnabled(0 <= row < count - 1)
        self.buttons["reset"].setEnabled(tuple(self._presets) != DEFAULTS[self._kind])
        self._say("Changes are kept with OK.")

    def _take(self) -> None:
        """What the fields say, once it makes sense. A key is taken from the preset that had it."""
        row, preset = self.list.currentRow(), self.form.preset
        others = [one for place, one in enumerate(self._presets) if place != row]
        problem = _problem(preset, others)
        self._allow(not problem)
        if problem:
            self._say(problem, "error")
            return
        loser = next((one for one in others if preset.key and one.key == preset.key), None)
        self._presets[row] = preset
        for place, one in enumerate(self._presets):
            if one is loser:
                self._presets[place] = replace(one, key="")
            self._item_text(place)
        self._follow()
        if loser is not None:
            self._say(f"{loser.name} has no key any more.", "warning")

    def _allow(self, whole: bool) -> None:
        """Nothing else can be done while a preset makes no sense: it would be lost unseen."""
        for widget in (self.list, self.kind, *self.buttons.values()):
            widget.setEnabled(whole)
        self._foot.button(QDialogButtonBox.StandardButton.Ok).setEnabled(whole)

    def _item_text(self, place: int) -> None:
        item = self.list.item(place)
        if item is not None:
            item.setText(_words(self._presets[place]))

    def _add(self) -> None:
        taken = {preset.name for preset in self._presets}
        names = (_NEW, *(f"{_NEW} {number}" for number in range(2, len(taken) + 2)))
        self._presets.append(Preset(next(name for name in names if name not in taken), self._start))
        self._fill(len(self._presets) - 1)
        self.form.name.setFocus()
        self.form.name.selectAll()

    def _delete(self) -> None:
        row = self.list.currentRow()
        del self._presets[row]
        self._fill(row)

    def _move(self, step: int) -> None:
        row = self.list.currentRow()
        self._presets.insert(row + step, self._presets.pop(row))
        self._fill(row + step)

    def _reset(self) -> None:
        self.lists[self._kind] = list(DEFAULTS[self._kind])
        self._fill()

    def _say(self, words: str, role: str = "muted") -> None:
        self.message.setText(words)
        set_role(self.message, role)


def _words(preset: Preset) -> str:
    return f"{preset.key or '–'}   {preset.name}   ({preset.words})"


def _problem(preset: Preset, others: list[Preset]) -> str:
    """What is wrong, in words; empty when nothing is."""
    if not preset.name:
        return "A preset needs a name."
    if any(one.name == preset.name for one in others):
        return "Another preset has this name."
    if preset.percentiles is not None and preset.percentiles[0] >= preset.percentiles[1]:
        return "The first percentile must be below the second."
    free = [replace(one, key="") for one in others]
    return "" if fits(preset, free) else "This name is that of a key; please choose another one."
