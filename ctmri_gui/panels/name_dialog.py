"""Asks for a name, and says while it is typed why one cannot be had or what it would replace."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label, naming, resize_dialog, set_role

LONGEST_NAME = 40


class NameDialog(QDialog):
    """`refuse`: why a name cannot be had, empty where it can; `warn`: what having it would do, empty for nothing; `begin`: on the
    button, where nothing is saved."""

    def __init__(
        self, title: str, words: str, refuse: Callable[[str], str], warn: Callable[[str], str], parent: QWidget | None = None,
        *, begin: str = "",
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle(title)
        resize_dialog(self, 420, 0)
        self._refuse, self._warn = refuse, warn
        self.field = QLineEdit()
        self.field.setMaxLength(LONGEST_NAME)
        self.field.setAccessibleName(words.replace("&", ""))
        self.told = label("", "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.save = buttons.button(QDialogButtonBox.StandardButton.Save)
        self.save.setProperty("primary", True)
        if begin:
            self.save.setText(begin)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (naming(words, self.field), self.field, self.told, buttons):
            column.addWidget(part)
        self.told.setMinimumHeight(2 * self.told.fontMetrics().lineSpacing())  # the dialog does not jump while one types
        self.field.textChanged.connect(self._follow)
        self._follow()

    @property
    def name(self) -> str:
        return " ".join(self.field.text().split())

    def _follow(self) -> None:
        problem = self._refuse(self.name) if self.name else ""
        self.save.setEnabled(bool(self.name) and not problem)
        set_role(self.told, "error" if problem else "warning")
        self.told.setText(problem or (self._warn(self.name) if self.name else ""))
