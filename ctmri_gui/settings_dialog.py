"""The settings that carry a label, as a form made from their table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from ctmri_gui.settings import SETTINGS, Setting, Settings


class SettingsDialog(QDialog):
    """Changes take effect when accepted."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(420)
        self._settings = settings
        self._values: dict[str, Callable[[], Any]] = {}
        form = QFormLayout()
        for setting in SETTINGS.values():
            if setting.label:
                form.addRow("" if isinstance(setting.default, bool) else setting.label, self._field(setting))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(buttons)

    def accept(self) -> None:
        for key, value in self._values.items():
            self._settings[key] = value()
        super().accept()

    def _field(self, setting: Setting) -> QWidget:
        field, self._values[setting.key] = _field_for(setting, self._settings[setting.key])
        field.setObjectName(setting.key)
        field.setToolTip(setting.help)
        field.setAccessibleName(setting.label)
        return field


def _field_for(setting: Setting, value: Any) -> tuple[QWidget, Callable[[], Any]]:
    if setting.choices:
        choice = QComboBox()
        choice.addItems(setting.choices)
        choice.setCurrentText(value)
        return choice, choice.currentText
    if isinstance(setting.default, bool):
        check = QCheckBox(setting.label)
        check.setChecked(value)
        return check, check.isChecked
    number = QSpinBox()
    number.setRange(*(setting.limits or (0, 10**9)))
    number.setValue(value)
    return number, number.value
