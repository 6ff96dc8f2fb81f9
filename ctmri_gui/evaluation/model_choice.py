"""The models of the library, of which several are ticked to be held against each other."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from ctmri_gui.models.library import Library
from ctmri_gui.models.model_list import ModelList
from ctmri_gui.viewer.palette import scaled

_ROWS = 5
_PATH = Qt.ItemDataRole.UserRole
_OTHER_WAY = "It translates in another direction than the models that are ticked: their scores cannot stand side by side."


class ModelChoice(QTreeWidget):
    """Models of one direction go together: ticking one greys out those of others."""

    chosen = Signal()

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self._names = ModelList(library, self)
        self._awaited: tuple[Path, ...] = ()
        """To be ticked once the library has listed its models."""
        self.setHeaderLabels(["Model", "Translates", "From"])
        self.setRootIsDecorated(False)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName("Models to evaluate")
        self.setToolTip("Tick one or several models of one direction (Space)")
        self.setTabKeyNavigation(False)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        library.changed.connect(self.fill)
        self.itemChanged.connect(lambda _item, _column: self._follow())
        self.fill()

    @property
    def models(self) -> tuple[Path, ...]:
        """Those that are ticked, in the order of the list."""
        if not self._items:
            return self._awaited
        return tuple(Path(item.data(0, _PATH)) for item in self._items if item.checkState(0) is Qt.CheckState.Checked)

    def tick(self, paths: tuple[Path, ...]) -> None:
        """These and no others."""
        self._awaited = () if self._items else paths
        self.blockSignals(True)
        for item in self._items:
            on = Path(item.data(0, _PATH)) in paths
            item.setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.blockSignals(False)
        self._follow()

    def fill(self) -> None:
        """What the library has now; ticks stay."""
        kept = self.models
        self.blockSignals(True)
        self.clear()
        for row in range(self._names.rowCount()):
            entry = self._names.index(row).data(Qt.ItemDataRole.UserRole)
            if entry.card is not None:
                title = str(self._names.index(row).data()).partition("\n")[0]
                run = self._library.run_of(entry)
                place = f"run {run}" if run else "shipped" if self._library.is_shipped(entry) else "your models"
                item = QTreeWidgetItem([title, entry.card.direction.label, place])
                item.setData(0, _PATH, str(entry.path))
                item.setToolTip(0, entry.card.summary)
                item.setCheckState(0, Qt.CheckState.Unchecked)
                self.addTopLevelItem(item)
        self.blockSignals(False)
        if self._items:
            self.setCurrentItem(self._items[0])
        self.tick(kept)

    def fit(self) -> None:
        """As high as some rows of the present text."""
        self.setMinimumHeight(_ROWS * (self.fontMetrics().lineSpacing() + scaled(10)))

    @property
    def _items(self) -> list[QTreeWidgetItem]:
        return [item for row in range(self.topLevelItemCount()) if (item := self.topLevelItem(row)) is not None]

    def _follow(self) -> None:
        """Only those of the first one's direction can be ticked beside it."""
        ticked = [item for item in self._items if item.checkState(0) is Qt.CheckState.Checked]
        way = ticked[0].text(1) if ticked else None
        self.blockSignals(True)
        for item in self._items:
            fits = way in (None, item.text(1)) or item in ticked
            item.setDisabled(not fits)
            item.setToolTip(1, "" if fits else _OTHER_WAY)
        self.blockSignals(False)
        self.chosen.emit()
