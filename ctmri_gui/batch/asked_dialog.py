"""Why a case was put aside, and what a person can do about it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QVBoxLayout, QWidget

from ctmri_core.domain import PICTURES, Domain
from ctmri_core.events import CaseTold
from ctmri_gui.panels.small_parts import fit_height, label, naming, resize_dialog, scrolling

_KINDS = PICTURES
_DOUBT = "Nobody made the model for such a scan. What it shows may look right and be wrong; the reason stays with the result."
_KIND = "A wrong answer gives a picture that looks right and is not."


class AskedDialog(QDialog):
    """Accepted: translate it all the same, as `told` where the question was what it shows."""

    def __init__(self, case: CaseTold, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Translate it all the same?")
        self.setObjectName("asked_about")
        self._asks_kind = case.question == "kind"
        self.kind = QComboBox()
        self.kind.addItem("Choose what it shows …")
        for domain in _KINDS:
            self.kind.addItem(domain.label)
        self.kind.currentIndexChanged.connect(lambda _row: self._follow())
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("&Translate it", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        inside = QWidget()
        within = QVBoxLayout(inside)
        within.setContentsMargins(0, 0, 0, 0)
        within.setSpacing(12)
        within.addWidget(label(case.name, "heading"))
        within.addWidget(label(case.reason, "warning"))
        if self._asks_kind:
            form = QFormLayout()
            form.addRow(naming("It &shows", self.kind), self.kind)
            within.addLayout(form)
        within.addWidget(label(_KIND if self._asks_kind else _DOUBT, "muted"))
        within.addStretch(1)
        self._area = scrolling(inside, "Why it was put aside")
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(self._area, 1)
        column.addWidget(self.buttons)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setDefault(True)
        self._follow()
        resize_dialog(self, 520, 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, lambda: fit_height(self, self._area))

    @property
    def told(self) -> Domain | None:
        row = self.kind.currentIndex()
        return _KINDS[row - 1] if self._asks_kind and row > 0 else None

    def _follow(self) -> None:
        self.go.setEnabled(not self._asks_kind or self.told is not None)
