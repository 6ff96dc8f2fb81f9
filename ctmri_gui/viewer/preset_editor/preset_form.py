"""The fields of one preset."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.viewer.number_field import SMALLEST_WIDTH, NumberField
from ctmri_gui.viewer.preset_book import LONGEST_NAME, PRESET_KEYS
from ctmri_gui.viewer.presets import Preset, Window

_NUMBERS, _PERCENT, _TRUTH = range(3)
_KINDS = ("Width and level", "Percentiles of the body", "The truth's window")


class PresetForm(QWidget):
    """Shows a preset and tells of every change. `key_words`: how the key that a number stands for is written now."""

    changed = Signal()

    def __init__(self, key_words: Callable[[str], str]) -> None:
        super().__init__()
        self._filling = False
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        self.kind = QComboBox()
        self.kind.addItems(_KINDS)
        self.width_field, self.level = NumberField("Width", lowest=SMALLEST_WIDTH), NumberField("Level")
        self.low, self.high = (NumberField(f"{word} percentile", lowest=0, highest=100) for word in ("Lower", "Upper"))
        self.key = QComboBox()
        self.key.addItem("no key", "")
        for key in PRESET_KEYS:
            words = key_words(key)
            self.key.addItem(key if words == key else f"{key} (pressed as {words})" if words else f"{key} (without a key)", key)
        for name, part in (("Name", self.name), ("Kind", self.kind), ("Key", self.key)):
            part.setAccessibleName(f"{name} of the preset")
        self._truth = label("The synthetic image gets the window of the truth, for a fair comparison.", "muted")
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        rows = (
            *(("&Name", self.name), ("&Shows", self.kind), ("&Width", self.width_field), ("&Level", self.level)),
            *(("&From %", self.low), ("&To %", self.high), ("&Key", self.key)),
        )
        for words, field in rows:
            self._form.addRow(naming(words, field), field)
        self._form.addRow(self._truth)
        self.name.textEdited.connect(self._tell)
        self.kind.currentIndexChanged.connect(self._tell)
        self.key.currentIndexChanged.connect(self._tell)
        for number in (self.width_field, self.level, self.low, self.high):
            number.valueChanged.connect(self._tell)

    def show_preset(self, preset: Preset | None) -> None:
        """Without telling of a change; None for nothing to change."""
        self._filling = True
        self.setEnabled(preset is not None)
        shown = preset or Preset("")
        self.name.setText(shown.name)
        window, ends = shown.window or Window(40, 400), shown.percentiles or (0.5, 99.5)
        self.width_field.setValue(window.width)
        self.level.setValue(window.centre)
        self.low.setValue(ends[0])
        self.high.setValue(ends[1])
        self.kind.setCurrentIndex(_TRUTH if shown.matches_truth else _PERCENT if shown.percentiles else _NUMBERS)
        self.key.setCurrentIndex(max(self.key.findData(shown.key), 0))
        self._follow_kind()
        self._filling = False

    @property
    def preset(self) -> Preset:
        """As the fields say; it need not make sense."""
        kind = self.kind.currentIndex()
        return Preset(
            self.name.text().strip(),
            Window(self.level.value(), self.width_field.value()) if kind == _NUMBERS else None,
            (self.low.value(), self.high.value()) if kind == _PERCENT else None,
            kind == _TRUTH,
            str(self.key.currentData()),
        )

    def _tell(self, *_: object) -> None:
        if not self._filling:
            self._follow_kind()
            self.changed.emit()

    def _follow_kind(self) -> None:
        kind = self.kind.currentIndex()
        for field, needed in ((self.width_field, _NUMBERS), (self.level, _NUMBERS), (self.low, _PERCENT), (self.high, _PERCENT)):
            self._form.setRowVisible(field, kind == needed)
        self._form.setRowVisible(self._truth, kind == _TRUTH)
