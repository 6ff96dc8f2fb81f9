"""The settings that carry a label, as a form made from their table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.panels.small_parts import fit_height, label, naming, resize_dialog, scrolling
from ctmri_gui.settings import SETTINGS, Setting, Settings

_LONG = 7  # settings: a form with more is searched


class SettingsDialog(QDialog):
    """Changes take effect when accepted."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        resize_dialog(self, 560, 0)
        self._settings = settings
        self.fields = {one.key: SettingField(one, settings[one.key]) for one in SETTINGS.values() if one.label and not one.dock}
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings (Ctrl+F)")
        self.search.setAccessibleName("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.setVisible(len(self.fields) > _LONG)
        self.search.textChanged.connect(self._filter)
        self.none = label("No setting holds these words.", "muted")
        self.none.hide()
        self._area = scrolling(self._form(), "Settings")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setProperty("primary", True)
        self.reset_all = buttons.addButton("&Reset all", QDialogButtonBox.ButtonRole.ResetRole)
        self.reset_all.setToolTip("Puts every setting of this form to its default; nothing is kept before OK")
        self.reset_all.clicked.connect(self._reset_all)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (self.search, self._area, self.none, buttons):
            column.addWidget(part, 1 if part is self._area else 0)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        for field in self.fields.values():
            field.changed.connect(self._follow)
        self._follow()

    def accept(self) -> None:
        for key, field in self.fields.items():
            self._settings[key] = field.value
        self._settings.save()
        super().accept()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, lambda: fit_height(self, self._area))

    def _form(self) -> QWidget:
        names = [field.label for field in self.fields.values() if field.label is not None]
        for name in names:  # one column
            name.setMinimumWidth(max(other.sizeHint().width() for other in names))
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(4)
        self._groups = dict.fromkeys(field.setting.group for field in self.fields.values())
        self._headings = {group: label(group, "heading") for group in self._groups}
        for group, heading in self._headings.items():
            column.addWidget(heading)
            for field in self.fields.values():
                if field.setting.group == group:
                    column.addWidget(field)
            column.addSpacing(8)
        column.addStretch(1)
        return form

    def _reset_all(self) -> None:
        for field in self.fields.values():
            field.reset_to_default()

    def _follow(self) -> None:
        self.reset_all.setEnabled(any(not field.is_default for field in self.fields.values()))

    def _filter(self, words: str) -> None:
        wanted = words.lower().split()
        shown = set()
        for field in self.fields.values():
            setting = field.setting
            text = " ".join((setting.label, setting.help, setting.group, *setting.words)).lower()
            field.setVisible(all(word in text for word in wanted))
            if not field.isHidden():
                shown.add(setting.group)
        for group, heading in self._headings.items():
            heading.setVisible(group in shown)
        self.none.setVisible(not shown)


class SettingField(QWidget):
    """One setting: its name, its value, what it means, and the way back to its default."""

    changed = Signal()

    def __init__(self, setting: Setting, value: Any) -> None:
        super().__init__()
        self.setting = setting
        self._field, self._read, self._write = field_for(setting, self._tell)
        self._field.setObjectName(setting.key)
        self._field.setToolTip(setting.help)
        self._field.setAccessibleName(setting.label)
        self._field.setAccessibleDescription(setting.help)
        self.reset = QPushButton("Default")
        self.reset.setAutoDefault(False)
        self.reset.setToolTip(f"{setting.label}: {_words(setting)}")
        self.reset.setAccessibleName(f"Default of {setting.label}")
        self.reset.clicked.connect(self.reset_to_default)
        row = QHBoxLayout()
        row.setSpacing(10)
        self.label: QLabel | None = None
        if not isinstance(setting.default, bool):
            self.label = naming(setting.label, self._field)
            row.addWidget(self.label)
        row.addWidget(self._field)
        row.addStretch(1)
        row.addWidget(self.reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 0, 4)
        column.setSpacing(2)
        column.addLayout(row)
        if setting.help:
            column.addWidget(label(setting.help, "muted"))
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self._write(value)
        self._tell()

    @property
    def value(self) -> Any:
        return self._read()

    @property
    def is_default(self) -> bool:
        return bool(self.value == self.setting.default)

    def reset_to_default(self) -> None:
        self._write(self.setting.default)
        self._field.setFocus()  # the button that was pressed goes

    def _tell(self) -> None:
        self.reset.setVisible(not self.is_default)
        self.changed.emit()


def _words(setting: Setting) -> str:
    default = setting.default
    if isinstance(default, bool):
        return "on" if default else "off"
    return dict(zip(setting.choices, setting.words, strict=False)).get(str(default), str(default))


def field_for(setting: Setting, tell: Callable[[], None]) -> tuple[QWidget, Callable[[], Any], Callable[[Any], None]]:
    """The editor, what reads it and what fills it; `tell` follows every change."""
    if setting.choices:
        choice = QComboBox()
        for place, value in enumerate(setting.choices):
            choice.addItem(setting.words[place] if setting.words else value, value)
        choice.currentIndexChanged.connect(lambda _row: tell())
        return choice, choice.currentData, lambda value: choice.setCurrentIndex(choice.findData(value))
    if isinstance(setting.default, bool):
        check = QCheckBox(setting.label)
        check.toggled.connect(lambda _on: tell())
        return check, check.isChecked, check.setChecked
    number = QSpinBox()
    number.setRange(*(setting.limits or (0, 10**9)))
    number.setSpecialValueText(setting.words[0] if setting.words else "")
    number.valueChanged.connect(lambda _value: tell())
    return number, number.value, number.setValue
