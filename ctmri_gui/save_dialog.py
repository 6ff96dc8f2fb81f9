"""Asks which image is to be saved, where, in which format, and whether the patient's data go with it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.domain import Domain
from ctmri_core.errors import WriteFailed
from ctmri_core.files import check_writable
from ctmri_core.io.face import face_reminder
from ctmri_core.io.provenance import sidecar_path
from ctmri_core.volume import Volume
from ctmri_gui import file_choice
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.panels.small_parts import above_one_another, fit_height, label, naming, resize_dialog, scrolling
from ctmri_gui.private_paths import identity_of
from ctmri_gui.translating.made import Beside
from ctmri_gui.translating.save_work import paths_beside
from ctmri_gui.viewer.draw_words import draw_words
from ctmri_gui.viewer.roles import Role

_FORBIDDEN = '<>:"/\\|?*'
_PATIENT_TAGS = {"00100010", "00100020"}
_BEST_COMPRESSION = 0.2  # of what a volume takes: less room than that cannot be enough
_TYPING_MS = 250

_REMOVED = (
    "Names, numbers, dates and all free text are left out: the series is built anew from what cannot identify, under a "
    "pseudonym. Text that was burned into the picture stays."
)
_KEPT_WITH = "The series bears the name and number of the patient, so that viewers file it beside the scan."
_NAMELESS = "The scan does not say whose it is, so the series gets a pseudonym."
_NONE_KNOWN = "Nothing is known of a patient here; the series is filed under ANONYMOUS."
_NOBODY = "A digital phantom: there is no patient."
_HOLDS_NONE = "This format holds no patient data: only values, their place and how they were made."
_HOLDS_IDENTIFIERS = (
    "This format holds no name; the record beside it holds the unique identifiers (UIDs) of the scan it was made from."
)
_BURN_IN_TIP = "In a corner of every slice, where nothing can be measured any more: for places where only pixels are looked at."
_NAME_TELLS = "The name or the folder seems to hold a part of the patient's name or number."


@dataclass(frozen=True, slots=True)
class SaveFormat:
    """`suffix`: of the file; empty for a folder that will hold `slices`."""

    name: str
    suffix: str
    note: str
    slices: Literal["dicom", "png"] = "dicom"


FORMATS = (
    SaveFormat("NIfTI (.nii.gz)", ".nii.gz", "One file; most research tools read it."),
    SaveFormat("MetaImage (.mha)", ".mha", "One file for ITK, 3D Slicer and elastix."),
    SaveFormat("NRRD (.nrrd)", ".nrrd", "One file for 3D Slicer and MITK."),
    SaveFormat("PNG slices (folder)", "", "A folder of 16-bit pictures; whole HU are kept exactly.", "png"),
    SaveFormat("DICOM series (folder)", "", "A folder for DICOM viewers, marked as derived, synthetic where it is."),
)
NIFTI, PNG, DICOM = FORMATS[0], FORMATS[3], FORMATS[4]


class SaveDialog(QDialog):
    """Image, format, folder and name. `target` is the chosen path once accepted; it never lies on one of `sources`.

    `volumes`: what may be saved, by pane, as it was when the dialog opened; `role`: the pane to begin with. `beside`: what else
    came of the translation; `first`: which of it to begin with.
    """

    def __init__(
        self,
        volumes: Mapping[Role, Volume],
        number: int,
        folder: Path,
        chosen: SaveFormat = NIFTI,
        parent: QWidget | None = None,
        *,
        role: Role = Role.SYNTHETIC,
        sources: Sequence[Path] = (),
        beside: Sequence[Beside] = (),
        first: str = "",
    ) -> None:
        super().__init__(parent)
        self._beside = {one.word: one for one in beside}
        self._volumes, self._number, self._sources = dict(volumes), number, tuple(sources)
        self.setWindowTitle("Save image")
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)  # not every folder on the way is a disk to be asked
        self._typing.timeout.connect(self._check)
        self._make_parts(folder, first if first in self._beside else role.value)
        self._lay_out()
        resize_dialog(self, 560, 0)
        self.format.setCurrentIndex(FORMATS.index(chosen))
        self._image_chosen()
        self.image.currentIndexChanged.connect(lambda _row: self._image_chosen())
        self.format.currentIndexChanged.connect(lambda _row: self._format_chosen())
        self.deidentified.toggled.connect(lambda _on: self._check())
        self.name.textChanged.connect(lambda _text: self._check())
        self.folder.textChanged.connect(lambda _text: self._typing.start())

    @property
    def role(self) -> Role:
        """The pane whose image, or what belongs to it, is to be saved."""
        return Role.SYNTHETIC if self._other is not None else Role(self.image.currentData())

    @property
    def volume(self) -> Volume:
        return self._volumes[self.role] if self._other is None else self._other.volume

    @property
    def _other(self) -> Beside | None:
        return self._beside.get(self.image.currentData())

    @property
    def with_it(self) -> tuple[Beside, ...]:
        """What is to be written next to it."""
        return tuple(self._beside.values()) if self._may_take_all and self.all_of_it.isChecked() else ()

    @property
    def _may_take_all(self) -> bool:
        return bool(self._beside) and self._other is None and self.role is Role.SYNTHETIC

    @property
    def chosen(self) -> SaveFormat:
        return FORMATS[self.format.currentIndex()]

    @property
    def deidentify(self) -> bool:
        """Whether the patient's data are to be left out, where there would be any."""
        return self._identifies and self.deidentified.isChecked()

    @property
    def burn_in(self) -> bool:
        """Whether the word SYNTHETIC is to stand in every slice."""
        volume = self.volume
        return volume.synthetic is not None and volume.domain is not Domain.UNKNOWN and self.burned_in.isChecked()

    @property
    def _identifies(self) -> bool:
        """Whether what is written would tell whose it is: by name, or by the identifiers of the scan."""
        known = self.volume.dicom is not None
        return known and (self.chosen is DICOM or self.volume.synthetic is not None)

    @property
    def target(self) -> Path:
        """Where to write: the name gets the format's suffix when it lacks it."""
        name, suffix = self.name.text().strip(), self.chosen.suffix
        if suffix and not name.lower().endswith(suffix):
            name += suffix
        return Path(self.folder.text()).expanduser() / name

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_soon()

    def accept(self) -> None:
        """Asks the disk before the dialog goes away, and the user before a file is replaced."""
        if not self._check():
            return
        try:
            check_writable(self.target)
            if self.chosen.suffix:
                check_writable(sidecar_path(self.target))
        except WriteFailed as error:
            self._say_problem(str(error))
            return
        written = (self.target, *paths_beside(self.target, self.with_it))
        if any(path.is_file() and not self.may_replace(path) for path in written):
            return
        super().accept()

    def may_replace(self, path: Path) -> bool:
        """Asks before a file is overwritten."""
        answer = QMessageBox.question(self, "Replace the file?", f"{path.name} exists already. Replace it?")
        return answer == QMessageBox.StandardButton.Yes

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self, folder: Path, first: str) -> None:
        self.image = QComboBox()
        for each, volume in self._volumes.items():
            self.image.addItem(f"{each.label}: {volume.label}", each.value)
        for word, other in self._beside.items():
            self.image.addItem(f"{Role.SYNTHETIC.label}: {other.label}", word)
        self.image.setCurrentIndex(max(self.image.findData(first), 0))
        self.format = QComboBox()
        self.format.addItems([form.name for form in FORMATS])
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName("Folder")
        self.name = QLineEdit()
        self.deidentified = QCheckBox("Remove patient data (de-identify)")
        self.all_of_it = QCheckBox("Its maps and draws beside it")
        self.all_of_it.setToolTip("Files of the same name with _uncertainty, _cycle, _draw1 ... behind it")
        self.burned_in = QCheckBox("Burn in the word SYNTHETIC")
        self.burned_in.setToolTip(_BURN_IN_TIP)
        self.note, self.patient = label("", "muted"), label("", "muted")
        self.face, self.warning, self.problem = label("", "warning"), label("", "warning"), label("", "error")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setProperty("primary", True)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        browse = QPushButton("&Browse…")
        browse.clicked.connect(self._browse)
        place = QHBoxLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(browse)
        inside = QWidget()
        form = QFormLayout(inside)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow(naming("&Image", self.image), above_one_another(self.image, self.all_of_it))
        form.addRow(naming("&Format", self.format), above_one_another(self.format, self.note, self.burned_in))
        form.addRow(naming("F&older", self.folder), place)
        form.addRow("&Name", self.name)
        form.addRow("Patient", above_one_another(self.deidentified, self.patient, self.face, self.warning))
        self._area = scrolling(inside, "What is saved, and where")
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(self._area, 1)
        column.addWidget(self.problem)
        column.addWidget(self._buttons)
        self.name.setFocus()

    def _browse(self) -> None:
        chosen = file_choice.existing_folder(self, "Folder to save into", self.folder.text())
        if chosen is not None:
            self.folder.setText(str(chosen))

    # Following what is chosen -----------------------------------------------------------------------------------------

    def _image_chosen(self) -> None:
        """An acquired scan is exported to be given away; its own files stay where it is at home. What a model made of it belongs
        beside it.
        """
        volume = self.volume
        is_map = self._other is not None and self._other.is_map
        self.name.setText(default_name(self._volumes[self.role], self._number, self._other.word if self._other else ""))
        self.all_of_it.setVisible(self._may_take_all)
        self._offer_formats(files_only=is_map)
        nameless = volume.dicom is not None and not _PATIENT_TAGS & volume.dicom.patient_and_study.keys()
        self.deidentified.setChecked(volume.synthetic is None or nameless)
        self.deidentified.setEnabled(not nameless)
        reminder = face_reminder(volume)
        self.face.setText(reminder)
        self.face.setVisible(bool(reminder))
        self._format_chosen()

    def _offer_formats(self, *, files_only: bool) -> None:
        """A map is neither CT nor MR, and has a unit: formats of slices have no place for it."""
        model = self.format.model()
        assert isinstance(model, QStandardItemModel)
        for row, form in enumerate(FORMATS):
            model.item(row).setEnabled(bool(form.suffix) or not files_only)
        if files_only and not self.chosen.suffix:
            self.format.setCurrentIndex(FORMATS.index(NIFTI))

    def _format_chosen(self) -> None:
        self.note.setText(self.chosen.note)
        self.deidentified.setVisible(self._identifies)
        self.burned_in.setVisible(self.volume.synthetic is not None and self.volume.domain is not Domain.UNKNOWN)
        self._check()

    def _check(self) -> bool:
        self.patient.setText(self._about_patient())
        warning = _NAME_TELLS if self._name_tells() else ""
        self.warning.setText(warning)
        self.warning.setVisible(bool(warning))
        problem = self._problem()
        self._say_problem(problem)
        return not problem

    def _say_problem(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)
        self._fit_soon()

    def _fit_soon(self) -> None:
        """Once all within has taken its new size."""
        QTimer.singleShot(0, self, lambda: fit_height(self, self._area))

    def _about_patient(self) -> str:
        if self.chosen is not DICOM:
            return _HOLDS_IDENTIFIERS if self._identifies and not self.deidentify else _HOLDS_NONE
        if self.volume.dicom is None:
            return _NOBODY if self.volume.phantom else _NONE_KNOWN
        if not self.deidentified.isEnabled():
            return f"{_NAMELESS} {_REMOVED}"
        return _REMOVED if self.deidentified.isChecked() else _KEPT_WITH

    def _name_tells(self) -> bool:
        """Whether name or folder repeat what the patient is called; no matter beside a series that says so itself."""
        dicom = self.volume.dicom
        if dicom is None or (self.chosen is DICOM and not self.deidentify):
            return False
        identity = identity_of(dicom)
        return any(identity.is_in(part) for part in self.target.parts[-2:])

    def _problem(self) -> str:
        name, folder = self.name.text().strip(), Path(self.folder.text()).expanduser()
        if not name:
            return "Give the file a name."
        if any(sign in name for sign in _FORBIDDEN):
            return f"A name cannot hold any of {' '.join(_FORBIDDEN)}"
        if not self.chosen.suffix and "." in name:
            return "Name the folder of a series of slices without a dot."
        try:
            return self._problem_on_disk(folder)
        except (OSError, ValueError):  # a name that is too long or holds what no name may
            return "This name or folder cannot be used. Choose another."

    def _problem_on_disk(self, folder: Path) -> str:
        if not folder.is_dir():
            return "This folder does not exist. Choose another with Browse."
        if writes_over(self.target, self._sources):
            return KEPT.format(name=self.target.name)
        if not self.chosen.suffix and self.target.exists() and (not self.target.is_dir() or any(self.target.iterdir())):
            return f"{self.target.name} exists already and is not empty. Choose another name."
        if self.chosen.suffix and self.target.is_dir():
            return f"{self.target.name} is a folder. Choose another name."
        free, needed = shutil.disk_usage(folder).free, self.volume.voxels.nbytes
        if free < needed * _BEST_COMPRESSION:
            return f"The disk has {free / 2**20:.0f} MB left; the image takes up to {needed / 2**20:.0f} MB. Choose another disk."
        return ""


def default_name(volume: Volume, number: int, word: str = "") -> str:
    """`synthetic_mr_t1_003`: what it is and a running number, nothing of the patient; `word`: of what belongs to it."""
    word = word or draw_words(volume).partition(" of ")[0].lower().replace(" ", "")
    name = f"{'synthetic_' if volume.synthetic else ''}{volume.domain.value}_{number:03d}"
    return f"{name}_{word}" if word else name
