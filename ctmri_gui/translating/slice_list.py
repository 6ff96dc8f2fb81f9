"""The slices that a model did not learn from: runs of them as a list, a click goes there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from ctmri_core.geometry import FloatArray
from ctmri_core.volume import Volume

_WORDS = {"values": "grey values", "size": "size of the body", "cut off": "body is cut off", "no body": "no body"}
_ROWS = 4


@dataclass(frozen=True)
class Run:
    """Slices `first` to `last`, from 0, along `axis` of the stored voxels."""

    axis: int
    first: int
    last: int
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """`Slices 1 to 8: grey values`."""
        which = f"Slice {self.first + 1}" if self.first == self.last else f"Slices {self.first + 1} to {self.last + 1}"
        return f"{which}: {', '.join(_WORDS.get(reason, reason) for reason in self.reasons)}"

    def place_in(self, volume: Volume) -> FloatArray:
        """LPS mm: the middle of its middle slice."""
        at = (np.asarray(volume.geometry.shape) - 1) / 2
        at[self.axis] = (self.first + self.last) // 2
        return volume.geometry.index_to_mm(at)


def runs_of(volume: Volume | None) -> tuple[Run, ...]:
    """What is recorded of a synthetic volume's slices: neighbours with the same reasons together."""
    details: Mapping[str, Any] = volume.synthetic.details if volume is not None and volume.synthetic is not None else {}
    told = details.get("slice_flags")
    if not isinstance(told, Mapping) or not isinstance(told.get("slices"), Mapping):
        return ()
    runs: list[Run] = []
    axis = int(told.get("axis", 0))
    for number, reasons in sorted((int(number), tuple(reasons)) for number, reasons in told["slices"].items()):
        if runs and runs[-1].last == number - 1 and runs[-1].reasons == reasons:
            runs[-1] = Run(axis, runs[-1].first, number, reasons)
        else:
            runs.append(Run(axis, number, number, reasons))
    return tuple(runs)


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
