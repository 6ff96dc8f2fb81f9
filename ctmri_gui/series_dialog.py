"""Asks which of several series to open."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QDialog, QDialogButtonBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ctmri_core.io.series import Series
from ctmri_gui.panels.small_parts import label

_AT_MOST = 2  # one to translate and its ground truth


class SeriesDialog(QDialog):
    """A list of what was found, fit for a choice of one, or two that belong together."""

    def __init__(self, series: Sequence[Series], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which series?")
        self.resize(640, 420)
        self._series = tuple(series)
        self.list = QListWidget()
        self.list.setAccessibleName("Series found")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setWordWrap(True)
        for entry in self._series:
            self.list.addItem(_item(entry))
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.list.itemSelectionChanged.connect(self._check)
        self.list.itemDoubleClicked.connect(lambda _item: self.accept())
        column = QVBoxLayout(self)
        column.addWidget(label(f"{len(self._series)} series were found. Choose one; hold Ctrl to add a second as ground truth."))
        column.addWidget(self.list, 1)
        column.addWidget(self._buttons)
        self.list.setCurrentRow(0)

    @property
    def chosen(self) -> tuple[Series, ...]:
        """What is selected, in the order of the list."""
        return tuple(entry for row, entry in enumerate(self._series) if self.list.item(row).isSelected())

    def _check(self) -> None:
        button = self._buttons.button(QDialogButtonBox.StandardButton.Open)
        button.setEnabled(1 <= len(self.chosen) <= _AT_MOST)


def describe(series: Series) -> str:
    """Two lines: what it is, and its size with what is odd about it."""
    facts = []
    if series.shape is not None:
        k, j, i = series.shape
        facts.append(f"{i} × {j}, {k} slices")
    if series.spacing is not None:
        facts.append(f"{series.spacing[0]:.3g} mm apart")
    if series.localizer:
        facts.append("localizer, not a volume to work on")
    facts += [finding.message for finding in series.findings]
    return f"{series.label}\n{' · '.join(facts)}"


def _item(series: Series) -> QListWidgetItem:
    item = QListWidgetItem(describe(series))
    item.setData(Qt.ItemDataRole.AccessibleTextRole, describe(series).replace("\n", ", "))
    return item
