"""Asks where and in which format a volume is to be saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.volume import Volume
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.panels.small_parts import label

_FORBIDDEN = '<>:"/\\|?*'


@dataclass(frozen=True, slots=True)
class SaveFormat:
    """`suffix`: of the file; empty for a folder that will hold a series."""

    name: str
    suffix: str
    note: str


FORMATS = (
    SaveFormat("NIfTI (.nii.gz)", ".nii.gz", "One file; most research tools read it."),
    SaveFormat("MetaImage (.mha)", ".mha", "One file for ITK, 3D Slicer and elastix."),
    SaveFormat("NRRD (.nrrd)", ".nrrd", "One file for 3D Slicer and MITK."),
    SaveFormat("DICOM series (folder)", "", "A folder for DICOM viewers; opens beside its source, marked derived and synthetic."),
)
NIFTI, DICOM = FORMATS[0], FORMATS[-1]


class SaveDialog(QDialog):
    """Format, folder and name. `target` is the chosen path once accepted; it never lies on one of `sources`."""

    def __init__(
        self,
        volume: Volume,
        number: int,
        folder: Path,
        chosen: SaveFormat = NIFTI,
        parent: QWidget | None = None,
        *,
        sources: Sequence[Path] = (),
    ) -> None:
        super().__init__(parent)
        self._sources = tuple(sources)
        self.setWindowTitle("Save synthetic image" if volume.synthetic else "Save image")
        self.setMinimumWidth(520)
        self.format = QComboBox()
        self.format.addItems([form.name for form in FORMATS])
        self.folder = QLineEdit(str(folder))
        self.name = QLineEdit(default_name(volume, number))
        self.note = label("", "muted")
        self.problem = label("", "error")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._lay_out()
        for changed in (self.folder.textChanged, self.name.textChanged, self.format.currentIndexChanged):
            changed.connect(lambda *_: self._check())
        self.format.setCurrentIndex(FORMATS.index(chosen))
        self._check()

    @property
    def target(self) -> Path:
        """Where to write: the name gets the format's suffix when it lacks it."""
        name, suffix = self.name.text().strip(), FORMATS[self.format.currentIndex()].suffix
        if suffix and not name.lower().endswith(suffix):
            name += suffix
        return Path(self.folder.text()).expanduser() / name

    def accept(self) -> None:
        if not self._check():
            return
        if self.target.is_file() and not self.may_replace():
            return
        super().accept()

    def may_replace(self) -> bool:
        """Asks before a file is overwritten."""
        answer = QMessageBox.question(self, "Replace the file?", f"{self.target.name} exists already. Replace it?")
        return answer == QMessageBox.StandardButton.Yes

    def _lay_out(self) -> None:
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        place = QHBoxLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(browse)
        form = QFormLayout()
        form.addRow("&Format", self.format)
        form.addRow("", self.note)
        folder_label = label("F&older", wrap=False)
        folder_label.setBuddy(self.folder)
        form.addRow(folder_label, place)
        form.addRow("&Name", self.name)
        self.folder.setAccessibleName("Folder")
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(self._buttons)
        self.name.setFocus()

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder to save into", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _check(self) -> bool:
        chosen = FORMATS[self.format.currentIndex()]
        self.note.setText(chosen.note)
        problem = self._problem(chosen)
        self.problem.setText(problem)
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)
        return not problem

    def _problem(self, chosen: SaveFormat) -> str:
        name = self.name.text().strip()
        if not name:
            return "Give the file a name."
        if any(sign in name for sign in _FORBIDDEN):
            return f"A name cannot hold any of {' '.join(_FORBIDDEN)}"
        if chosen is DICOM and "." in name:
            return "Name the folder of a DICOM series without a dot."
        if not Path(self.folder.text()).expanduser().is_dir():
            return "This folder does not exist. Choose another with Browse."
        if writes_over(self.target, self._sources):
            return KEPT.format(name=self.target.name)
        if chosen is DICOM and self.target.exists() and (not self.target.is_dir() or any(self.target.iterdir())):
            return f"{self.target.name} exists already and is not empty. Choose another name."
        if chosen is not DICOM and self.target.is_dir():
            return f"{self.target.name} is a folder. Choose another name."
        return ""


def default_name(volume: Volume, number: int) -> str:
    """`synthetic_mr_t1_003`: what it is and a running number, nothing of the patient."""
    return f"{'synthetic_' if volume.synthetic else ''}{volume.domain.value}_{number:03d}"
