"""Asks which cases to close before a scan is opened for which memory is short."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QWidget

from ctmri_gui.cases.case import Case
from ctmri_gui.cases.room import Shortage, in_words
from ctmri_gui.panels.fitted_dialog import FittedDialog
from ctmri_gui.panels.small_parts import label

_WHY = (
    "The scan with its synthetic image needs about {needed}; {free} of memory are free for it. Where memory runs out the whole"
    " machine becomes slow. Close what you do not need:"
)
_UNSAVED = "Synthetic images and masks that were not saved are lost with their case."


class RoomDialog(FittedDialog):
    """`chosen`: the cases to be closed, once accepted. With none of them it is tried all the same."""

    def __init__(self, lack: Shortage, cases: Sequence[Case], parent: QWidget | None = None) -> None:
        super().__init__("Memory is short", "Which cases to close", 480, parent)
        self._lack = lack
        self.boxes = {case: QCheckBox(f"Close {case.label.replace('&', '&&')}, {in_words(case.size)}") for case in cases}
        self.outcome = label("", "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go_on = self.buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        within = self.within
        within.addWidget(label("There is little memory left for another scan.", "heading"))
        within.addWidget(label(_WHY.format(needed=in_words(lack.needed), free=in_words(lack.free))))
        for box in self.boxes.values():
            box.toggled.connect(lambda _on: self._follow())
            within.addWidget(box)
        within.addWidget(self.outcome)
        within.addWidget(label(_UNSAVED, "muted"))
        self.complete_with(self.buttons)
        self._follow()

    @property
    def chosen(self) -> tuple[Case, ...]:
        return tuple(case for case, box in self.boxes.items() if box.isChecked())

    def _follow(self) -> None:
        freed = sum(case.size for case in self.chosen)
        enough = freed >= self._lack.missing
        words = f"{in_words(freed)} will be free again: {'enough' if enough else 'too little'}."
        self.outcome.setText(words if freed else "None of them is closed.")
        self.go_on.setText("Close and open" if self.chosen else "Open all the same")
        preferred = self.go_on if enough else self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        preferred.setDefault(True)
