from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from ctmri_core.domain import Domain
from ctmri_core.io.opening import open_volume
from ctmri_core.volume import DicomSource, Synthetic, Volume
from ctmri_gui import file_choice
from ctmri_gui.save_dialog import DICOM, FORMATS, PNG, SaveDialog
from ctmri_gui.viewer.roles import Role
from tests.gui.conftest import make_volume

WAIT = 20_000


def patient(**attributes: object) -> DicomSource:
    values = attributes or {"00100010": {"Alphabetic": "Doe^Jane"}, "00100020": "4711"}
    known = {tag: {"vr": "PN" if tag == "00100010" else "LO", "Value": [value]} for tag, value in values.items()}
    return DicomSource("1.2.3", "1.2.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.5", tuple(f"1.2.6.{k}" for k in range(10)), known)


@pytest.fixture
def source() -> Volume:
    return make_volume(dicom=patient(), frame_of_reference="1.2.5")


@pytest.fixture
def made(source) -> Volume:
    return make_volume(Domain.MR_T1, synthetic=Synthetic("m", "cd" * 32), dicom=source.dicom, frame_of_reference="1.2.5")


@pytest.fixture
def dialog(qtbot, tmp_path, source, made) -> SaveDialog:
    shown = SaveDialog({Role.SOURCE: source, Role.SYNTHETIC: made}, 7, tmp_path)
    qtbot.addWidget(shown)
    return shown


def choose(box, data: object) -> None:
    box.setCurrentIndex(box.findData(data) if isinstance(data, str) else data)


def test_any_pane_can_be_saved_and_the_synthetic_one_stands_first(dialog, source, made, tmp_path):
    assert dialog.volume is made
    assert dialog.target == tmp_path / "synthetic_mr_t1_007.nii.gz"
    choose(dialog.image, Role.SOURCE.value)
    assert dialog.volume is source
    assert dialog.target == tmp_path / "ct_007.nii.gz"
    choose(dialog.format, FORMATS.index(PNG))
    assert (dialog.target, dialog.chosen.slices) == (tmp_path / "ct_007", "png")


def test_the_word_is_burned_in_on_request_into_what_a_model_made_alone(dialog):
    assert not dialog.burned_in.isHidden() and not dialog.burned_in.isChecked() and not dialog.burn_in
    dialog.burned_in.setChecked(True)
    assert dialog.burn_in
    choose(dialog.image, Role.SOURCE.value)
    assert dialog.burned_in.isHidden() and not dialog.burn_in


def test_patient_data_go_with_what_is_filed_beside_the_scan_and_not_with_what_is_given_away(dialog):
    assert not dialog.deidentify
    assert "identifiers (UIDs) of the scan" in dialog.patient.text()  # it was made from, in the record beside it
    assert not dialog.deidentified.isHidden()
    dialog.deidentified.setChecked(True)
    assert "holds no patient data" in dialog.patient.text() and dialog.deidentify
    dialog.deidentified.setChecked(False)
    choose(dialog.image, Role.SOURCE.value)
    assert "holds no patient data" in dialog.patient.text() and dialog.deidentified.isHidden() and not dialog.deidentify
    choose(dialog.image, Role.SYNTHETIC.value)
    choose(dialog.format, FORMATS.index(DICOM))
    assert not dialog.deidentified.isHidden()
    assert not dialog.deidentify
    assert "bears the name" in dialog.patient.text()
    choose(dialog.image, Role.SOURCE.value)
    assert dialog.deidentify
    assert "left out" in dialog.patient.text()
    dialog.deidentified.setChecked(False)
    assert not dialog.deidentify


def test_a_scan_that_does_not_say_whose_it_is_gets_a_pseudonym(qtbot, tmp_path, made):
    nameless = replace(made, dicom=patient(**{"00080020": "20240101"}))
    dialog = SaveDialog({Role.SYNTHETIC: nameless}, 1, tmp_path, DICOM)
    qtbot.addWidget(dialog)
    assert dialog.deidentify
    assert not dialog.deidentified.isEnabled()
    assert "does not say whose" in dialog.patient.text()


def test_heads_carry_the_reminder_of_the_face_and_phantoms_do_not(qtbot, tmp_path, source, dialog):
    assert "face" in dialog.face.text()
    phantom = SaveDialog({Role.SOURCE: replace(source, phantom=True, dicom=None)}, 1, tmp_path, DICOM)
    qtbot.addWidget(phantom)
    assert phantom.face.isHidden()
    assert "ANONYMOUS" not in phantom.patient.text() and "no patient" in phantom.patient.text()


def test_a_name_that_tells_of_the_patient_is_warned_of(dialog, tmp_path):
    dialog.name.setText("head_of_jane")
    assert "patient's name" in dialog.warning.text()
    assert dialog.problem.text() == ""
    choose(dialog.format, FORMATS.index(DICOM))
    assert dialog.warning.isHidden()  # the series says so itself
    dialog.deidentified.setChecked(True)
    assert not dialog.warning.isHidden()
    dialog.name.setText("head")
    assert dialog.warning.isHidden()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_before_the_dialog_goes(dialog, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    dialog.folder.setText(str(folder))
    dialog.accept()
    assert dialog.result() == 0
    assert "not permitted" in dialog.problem.text()


def test_problems_of_names_and_disks_are_said_in_the_dialog(dialog, tmp_path, monkeypatch):
    dialog.accept()
    assert dialog.result() == 1
    for name, said in (("", "Give the file a name"), ("a:b", "cannot hold"), ("x" * 300, "cannot be used")):
        dialog.name.setText(name)
        assert said in dialog.problem.text()
    dialog.name.setText("x" * 245)  # the record beside it has a longer name than names may be
    dialog.setResult(0)
    dialog.accept()
    assert "too long" in dialog.problem.text()
    assert dialog.result() == 0
    dialog.name.setText("ok")
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1, 1, 100))
    dialog.name.setText("ok2")
    assert "The disk has 0 MB left" in dialog.problem.text()


def test_the_window_saves_any_pane_in_any_format(make_window, qtbot, tmp_path, source, made, monkeypatch):
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    window = make_window()
    window.session.place(source, Role.SOURCE)
    window.session.place(made, Role.SYNTHETIC)
    assert window.command["save"].isEnabled()
    for number, form in enumerate(FORMATS):
        for role in (Role.SOURCE, Role.SYNTHETIC):
            window.command["export_dicom" if form is DICOM else "save"].trigger()
            (dialog,) = window.findChildren(SaveDialog)
            choose(dialog.format, FORMATS.index(form))
            choose(dialog.image, role.value)
            dialog.folder.setText(str(tmp_path))
            dialog.name.setText(f"{role.value}_{number}")
            target, volume = dialog.target, dialog.volume
            dialog.accept()
            qtbot.waitUntil(lambda: not window.session.jobs.running and not window.findChildren(SaveDialog), timeout=WAIT)
            assert target.exists(), window.messages.texts[-1]
            again = open_volume(target)
            assert np.array_equal(again.voxels, volume.voxels), (form.name, role, window.messages.texts)
            assert again.geometry.is_close(volume.geometry, 1e-4)
            assert (again.synthetic is None) == (volume.synthetic is None)
    names = [
        pydicom.dcmread(next((tmp_path / f"{role.value}_4").glob("*.dcm"))).PatientName for role in (Role.SOURCE, Role.SYNTHETIC)
    ]
    assert "Doe" not in str(names[0])
    assert names[1] == "Doe^Jane"
    window.close()


@pytest.mark.skipif(sys.platform != "linux", reason="where Qt's settings are a file that can be looked into")
def test_choosing_files_leaves_no_path_in_the_settings_of_qt(qtbot, tmp_path, make_window):
    kept = tmp_path / "qt"
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(kept))
    other = QSettings(QSettings.Scope.UserScope, "QtProject")
    other.setValue("FileDialog/lastVisited", "file:///another/program")
    other.sync()
    secret = tmp_path / "DOE_JANE"
    secret.mkdir()
    (secret / "scan.nii").write_bytes(b"x")
    window = make_window()

    def answer(name: str) -> None:
        (dialog,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QFileDialog)]
        assert dialog.testOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setDirectory(str(secret))
        dialog.findChild(QLineEdit, "fileNameEdit").setText(str(secret / name))
        dialog.accept()
        if dialog.isVisible():
            dialog.reject()  # a choice that was not taken must not hang the test

    QTimer.singleShot(50, lambda: answer("scan.nii"))
    assert file_choice.existing_files(window, "Open scan", str(tmp_path)) == [secret / "scan.nii"]
    QTimer.singleShot(50, lambda: answer("shot.png"))
    assert file_choice.new_file(window, "Save", tmp_path / "shot.png", "PNG (*.png)") == secret / "shot.png"
    written = "".join(path.read_text() for path in kept.rglob("*") if path.is_file())
    assert "DOE_JANE" not in written
    assert "another/program" in written
    window.close()
