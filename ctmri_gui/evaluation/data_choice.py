"""The patients that models are evaluated on: prepared data, a collection of scans, or digital heads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QPushButton, QSizePolicy, QSpinBox, QWidget

from ctmri_gui import file_choice
from ctmri_gui.evaluation.evaluation_work import PREPARED_INDEX, KnownData
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.settings import Settings

HEADS = "phantom:6:1000"  # seeds far from those that models learn from
_NONE, _HEADS = "Choose data …", "Digital heads, 6 made on the spot"
_SIDES = (
    ("test", "Test: kept for the end"), ("validation", "Validation: chose the best model"), ("train", "Training: learnt from"),
    ("all", "All patients"),
)  # fmt: skip
_SAID = {
    "test": "", "all": "Models may have learnt from some of them: such cases are told and left out of means.",
    "validation": "Models were chosen by these patients, so that scores flatter a little.",
    "train": "Models learnt from these patients: scores say how well they remember, not how well they translate.",
}  # fmt: skip


class DataChoice(QWidget):
    """`spec`: as `EvaluationOrder.data`. The share for the test is asked of data that are not split yet."""

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._known: tuple[KnownData, ...] = ()
        self._added: list[str] = []
        self._heads, self._name_of_heads = False, _HEADS
        self.data, self.choose = QComboBox(), QPushButton("&Choose folder…")
        self.data.setToolTip("Data that were prepared or used before, or digital heads that are made on the spot")
        self.data.setAccessibleName("Data")
        self.data.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.data.setMinimumContentsLength(16)
        self.data.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.choose.setToolTip("Prepared data, or a folder of patients with CT and MR in a known layout; or drop it here")
        self.side, self.share = QComboBox(), QSpinBox()
        for name, words in _SIDES:
            self.side.addItem(words, name)
        self.share.setRange(5, 95)
        self.share.setValue(20)
        self.share.setSuffix(" %")
        self.share.setToolTip("Of a collection that says no sides itself: so many patients are the test, the same ones each time")
        self.said = label("", "warning")
        self._lay_out()
        self.choose.clicked.connect(self._ask)
        self.data.currentIndexChanged.connect(lambda _row: self._follow())
        self.side.currentIndexChanged.connect(lambda _row: self._follow())
        self._list()

    @property
    def spec(self) -> str:
        return str(self.data.currentData() or "")

    @property
    def problem(self) -> str:
        return "" if self.spec else "Choose the data to evaluate on."

    def take(self, spec: str) -> None:
        """Chooses data."""
        if self.data.findData(spec) < 0:
            self._added.append(spec)
            self._list()
        self.data.setCurrentIndex(self.data.findData(spec))

    def name_heads(self, words: str) -> None:
        """What the digital heads are called, where other numbers of them are made."""
        self._name_of_heads = words
        self._list()

    def offer(self, known: Sequence[KnownData]) -> None:
        """What was prepared before."""
        self._known = tuple(known)
        self._list()

    def _list(self) -> None:
        before = self.spec
        recent = [spec for spec in self._settings["training_recent"] if not spec.startswith("phantom:")]
        entries = {each.spec: each.words for each in self._known}
        entries |= {spec: spec for spec in (*recent, *self._added) if spec not in entries}
        self.data.blockSignals(True)
        self.data.clear()
        self.data.addItem(_NONE, "")
        for spec, words in entries.items():
            self.data.addItem(words, spec)
            self.data.setItemData(self.data.count() - 1, spec, 3)  # tool tip
        self.data.addItem(self._name_of_heads, HEADS)
        self.data.setCurrentIndex(max(self.data.findData(before), 0))
        self.data.blockSignals(False)
        self._follow()

    def _ask(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder of data", self._settings["last_folder"])
        if chosen is not None:
            self.take(str(chosen))

    def _lay_out(self) -> None:
        data, side = QHBoxLayout(), QHBoxLayout()
        data.addWidget(self.data, 1)
        data.addWidget(self.choose)
        side.addWidget(self.side, 1)
        self._share_name = naming("T&est share", self.share)
        side.addWidget(self._share_name)
        side.addWidget(self.share)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(naming("&Data", self.data), data)
        form.addRow(naming("&Patients", self.side), side)
        form.addRow(self.said)

    def _follow(self) -> None:
        heads = self.spec == HEADS
        if heads and not self._heads:
            self.side.setCurrentIndex(self.side.findData("all"))  # nobody learnt from these
        self._heads = heads
        split = bool(self.spec) and self.spec not in {each.spec for each in self._known} and not _is_prepared(self.spec)
        for part in (self._share_name, self.share):
            part.setVisible(split and self.side.currentData() != "all")
        self.said.setText(_SAID[self.side.currentData()])
        self.said.setVisible(bool(self.said.text()))
        self.data.setToolTip(self.spec if self.spec else "Choose data that were prepared or used before")
        self.changed.emit()


def _is_prepared(spec: str) -> bool:
    return not spec.startswith("phantom:") and (Path(spec) / PREPARED_INDEX).is_file()
