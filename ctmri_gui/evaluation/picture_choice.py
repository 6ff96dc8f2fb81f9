"""Finished pictures to be held against real ones: folders that are matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.domain import PICTURES, Direction
from ctmri_gui import file_choice
from ctmri_gui.evaluation.folder_field import FolderField
from ctmri_gui.panels.small_parts import naming
from ctmri_gui.settings import Settings

_LINES = 3
_KINDS = PICTURES


class PictureChoice(QWidget):
    """One folder of predictions for each way of making them, one of the truths; sources and body masks where there are any."""

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.predictions: list[Path] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Folders of synthetic pictures")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.add, self.remove = QPushButton("Add f&older…"), QPushButton("Remo&ve")
        self.add.setToolTip("A folder with synthetic pictures; several are compared with each other")
        self.remove.setToolTip("Take the selected folders off the list (Del)")
        self.truth = FolderField("the folder of real pictures", "No folder is chosen yet", settings)
        self.sources = FolderField("the folder of source pictures", "None: alignment is not checked", settings, optional=True)
        self.masks = FolderField("the folder of body masks", "None: the body is outlined here", settings, optional=True)
        self.direction = QComboBox()
        self._fill()
        self._lay_out()
        self._connect()

    @property
    def problem(self) -> str:
        """Why nothing can be begun; empty when it can."""
        if not self.predictions:
            return "Add a folder of synthetic pictures."
        return "Choose the folder of the real pictures." if self.truth.folder is None else ""

    def take(self, folders: Sequence[Path]) -> None:
        """More folders of predictions."""
        self.predictions += [folder for folder in dict.fromkeys(folders) if folder not in self.predictions]
        self._show()

    def _fill(self) -> None:
        self.direction.addItem("As the files say", "")
        for source in _KINDS:
            for target in _KINDS:
                if source.modality != target.modality:
                    way = Direction(source, target)
                    self.direction.addItem(way.label, way.name)
        self.direction.setToolTip("What was made of what; asked only where the names of files do not say it")

    def _lay_out(self) -> None:
        self.list.setMaximumHeight(_LINES * self.fontMetrics().lineSpacing() + 24)
        ways = QHBoxLayout()
        for way in (self.add, self.remove):
            ways.addWidget(way)
        ways.addStretch(1)
        made = QVBoxLayout()
        made.setSpacing(6)
        made.addWidget(self.list)
        made.addLayout(ways)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(naming("S&ynthetic", self.list), made)
        form.addRow(naming("Re&al", self.truth.choose), self.truth)
        form.addRow(naming("Sour&ces", self.sources.choose), self.sources)
        form.addRow(naming("Mas&ks", self.masks.choose), self.masks)
        form.addRow(naming("Dir&ection", self.direction), self.direction)

    def _connect(self) -> None:
        self.add.clicked.connect(self._ask)
        self.remove.clicked.connect(self._remove_selected)
        self.list.itemSelectionChanged.connect(self._follow)
        QShortcut(QKeySequence.StandardKey.Delete, self.list, self.remove.click, context=Qt.ShortcutContext.WidgetShortcut)
        for field in (self.truth, self.sources, self.masks):
            field.changed.connect(self.changed)
        self._follow()

    def _ask(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder of synthetic pictures", self._settings["last_folder"])
        self.take([chosen] if chosen is not None else [])

    def _remove_selected(self) -> None:
        rows = {index.row() for index in self.list.selectedIndexes()}
        self.predictions = [path for row, path in enumerate(self.predictions) if row not in rows]
        self._show()

    def _show(self) -> None:
        self.list.clear()
        self.list.addItems([str(path) for path in self.predictions])
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        self.remove.setEnabled(bool(self.list.selectedIndexes()))
