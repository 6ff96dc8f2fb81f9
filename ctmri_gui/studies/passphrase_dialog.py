"""Asks for the passphrase that locks the truth of a study."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label, naming, resize_dialog


class PassphraseDialog(QDialog):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Passphrase of the study")
        resize_dialog(self, 420, 0)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName("Passphrase of the study")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.agree = buttons.button(QDialogButtonBox.StandardButton.Ok)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        told = label("What the pictures are is locked by a passphrase. It is not kept.", "muted")
        for part in (told, naming("&Passphrase", self.field), self.field, buttons):
            column.addWidget(part)
        self.field.textChanged.connect(lambda text: self.agree.setEnabled(bool(text)))
        self.agree.setEnabled(False)
