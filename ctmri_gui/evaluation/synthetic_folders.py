"""Folders of finished pictures, each with the model that made them and the label maps that belong to them, as far as known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui import file_choice
from ctmri_gui.evaluation.folder_field import FolderField
from ctmri_gui.models.library import Library
from ctmri_gui.models.model_list import ModelList
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.palette import scaled

_ROWS = 3
_HEAD = ("Folder", "Made by", "Label maps")
_UNKNOWN = "Not known"
_MADE_BY = "The model that made the pictures: cases that it learnt from are known by its card, and left out"


@dataclass(frozen=True)
class SyntheticFolder:
    """`made_by`: a model's file; `labels`: the folder of label maps drawn on these pictures."""

    folder: Path
    made_by: Path | None = None
    labels: Path | None = None


class SyntheticFolders(QWidget):
    """A row for each. `made_by`, `labels`: fields of the selected one, for a form; `changed`: something else is wanted now."""

    changed = Signal()

    def __init__(self, library: Library, settings: Settings) -> None:
        super().__init__()
        self._library, self._settings = library, settings
        self._names = ModelList(library, self)
        self.chosen: list[SyntheticFolder] = []
        self._showing = False
        self.list = QTreeWidget()
        self.list.setHeaderLabels(_HEAD)
        self.list.setRootIsDecorated(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setTabKeyNavigation(False)
        self.list.setAccessibleName("Folders of synthetic pictures")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.add, self.remove = QPushButton("Ad&d folder…"), QPushButton("Remo&ve")
        self.add.setToolTip("A folder with synthetic pictures; several are compared with each other")
        self.remove.setToolTip("Take the selected folders off the list (Del)")
        self.made_by = QComboBox()
        self.made_by.setToolTip(_MADE_BY)
        self.made_by.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.made_by.setMinimumContentsLength(16)
        words = "None: labels have no Dice and no HD95"
        self.labels = FolderField("the folder of their label maps", words, settings, optional=True)
        self._lay_out()
        self._connect()
        self._fill_models()

    def take(self, folders: Sequence[Path]) -> None:
        """More of them; the last one is selected."""
        known = [each.folder for each in self.chosen]
        self.chosen += [SyntheticFolder(folder) for folder in dict.fromkeys(folders) if folder not in known]
        self._show(len(self.chosen) - 1)

    def fit(self) -> None:
        """At least as high as some rows of the present text."""
        self.list.setMinimumHeight((_ROWS + 1) * (self.fontMetrics().lineSpacing() + scaled(10)))

    def _lay_out(self) -> None:
        ways = QHBoxLayout()
        for way in (self.add, self.remove):
            ways.addWidget(way)
        ways.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.list, 1)
        column.addLayout(ways)
        self.fit()

    def _connect(self) -> None:
        self.add.clicked.connect(self._ask)
        self.remove.clicked.connect(self._remove_selected)
        self.list.itemSelectionChanged.connect(self._follow)
        self.made_by.activated.connect(lambda _row: self._note())
        self.labels.changed.connect(self._note)
        self._library.changed.connect(self._fill_models)
        QShortcut(QKeySequence.StandardKey.Delete, self.list, self.remove.click, context=Qt.ShortcutContext.WidgetShortcut)

    @property
    def _row(self) -> int | None:
        """That of the only one selected."""
        rows = sorted({index.row() for index in self.list.selectedIndexes()})
        return rows[0] if len(rows) == 1 else None

    def _note(self) -> None:
        """What is known of the selected one now."""
        row, maker = self._row, str(self.made_by.currentData() or "")
        if row is None or self._showing:
            return
        noted = replace(self.chosen[row], made_by=Path(maker) if maker else None, labels=self.labels.folder)
        if noted != self.chosen[row]:
            self.chosen[row] = noted
            self._show(row)

    def _ask(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder of synthetic pictures", self._settings["last_folder"])
        if chosen is not None:
            self.take([chosen])

    def _remove_selected(self) -> None:
        rows = {index.row() for index in self.list.selectedIndexes()}
        self.chosen = [each for row, each in enumerate(self.chosen) if row not in rows]
        self._show(min(min(rows, default=0), len(self.chosen) - 1))

    def _fill_models(self) -> None:
        """What the library has; a model that is gone from it stays where it was chosen."""
        self.made_by.clear()
        self.made_by.addItem(_UNKNOWN, "")
        for row, entry in enumerate(self._library.entries):
            if entry.card is not None:
                self.made_by.addItem(str(self._names.index(row).data()).partition("\n")[0], str(entry.path))
        self._follow()

    def _show(self, row: int) -> None:
        self.list.clear()
        for each in self.chosen:
            labels = "" if each.labels is None else each.labels.name
            entry = QTreeWidgetItem([str(each.folder), self._name_of(each.made_by), labels])
            entry.setToolTip(0, str(each.folder))
            entry.setToolTip(2, str(each.labels or ""))
            self.list.addTopLevelItem(entry)
        if (item := self.list.topLevelItem(row)) is not None:
            self.list.setCurrentItem(item)
        self._follow()
        self.changed.emit()

    def _name_of(self, model: Path | None) -> str:
        if model is None:
            return ""
        place = self.made_by.findData(str(model))
        return self.made_by.itemText(place) if place >= 0 else model.stem

    def _follow(self) -> None:
        self.remove.setEnabled(bool(self.list.selectedIndexes()))
        row = self._row
        for field in (self.made_by, self.labels):
            field.setEnabled(row is not None)
        one = SyntheticFolder(Path()) if row is None else self.chosen[row]
        self._showing = True
        maker = str(one.made_by or "")
        if self.made_by.findData(maker) < 0:
            self.made_by.addItem(Path(maker).stem, maker)
        self.made_by.setCurrentIndex(self.made_by.findData(maker))
        self.labels.set_folder(one.labels)
        self._showing = False
