"""Why a case was put aside, and what a person can do about it."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QFormLayout, QWidget

from ctmri_core.domain import PICTURES, Domain
from ctmri_core.events import CaseTold
from ctmri_gui.panels.fitted_dialog import FittedDialog
from ctmri_gui.panels.small_parts import label, naming

_KINDS = PICTURES
_DOUBT = "Nobody made the model for such a scan. What it shows may look right and be wrong; the reason stays with the result."
_KIND = "A wrong answer gives a picture that looks right and is not."


class AskedDialog(FittedDialog):
    """Accepted: translate it all the same, as `told` where the question was what it shows."""

    def __init__(self, case: CaseTold, parent: QWidget | None = None) -> None:
        super().__init__("Translate it all the same?", "Why it was put aside", 520, parent)
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
        within = self.within
        within.addWidget(label(case.name, "heading"))
        within.addWidget(label(case.reason, "warning"))
        if self._asks_kind:
            form = QFormLayout()
            form.addRow(naming("It &shows", self.kind), self.kind)
            within.addLayout(form)
        within.addWidget(label(_KIND if self._asks_kind else _DOUBT, "muted"))
        within.addStretch(1)
        self.complete_with(self.buttons)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setDefault(True)
        self._follow()

    @property
    def told(self) -> Domain | None:
        row = self.kind.currentIndex()
        return _KINDS[row - 1] if self._asks_kind and row > 0 else None

    def _follow(self) -> None:
        self.go.setEnabled(not self._asks_kind or self.told is not None)
