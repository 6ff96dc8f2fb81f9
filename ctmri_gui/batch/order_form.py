"""What is to be translated, by what and into what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.domain import PICTURES, Domain
from ctmri_gui import file_choice
from ctmri_gui.batch.batch_work import FORMS, Wanted
from ctmri_gui.models.body_choice import BodyChoice
from ctmri_gui.models.library import Library
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.settings import Settings
from ctmri_gui.translating.wanted import wanted as wanted_of

_LINES = 3
_AUTOMATIC = "Automatic: by what each scan shows"
_NONE_CHOSEN = "No folder is chosen yet"
_KINDS = PICTURES
_HOW = ("device", "planes", "fusion", "precision", "batch", "patch", "overlap")
"""Of what is set for translating one scan: what changes the picture. Maps and draws are looked at one by one."""


class OrderForm(QWidget):
    """`changed`: something else is wanted now. `output` is proposed beside the first scans until a person chooses it."""

    changed = Signal()

    def __init__(self, library: Library, settings: Settings) -> None:
        super().__init__()
        self._library, self._settings = library, settings
        self.inputs: list[Path] = []
        self.output: Path | None = None
        self._chosen_output = False
        self.list = QListWidget()
        self.list.setAccessibleName("Folders and files to translate")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.add_folder, self.add_files = QPushButton("Add &folder…"), QPushButton("Add f&iles…")
        self.remove = QPushButton("&Remove")
        self.place, self.choose = label(_NONE_CHOSEN, "muted"), QPushButton("&Choose…")
        self.choose.setAccessibleName("Choose the folder for the results")
        self.model, self.form, self.kind = QComboBox(), QComboBox(), QComboBox()
        self.body = BodyChoice(library)
        self.watch = QCheckBox("&Watch: translate what arrives later, too, as soon as it is complete")
        self.deidentify = QCheckBox("With&out the patient's data (pictures stay as they are)")
        self._fill()
        self._lay_out()
        self._connect()

    @property
    def problem(self) -> str:
        """Why nothing can be begun; empty when it can."""
        if not self.inputs:
            return "Add a folder with scans, or drop it here."
        return "Choose a folder for the results." if self.output is None else ""

    def wanted(self) -> Wanted | None:
        """None where there is a `problem`."""
        if self.problem or self.output is None:
            return None
        told = self.kind.currentData()  # Qt makes a plain text of it
        return Wanted(
            tuple(self.inputs), self.output, self._library.folders, self.model.currentData(), Domain(told) if told else None,
            self.form.currentData(), self.deidentify.isChecked(), self.watch.isChecked(),
            how={name: value for name, value in wanted_of(self._settings).items() if name in _HOW}, body_model=self.body.outliner,
        )  # fmt: skip

    def add(self, paths: Sequence[Path]) -> None:
        """Takes more folders and files with scans."""
        self.inputs += [path for path in dict.fromkeys(paths) if path not in self.inputs]
        self._show_inputs()

    def lock(self, locked: bool) -> None:
        """While it runs nothing else can be wanted."""
        for part in (self.add_folder, self.add_files, self.remove, self.choose, self.model, self.form, self.kind, self.body,
                     self.watch, self.deidentify):  # fmt: skip
            part.setEnabled(not locked)
        self._follow_selection()

    def _fill(self) -> None:
        for name, words in FORMS.items():
            self.form.addItem(words, name)
        self.kind.addItem("Ask me", None)
        for domain in _KINDS:
            self.kind.addItem(domain.label, domain)
        self.kind.setToolTip("What scans are taken for that cannot say so themselves. DICOM that says otherwise is not changed.")
        self.watch.setToolTip("Goes on until it is stopped. A scan is complete when its files have not changed for ten seconds")
        for box in (self.model, self.form, self.kind):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(14)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._list_models()

    def _list_models(self) -> None:
        before = self.model.currentData()
        self.model.clear()
        self.model.addItem(_AUTOMATIC, None)
        for entry in self._library.entries:
            if entry.card is not None and not entry.card.outlines:
                self.model.addItem(f"{entry.card.name} ({entry.card.direction.label})", entry.path)
        self.model.setCurrentIndex(max(self.model.findData(before), 0))

    def _lay_out(self) -> None:
        self.list.setMaximumHeight(_LINES * self.fontMetrics().lineSpacing() + 24)
        ways = QHBoxLayout()
        for way in (self.add_folder, self.add_files, self.remove):
            ways.addWidget(way)
        ways.addStretch(1)
        ways.setSpacing(8)
        scans = QVBoxLayout()
        scans.setSpacing(6)
        scans.addWidget(self.list)
        scans.addLayout(ways)
        results = QHBoxLayout()
        results.addWidget(self.place, 1)
        results.addWidget(self.choose)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.addWidget(_at_top(naming("&Scans", self.list)), 0, 0)
        grid.addLayout(scans, 0, 1, 1, 3)
        grid.addWidget(naming("Results in", self.choose), 1, 0)
        grid.addLayout(results, 1, 1, 1, 3)
        asked = (("&Model", self.model), ("R&esults as", self.form), ("&Kind not known", self.kind), ("&Body", self.body))
        for number, (words, box) in enumerate(asked):
            row, column = 2 + number // 2, 2 * (number % 2)
            grid.addWidget(naming(words, box), row, column)
            grid.addWidget(box, row, column + 1)
        grid.addWidget(self.deidentify, 4, 1, 1, 3)
        grid.addWidget(self.watch, 5, 1, 1, 3)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(3, 2)

    def _connect(self) -> None:
        self.add_folder.clicked.connect(self._ask_folder)
        self.add_files.clicked.connect(self._ask_files)
        self.remove.clicked.connect(self._remove_selected)
        self.choose.clicked.connect(self._ask_output)
        self.list.itemSelectionChanged.connect(self._follow_selection)
        QShortcut(QKeySequence.StandardKey.Delete, self.list, self.remove.click, context=Qt.ShortcutContext.WidgetShortcut)
        self._library.changed.connect(self._list_models)
        self._follow_selection()

    def _ask_folder(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder with scans", self._settings["last_folder"])
        self.add([chosen] if chosen is not None else [])

    def _ask_files(self) -> None:
        self.add(file_choice.existing_files(self, "Scans", self._settings["last_folder"]))

    def _ask_output(self) -> None:
        start = str(self.output.parent) if self.output is not None else self._settings["last_folder"]
        chosen = file_choice.existing_folder(self, "Folder for the results", start)
        if chosen is not None:
            self.choose_output(chosen)

    def choose_output(self, folder: Path) -> None:
        """Where the results go, as a person says."""
        self._chosen_output = True
        self._set_output(folder)
        self.changed.emit()

    def _remove_selected(self) -> None:
        rows = {index.row() for index in self.list.selectedIndexes()}
        self.inputs = [path for row, path in enumerate(self.inputs) if row not in rows]
        self._show_inputs()

    def _show_inputs(self) -> None:
        self.list.clear()
        self.list.addItems([str(path) for path in self.inputs])
        if not self._chosen_output:
            first = self.inputs[0] if self.inputs else None
            self._set_output(None if first is None else first.parent / f"{_stem(first)}_translated")
        self._follow_selection()
        self.changed.emit()

    def _set_output(self, folder: Path | None) -> None:
        self.output = folder
        self.place.setText(_NONE_CHOSEN if folder is None else str(folder))

    def _follow_selection(self) -> None:
        self.remove.setEnabled(bool(self.list.selectedIndexes()) and self.add_folder.isEnabled())


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.name.partition(".")[0]


def _at_top(named: QLabel) -> QLabel:
    named.setAlignment(Qt.AlignmentFlag.AlignTop)
    return named
