"""Finished pictures to be held against real ones: folders that are matched by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QWidget

from ctmri_core.domain import PICTURES, Direction
from ctmri_gui.evaluation.folder_field import FolderField
from ctmri_gui.evaluation.synthetic_folders import SyntheticFolders
from ctmri_gui.models.library import Library
from ctmri_gui.panels.small_parts import naming
from ctmri_gui.settings import Settings

_PATIENTS = (
    "A table (CSV) with the columns case, patient and, if wanted, centre: where patients have several cases, or for tables by"
    " centre. Cases are named as their files are, without words such as ct or synthetic"
)


class PictureChoice(QWidget):
    """One folder of predictions for each way of making them, one of the truths; of all else where there is any."""

    changed = Signal()

    def __init__(self, library: Library, settings: Settings) -> None:
        super().__init__()
        self.synthetic = SyntheticFolders(library, settings)
        self.truth = FolderField("the folder of real pictures", "No folder is chosen yet", settings)
        self.sources = FolderField("the folder of source pictures", "None: alignment is not checked", settings, optional=True)
        self.masks = FolderField("the folder of body masks", "None: the body is outlined here", settings, optional=True)
        words = "None: scores are not told by label"
        self.labels = FolderField("the folder of label maps of the real pictures", words, settings, optional=True)
        whose = "None: each case is a patient, but for names of BIDS (sub-NAME)"
        self.patients = FolderField("the table of patients", whose, settings, optional=True, pattern="Tables (*.csv)")
        self.patients.choose.setToolTip(_PATIENTS)
        self.direction = QComboBox()
        self._fill()
        self._lay_out()
        for field in (self.synthetic, self.truth, self.sources, self.masks, self.labels, self.patients):
            field.changed.connect(self.changed)

    @property
    def problem(self) -> str:
        """Why nothing can be begun; empty when it can."""
        if not self.synthetic.chosen:
            return "Add a folder of synthetic pictures."
        if self.truth.folder is None:
            return "Choose the folder of the real pictures."
        drawn = any(each.labels is not None for each in self.synthetic.chosen)
        return "Choose the label maps of the real pictures too." if drawn and self.labels.folder is None else ""

    @property
    def predictions(self) -> tuple[Path, ...]:
        return tuple(each.folder for each in self.synthetic.chosen)

    @property
    def made_by(self) -> tuple[Path | None, ...]:
        """Of each folder; none where no model is known."""
        return _unless_none(each.made_by for each in self.synthetic.chosen)

    @property
    def predicted_labels(self) -> tuple[Path | None, ...]:
        """Of each folder; none where there are no label maps."""
        return _unless_none(each.labels for each in self.synthetic.chosen)

    def take(self, folders: Sequence[Path]) -> None:
        """More folders of predictions."""
        self.synthetic.take(folders)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "synthetic"):
            self.synthetic.fit()

    def _fill(self) -> None:
        self.direction.addItem("As the files say", "")
        for source in PICTURES:
            for target in PICTURES:
                if source.modality != target.modality:
                    way = Direction(source, target)
                    self.direction.addItem(way.label, way.name)
        self.direction.setToolTip("What was made of what; asked only where the names of files do not say it")

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(naming("S&ynthetic", self.synthetic.list), self.synthetic)
        form.addRow(naming("Made by", self.synthetic.made_by), self.synthetic.made_by)
        form.addRow(naming("T&heir labels", self.synthetic.labels.choose), self.synthetic.labels)
        form.addRow(naming("Re&al", self.truth.choose), self.truth)
        form.addRow(naming("Sour&ces", self.sources.choose), self.sources)
        form.addRow(naming("Mas&ks", self.masks.choose), self.masks)
        form.addRow(naming("&Labels", self.labels.choose), self.labels)
        form.addRow(naming("&Patients", self.patients.choose), self.patients)
        form.addRow(naming("Dir&ection", self.direction), self.direction)


def _unless_none(found: Iterable[Path | None]) -> tuple[Path | None, ...]:
    there = tuple(found)
    return there if any(each is not None for each in there) else ()
