"""Who says where the body is: a threshold, or one of the models that outline it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QComboBox, QSizePolicy

from ctmri_gui.models.library import Library

_FOUND = "Found by threshold"
_TIP = "What outlines the body of each case. Models that outline are trained under Model > Train a model (DeepLabV3+)"
_LETTERS = 14


class BodyChoice(QComboBox):
    """`outliner`: None for the threshold. What was chosen stays while its model is there."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self.setToolTip(_TIP)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LETTERS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        library.changed.connect(self._list)
        self._list()

    @property
    def outliner(self) -> Path | None:
        path: Path | None = self.currentData()
        return path

    def _list(self) -> None:
        before = self.outliner
        self.clear()
        self.addItem(_FOUND, None)
        for entry in self._library.entries:
            if entry.card is not None and entry.card.outlines:
                self.addItem(f"{entry.card.name} (in {entry.card.direction.source.label})", entry.path)
        self.setCurrentIndex(max(self.findData(before), 0))
