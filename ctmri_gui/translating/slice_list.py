"""The slices that a model did not learn from: runs of them as a list, a click goes there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from ctmri_gui.translating.slice_runs import Run

_ROWS = 4


class SliceList(QListWidget):
    """As high as its first rows."""

    chosen = Signal(object)  # Run

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Slices to look at with care")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def show_runs(self, runs: tuple[Run, ...]) -> None:
        self.clear()
        for run in runs:
            item = QListWidgetItem(run.text)
            item.setData(Qt.ItemDataRole.UserRole, run)
            item.setToolTip(f"{run.text}. Click to go there.")
            self.addItem(item)
        rows = min(len(runs), _ROWS)
        self.setFixedHeight(rows * max(self.sizeHintForRow(0), 1) + 2 * self.frameWidth() + 2)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))
