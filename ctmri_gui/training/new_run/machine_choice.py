"""What a run is computed on, and whether beside the window or in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFormLayout, QRadioButton, QVBoxLayout, QWidget

from ctmri_core.config_fields import fields_of
from ctmri_core.training.graphics_cards import GraphicsCards
from ctmri_core.training.settings import TrainingSettings
from ctmri_gui.panels.small_parts import WheelGuard, label
from ctmri_gui.training.live_run import Where
from ctmri_gui.training.new_run.value_editors import editor_for
from ctmri_gui.training.where import Place
from ctmri_gui.viewer.palette import scaled

_EDITOR_WIDTH = 216
ASKED = ("device", "precision", "devices")
_LABELS = {"device": "Computed on", "precision": "Number format", "devices": "Graphics cards"}
_PLACES: tuple[tuple[Where | None, str], ...] = (
    (None, "Let the program choose"), ("thread", "Beside this window"), ("process", "In a process of its own"),
)  # fmt: skip
_WORDS: dict[object, str] = {
    "auto": "Let the program choose", "cpu": "Processor", "cuda": "Graphics card", "32": "Exact (float32)",
    "bf16-mixed": "Faster (bfloat16)", "16-mixed": "Faster, older cards (float16)",
}  # fmt: skip
_LOOKING = "looking for graphics cards"


class MachineChoice(QWidget):
    """`edited(dict)`: device, precision and number of devices, where they differ from the defaults."""

    edited = Signal(object)  # dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self._quiet = False
        guard = WheelGuard(self)
        self._fields = {field.name: field for field in fields_of(TrainingSettings) if field.name in ASKED}
        self._editors = {name: editor_for(self._fields[name], guard, self._tell) for name in ASKED}
        self.note = label(_LOOKING, "muted")
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for name in ASKED:
            made = self._editors[name]
            made.focus.setAccessibleName(_LABELS[name])
            made.widget.setFixedWidth(scaled(_EDITOR_WIDTH))
            if isinstance(made.focus, QComboBox):
                for row in range(made.focus.count()):
                    made.focus.setItemText(row, _WORDS[made.focus.itemData(row)])
            made.write(self._fields[name].default)
            form.addRow(_LABELS[name], made.widget)
        form.addRow(self.note)
        self.show_cards(None)

    def editor(self, name: str) -> QWidget:
        return self._editors[name].focus

    @property
    def values(self) -> dict[str, Any]:
        read = {name: self._editors[name].read() for name in ASKED}
        return {name: value for name, value in read.items() if value != self._fields[name].default}

    def show_values(self, settings: Mapping[str, Any]) -> None:
        self._quiet = True
        for name in ASKED:
            wanted = settings.get(name, self._fields[name].default)
            if self._editors[name].read() != wanted:
                self._editors[name].write(wanted)
        self._quiet = False

    def show_cards(self, cards: GraphicsCards | None) -> None:
        """What can be chosen. None: nobody knows yet."""
        count = 0 if cards is None else len(cards.names)
        self._editors["devices"].focus.setEnabled(count > 1 or self._editors["devices"].read() > 1)
        device = self._editors["device"].focus
        model = device.model() if isinstance(device, QComboBox) else None
        if isinstance(device, QComboBox) and isinstance(model, QStandardItemModel):
            model.item(device.findData("cuda")).setEnabled(count > 0 or cards is None)
        self.note.setText(_told(cards))

    def _tell(self) -> None:
        if not self._quiet:
            self.edited.emit(self.values)


class PlaceChoice(QWidget):
    """`chosen(str | None)`: where the run goes on; None leaves it to the program."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self.reason = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.buttons: dict[Where | None, QRadioButton] = {}
        for number, (place, words) in enumerate(_PLACES):
            made = self.buttons[place] = QRadioButton(words)
            self._group.addButton(made, number)
            column.addWidget(made)
        self.buttons["thread"].setToolTip("Begins at once. Closing the program ends it; its state is kept")
        self.buttons["process"].setToolTip("What happens to it cannot touch the window, nor the window's memory")
        self.buttons[None].setChecked(True)
        self._group.idClicked.connect(lambda number: self.chosen.emit(_PLACES[number][0]))
        column.addWidget(self.reason)

    def show_place(self, chosen: Where | None, best: Place) -> None:
        """`best`: what the program would choose, and why."""
        self.buttons["thread"].setEnabled(not best.only)
        self.buttons[None if best.only and chosen == "thread" else chosen].setChecked(True)
        named = dict(_PLACES)[best.where]
        self.buttons[None].setText(f"Let the program choose (now: {named[:1].lower()}{named[1:]})")
        self.reason.setText(best.reason if chosen in (None, best.where) else "")
        self.reason.setVisible(bool(self.reason.text()))


def _told(cards: GraphicsCards | None) -> str:
    if cards is None:
        return f"{_LOOKING[:1].upper()}{_LOOKING[1:]} …"
    if not cards.names:
        return cards.reason
    names = ", ".join(dict.fromkeys(cards.names))
    if len(cards.names) == 1:
        return f"One graphics card: {names}. Training on several needs several."
    return f"{len(cards.names)} graphics cards: {names}."
