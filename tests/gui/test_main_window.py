"""The real window, driven as a person would: drop, wait, look, save, close."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from importlib.metadata import requires
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox, QPushButton, QToolButton

from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import OutOfMemory
from ctmri_core.events import Progress, Started
from ctmri_core.geometry import Geometry
from ctmri_core.io.series import Series
from ctmri_core.volume import DicomSource, Synthetic, Volume
from ctmri_gui.about import AboutDialog
from ctmri_gui.jobs import translate_work, work
from ctmri_gui.main_window import TITLE
from ctmri_gui.open_files import writes_over
from ctmri_gui.panels.kind_choice import KindChoice
from ctmri_gui.placement import choose_at_once, place_for, same_patient, source_first
from ctmri_gui.save_dialog import DICOM, FORMATS, SaveDialog
from ctmri_gui.shortcuts.sheet import KeysSheet
from ctmri_gui.theme import icon
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.roles import MAIN, Role
from tests.gui.conftest import head_voxels, make_volume, write_model

WAIT = 20_000


def made_volume(**more) -> Volume:
    return make_volume(Domain.MR_T1, synthetic=Synthetic("m", "cd" * 32), **more)


def drop(widget, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, key = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    widget.dropEvent(QDropEvent(QPointF(9, 9), action, data, button, key))


class Translator:
    """Stands in for the networks: slice by slice, held back until `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.asked: list[tuple[Volume, Path]] = []
        self.error: Exception | None = None
        self.deaf = False  # does not hear that it is to stop

    def __call__(self, volume: Volume, model: Path, wanted, body, stop, **_more):
        self.asked.append((volume, model))
        count = volume.geometry.shape[0]
        yield Started(job="translate", total=count, unit="slices")
        for done in range(1, count + 1):
            while not self.go.wait(0.002) and (self.deaf or not stop()):
                pass
            if stop() and not self.deaf:
                return None
            if self.error is not None:
                raise self.error
            yield Progress(done=done, total=count, unit="slices", rate=5.0, seconds_left=1.0)
        made = Synthetic("Test model", "ab" * 32)
        return Made(replace(volume, voxels=volume.voxels.astype(np.float32), domain=Domain.MR_T1, synthetic=made))


@pytest.fixture
def translator(monkeypatch) -> Translator:
    made = Translator()
    monkeypatch.setattr(translate_work, "translate", made)
    monkeypatch.setattr(work, "compare", lambda *_: iter(()))
    return made


def wait_for(qtbot, window, role: Role) -> Volume:
    qtbot.waitUntil(lambda: window.session.volumes[role] is not None, timeout=WAIT)
    return window.session.volumes[role]


def test_an_empty_window_explains_itself_and_names_nothing(make_window, tmp_path):
    window = make_window()
    assert window.pages.currentWidget() is window.welcome
    assert window.windowTitle() == TITLE
    assert not window.command["translate"].isEnabled()
    assert not window.command["save"].isEnabled()
    assert "Open a scan first" in window.translation.reason.text()


def test_a_nifti_given_at_the_start_is_shown(make_window, qtbot, ct_file):
    window = make_window(ct_file)
    volume = wait_for(qtbot, window, Role.SOURCE)
    assert volume.domain is Domain.CT
    assert np.array_equal(volume.voxels, head_voxels())
    assert window.pages.currentWidget() is window.views
    assert not window.grab().toImage().isNull()
    assert window.windowTitle() == TITLE
    assert window.messages.texts == ()


def test_a_dropped_ct_is_translated_and_an_mr_beside_it_becomes_the_truth(make_window, qtbot, ct_file, tmp_path, translator):
    model = write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    drop(window, ct_file)
    synthetic = wait_for(qtbot, window, Role.SYNTHETIC)
    assert synthetic.synthetic is not None
    assert translator.asked[0][1] == model
    assert "unverified" in window.translation.standing.text().lower()
    mr = tmp_path / "mr.nii.gz"
    data = np.random.default_rng(0).integers(0, 900, (28, 24, 10)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(data, np.diag([-2.0, -2.0, 3.0, 1.0])), mr)
    drop(window, mr)
    truth = wait_for(qtbot, window, Role.TRUTH)
    assert truth.domain.is_mr
    assert window.session.volumes[Role.SOURCE].domain is Domain.CT
    assert len(translator.asked) == 1


def test_a_new_source_clears_what_belonged_to_the_old_one_unless_it_is_the_same_patient(make_window, translator):
    window = make_window()
    session = window.session
    frame = {"frame_of_reference": "1.2.3"}
    session.place(make_volume(Domain.MR_T1), Role.TRUTH)
    session.place(make_volume(**frame), Role.SOURCE)
    assert session.volumes[Role.TRUTH] is not None  # it waited for its source
    session.place(made_volume(), Role.SYNTHETIC)
    session.place(make_volume(**frame), Role.SOURCE)
    assert session.volumes[Role.SYNTHETIC] is None
    assert session.volumes[Role.TRUTH] is not None
    assert window.messages.texts == ()
    session.place(make_volume(), Role.SOURCE)  # a NIfTI says nothing of the patient
    assert session.volumes[Role.TRUTH] is None
    assert "ground truth was taken off" in window.messages.texts[0]
    session.close_case()
    assert window.pages.currentWidget() is window.welcome


def test_only_a_marked_volume_lies_on_the_synthetic_pane(make_window):
    window = make_window()
    session = window.session
    session.place(make_volume(), Role.SOURCE)
    real, made = make_volume(Domain.MR_T1), made_volume()
    session.place(real, Role.SYNTHETIC)
    assert session.volumes[Role.SYNTHETIC] is None
    assert session.volumes[Role.TRUTH] is real
    assert "shown as ground truth and not as synthetic" in window.messages.texts[0]
    session.place(made, Role.SYNTHETIC)
    assert session.volumes[Role.SYNTHETIC] is made
    assert any("unverified" in finding.message for finding in session.warnings(Role.SYNTHETIC))


def test_a_synthetic_volume_from_a_file_is_kept_and_has_no_source_here(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    session = window.session
    translator.go.clear()
    translator.deaf = True
    session.place(make_volume(), Role.SOURCE)
    qtbot.waitUntil(lambda: translator.asked != [], timeout=WAIT)
    from_file = made_volume()
    session.place(from_file, Role.SYNTHETIC)
    translator.go.set()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    assert session.volumes[Role.SYNTHETIC] is from_file
    assert session.synthetic_source is None
    session.translate()
    qtbot.waitUntil(lambda: session.volumes[Role.SYNTHETIC] is not from_file, timeout=WAIT)
    assert session.synthetic_source is session.volumes[Role.SOURCE]


def test_the_save_dialog_keeps_what_was_shown_when_it_opened(make_window, qtbot, tmp_path, translator, monkeypatch):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    session = window.session
    saved = []

    def save(*arguments):
        saved.append(arguments[:3])
        yield Progress(done=0)
        return arguments[1]

    monkeypatch.setattr("ctmri_gui.session.save_with", save)
    session.place(make_volume(), Role.SOURCE)
    synthetic, source = wait_for(qtbot, window, Role.SYNTHETIC), session.volumes[Role.SOURCE]
    for change in (lambda: None, lambda: session.place(made_volume(), Role.SYNTHETIC)):
        window.command["export_dicom"].trigger()
        (dialog,) = window.findChildren(SaveDialog)
        dialog.folder.setText(str(tmp_path))
        change()
        dialog.accept()
        qtbot.waitUntil(lambda: not session.jobs.running and not window.findChildren(SaveDialog), timeout=WAIT)
    assert [(entry[0], entry[2]) for entry in saved] == [(synthetic, source)] * 2
    window.command["save"].trigger()
    (dialog,) = window.findChildren(SaveDialog)
    dialog.folder.setText(str(tmp_path))
    dialog.accept()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    assert saved[-1][2] is None  # read from a file: nobody knows whose scan it was made from


def test_correcting_a_kind_keeps_the_truth_and_takes_nobodys_focus(make_window, qtbot, monkeypatch):
    looked, look_at = [], work.look_at

    def noting(volume, stop):
        looked.append((volume, threading.current_thread() is threading.main_thread()))
        return (yield from look_at(volume, stop))

    monkeypatch.setattr(work, "look_at", noting)
    window = make_window()
    session = window.session
    truth, made = make_volume(Domain.MR_T1), made_volume()
    session.place(make_volume(Domain.UNKNOWN), Role.SOURCE)
    session.place(truth, Role.TRUTH)
    session.place(made, Role.SYNTHETIC)
    window.translation.list.setFocus()
    focus = window.focusWidget()
    session.set_domain(Role.SOURCE, Domain.MR)
    session.set_domain(Role.SOURCE, Domain.CT)
    qtbot.waitUntil(lambda: session.volumes[Role.SOURCE].domain is Domain.CT, timeout=WAIT)
    assert len(session.volumes[Role.SOURCE].history) == 1
    assert looked[-1] == (session.volumes[Role.SOURCE], False)  # known before it is shown, and not on the interface's thread
    assert session.volumes[Role.TRUTH] is truth
    assert session.volumes[Role.SYNTHETIC] is made  # from a file: not made from what was corrected
    assert window.focusWidget() is focus


@pytest.mark.qt_log_ignore("This plugin does not support")  # popups of a test without a screen
def test_a_kind_changes_only_by_a_choice_from_the_open_list(qtbot):
    choice, chosen = KindChoice(Domain.CT), []
    qtbot.addWidget(choice)
    choice.chosen.connect(chosen.append)
    choice.show()
    at, no_point = QPointF(5, 5), QPoint()
    turn = QWheelEvent(at, at, no_point, QPoint(0, -120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
                       Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(choice, turn)
    assert not turn.isAccepted()  # the panel scrolls instead
    for key in (Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_T):
        qtbot.keyClick(choice, key)
        assert choice.view().isVisible()
        choice.hidePopup()
    assert chosen == []
    assert choice.currentText() == "CT"
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    qtbot.keyClick(choice.view(), Qt.Key.Key_Down)
    qtbot.keyClick(choice.view(), Qt.Key.Key_Return)
    assert chosen == [Domain.MR]


def test_volumes_opened_together_take_their_places_whatever_their_kind(make_window):
    window = make_window()
    session = window.session
    session.place(make_volume(), Role.SOURCE)
    session.place(make_volume(Domain.MR_T1), Role.TRUTH)
    first, second, made = make_volume(Domain.UNKNOWN), make_volume(Domain.UNKNOWN), made_volume()
    session.place_together([made, first, second])
    assert [session.volumes[role] for role in MAIN] == [first, made, second]
    assert window.messages.texts == ()
    session.place_together([first, second])
    assert [session.volumes[role] for role in MAIN] == [first, None, second]


def structured_head(domain: Domain, **more) -> Volume:
    """A head with enough inside to tell whether two of them lie on each other."""
    shape = (40, 60, 56)
    rng = np.random.default_rng(3)
    inside = np.kron(rng.integers(0, 4, (5, 6, 7)), np.ones((8, 10, 8), int)) * 30
    voxels = head_voxels(shape)
    voxels = np.where(voxels > -500, voxels + inside, -1000)
    if domain.is_mr:
        voxels = np.select([voxels > 800, voxels > -500], [60, 900 - 3 * voxels], 0)
    return make_volume(domain, shape, voxels=voxels.astype(np.int16), **more)


def test_metrics_follow_the_slice_where_they_mean_something_and_else_say_why_not(make_window, qtbot):
    window = make_window()
    session, dock = window.session, window.metrics
    session.place(structured_head(Domain.CT), Role.SOURCE)
    session.place(structured_head(Domain.MR_T1, synthetic=Synthetic("Test model", "ab" * 32)), Role.SYNTHETIC)
    session.place(structured_head(Domain.MR_T2), Role.TRUTH)
    qtbot.waitUntil(lambda: dock._reason.text().startswith("T2 MR is not the target of a T1 MR model. Alignment: "), timeout=WAIT)
    session.place(structured_head(Domain.MR_T1), Role.TRUTH)
    qtbot.waitUntil(lambda: dock._values["SSIM"].text() == "1.000", timeout=WAIT)
    assert "SSIM uniform 7" in dock._convention.text()
    assert f"Slice {window.views.slice + 1}" in dock._title.text()
    k = window.views.slice
    window.views.set_linked(Role.TRUTH, False)
    window.views.model.set_slice(k + 3, Role.TRUTH)
    assert "different slices" in dock._reason.text()
    assert dock._numbers.isHidden()
    qtbot.wait(100)  # an answer on its way must not come through
    assert dock._numbers.isHidden()
    window.views.set_slice(k + 3)  # the others come to where the truth is
    qtbot.waitUntil(lambda: f"Slice {k + 4}" in dock._title.text(), timeout=WAIT)
    window.views.set_linked(Role.TRUTH, True)
    window.views.set_slice(0)
    qtbot.waitUntil(lambda: "No numbers for this slice" in dock._reason.text(), timeout=WAIT)
    assert dock._numbers.isHidden()


def test_an_answer_to_an_old_question_is_dropped(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    session = window.session
    translator.go.clear()
    translator.deaf = True
    session.place(make_volume(), Role.SOURCE)
    first = session.translation.state
    qtbot.waitUntil(lambda: len(translator.asked) == 1, timeout=WAIT)
    session.place(make_volume(shape=(6, 24, 28)), Role.SOURCE)
    assert first.stopping
    translator.go.set()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    assert first.end.reason == "completed"  # it did answer
    synthetic = session.volumes[Role.SYNTHETIC]
    assert synthetic.geometry.shape == (6, 24, 28)
    assert session.volumes[Role.SYNTHETIC] is synthetic
    assert len(translator.asked) == 2


def test_cancel_is_shown_at_once_and_leaves_no_result(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    translator.go.clear()
    window.session.place(make_volume(), Role.SOURCE)
    assert window.command["cancel"].isEnabled()
    assert not window.translation.bar.isHidden()
    says = window.views.panes[Role.SYNTHETIC].canvas.annotations.empty
    assert "Translating" in str(says)
    window.command["cancel"].trigger()
    assert window.translation.progress.text() == "cancelling"
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert window.session.volumes[Role.SYNTHETIC] is None
    assert window.translation.bar.isHidden()
    assert window.command["translate"].isEnabled()
    assert window.messages.texts == ()


def test_a_failure_is_a_sentence_and_the_program_goes_on(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    translator.error = OutOfMemory("The volume does not fit the device's memory. Choose the processor in Settings.")
    window.session.place(make_volume(), Role.SOURCE)
    qtbot.waitUntil(lambda: window.messages.texts != (), timeout=WAIT)
    assert window.messages.texts == (str(translator.error),)
    translator.error = None
    window.command["translate"].trigger()
    wait_for(qtbot, window, Role.SYNTHETIC)


def test_a_scan_that_no_model_takes_is_refused_in_words_and_its_kind_can_be_corrected(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors", "mr_t1_to_ct")
    window = make_window(translate=True)
    window.session.place(make_volume(Domain.CT), Role.SOURCE)
    assert "takes T1 MR; this scan is CT" in window.translation.reason.text()
    assert not window.command["translate"].isEnabled()
    window.session.set_domain(Role.SOURCE, Domain.MR_T1)
    wait_for(qtbot, window, Role.SYNTHETIC)


def test_models_are_listed_with_what_they_are_and_broken_ones_with_their_problem(make_window, qtbot, tmp_path):
    folder = tmp_path / "models"
    write_model(folder / "a.safetensors", "mr_t1_to_ct", "From MR")
    write_model(folder / "b.safetensors", "ct_to_mr_t1", "From CT")
    write_model(folder / "aa.safetensors", "ct_to_mr_t1", "Demonstration", demo=True)
    (folder / "c.safetensors").write_bytes(b"PK\x03\x04 not a model")
    window = make_window()
    models = window.translation.models
    rows = [models.index(row).data() for row in range(models.rowCount())]
    assert rows[0] == "From MR\nT1 MR → CT · head · unverified"
    assert rows[1] == "Demonstration\nCT → T1 MR · head · demonstration"
    assert rows[3].startswith("c.safetensors\ncannot be used")
    assert "pickled" in models.index(3).data(Qt.ItemDataRole.ToolTipRole)
    window.session.place(make_volume(), Role.SOURCE)
    assert window.session.library.chosen.card.name == "From CT"  # one that fits is chosen, a demonstration last
    window.translation.list.setCurrentIndex(models.index(0))
    assert window.session.library.chosen.card.name == "From MR"


def test_a_dropped_model_file_is_checked_copied_and_chosen(make_window, qtbot, tmp_path):
    window = make_window()
    drop(window, write_model(tmp_path / "elsewhere" / "new.safetensors", name="New"))
    qtbot.waitUntil(lambda: window.session.library.chosen is not None, timeout=WAIT)
    assert window.session.library.chosen.path == tmp_path / "models" / "new.safetensors"
    assert any("unverified" in text for text in window.messages.texts)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"\x80\x04.")
    drop(window, bad)
    qtbot.waitUntil(lambda: any("bad.safetensors" in text for text in window.messages.texts), timeout=WAIT)
    assert not (tmp_path / "models" / "bad.safetensors").exists()


def test_models_of_several_runs_have_one_file_name_and_are_kept_beside_each_other(make_window, qtbot, tmp_path):
    window = make_window()
    models, rows = window.translation.models, []
    for number, direction in enumerate(("ct_to_mr_t1", "ct_to_mr_t2", "ct_to_mr_t2"), 1):  # the last one comes twice
        run = write_model(tmp_path / f"run {number}" / "models" / "cut.safetensors", direction, "CUT")
        drop(window, run)
        wanted = run.read_bytes()
        qtbot.waitUntil(lambda wanted=wanted: _chosen_content(window) == wanted, timeout=WAIT)
        rows = [models.index(row).data().splitlines()[0] for row in range(models.rowCount())]
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["cut-abababababab.safetensors", "cut.safetensors"]
    assert rows == ["CUT (cut-abababababab)", "CUT (cut)"]


def _chosen_content(window) -> bytes:
    chosen = window.session.library.chosen
    return chosen.path.read_bytes() if chosen is not None else b""


def test_a_bad_path_is_a_message_and_the_next_one_opens(make_window, qtbot, ct_file, tmp_path):
    window = make_window()
    broken = tmp_path / "JANE_DOE" / "broken.nii"
    broken.parent.mkdir()
    broken.write_bytes(b"\0" * 400)
    drop(window, broken)
    drop(window, ct_file)
    wait_for(qtbot, window, Role.SOURCE)
    (text,) = window.messages.texts
    assert "broken.nii" in text
    assert "JANE" not in text


def test_recent_files_show_no_folders(make_window, qtbot, ct_file):
    window = make_window(ct_file)
    wait_for(qtbot, window, Role.SOURCE)
    window.recent.aboutToShow.emit()
    entry, forget = (action.text() for action in window.recent.actions() if action.text())
    assert entry.startswith("CT, opened ")
    assert forget == "&Forget recent scans"
    window.command["forget_recent"].trigger()
    assert window.settings.recent == ()
    assert window.settings["last_folder"] == ""
    assert ct_file.name not in window.settings.path.read_text()


def test_what_is_done_last_wins_over_what_was_still_being_opened(make_window, qtbot, ct_file, translator, monkeypatch):
    window = make_window()
    session = window.session
    ready = threading.Event()
    head = (make_volume(shape=(6, 24, 28)), make_volume(Domain.MR_T1, shape=(6, 24, 28)))

    def make_demo_case(_stop):
        yield Progress(done=0)
        ready.wait(100)
        return head  # without looking whether it is still wanted

    def load_series(_chosen, _stop, show):
        yield Progress(done=0)
        ready.wait(100)
        return (make_volume(),)

    monkeypatch.setattr(work, "make_demo_case", make_demo_case)
    session.open_demo()
    session.open_paths([ct_file])
    ready.set()
    assert wait_for(qtbot, window, Role.SOURCE).path == ct_file
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    assert session.volumes[Role.SOURCE].path == ct_file
    monkeypatch.setattr(work, "load_series", load_series)
    for end, expected in ((session.close_all_cases, None), (session.open_demo, head[0])):
        ready.clear()
        session.open_paths([ct_file])
        session.open_paths([ct_file])
        qtbot.waitUntil(lambda: any(state.title == "Open scan" for state in session.jobs.running), timeout=WAIT)
        end()
        ready.set()
        qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
        assert session.volumes[Role.SOURCE] is expected
    session.open_demo()
    assert window.command["close_all_cases"].isEnabled()
    session.close_all_cases()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=WAIT)
    assert set(session.volumes.values()) == {None}


def test_closing_drops_what_waits_to_be_opened(make_window, qtbot, ct_file):
    window = make_window()
    for _ in range(3):
        window.session.open_paths([ct_file])
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert window.session.jobs.rowCount() == 1  # the other two were never begun
    assert window.session.volumes[Role.SOURCE] is None


def test_closing_during_work_ends_it_cleanly_and_keeps_the_settings(make_window, qtbot, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    translator.go.clear()
    window.session.place(make_volume(), Role.SOURCE)
    assert window.session.jobs.running
    assert not window.close()
    assert window.isVisible()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)
    assert window.session.jobs.running == ()
    assert window.settings.path.is_file()
    assert window.settings["window_geometry"]


def test_saving_writes_the_file_and_says_so(make_window, qtbot, tmp_path):
    window = make_window()
    window.session.place(make_volume(), Role.SOURCE)
    window.session.place(make_volume(Domain.MR_T1, synthetic=Synthetic("Test model", "ab" * 32)), Role.SYNTHETIC)
    window.session.save(window.session.volumes[Role.SYNTHETIC], tmp_path / "out.nii.gz")
    qtbot.waitUntil(lambda: f"Saved out.nii.gz in {tmp_path}." in window.messages.texts, timeout=WAIT)
    (tmp_path / "out.nii.gz").write_bytes(b"older")  # the dialog has asked whether it may go
    window.messages.clear()
    window.session.save(window.session.volumes[Role.SYNTHETIC], tmp_path / "out.nii.gz")
    qtbot.waitUntil(lambda: f"Saved out.nii.gz in {tmp_path}." in window.messages.texts, timeout=WAIT)
    written = nibabel.load(tmp_path / "out.nii.gz")
    assert np.allclose(np.asarray(written.dataobj).transpose(2, 1, 0), head_voxels())


def test_after_saving_a_button_leads_to_the_folder_whose_name_is_shown_unless_it_tells_of_the_patient(
    make_window, qtbot, tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(Path(url.toLocalFile())))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    window = make_window()
    window.session.place(make_volume(), Role.SOURCE)
    for name in ("exports", "Doe_Jane_1962"):
        (tmp_path / name).mkdir()
        window.session.save(window.session.volumes[Role.SOURCE], tmp_path / name / f"{name[:3]}.nrrd")
        qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
    assert window.messages.texts == ("Saved exp.nrrd in ~/exports.", "Saved Doe.nrrd in the folder that you chose.")
    for button in window.messages.findChildren(QPushButton):
        button.click()
    assert set(opened) == {tmp_path / "exports", tmp_path / "Doe_Jane_1962"}


def test_a_model_that_is_listed_late_is_no_longer_called_unverified(make_window, monkeypatch):
    window = make_window()
    window.session.place(make_volume(Domain.MR_T1, synthetic=Synthetic("Late", "ab" * 32)), Role.SYNTHETIC)
    shown = next(role for role, volume in window.session.volumes.items() if volume is not None)
    assert "unverified" in window.views.panes[shown].banner.toolTip()
    monkeypatch.setattr(window.session.library, "vouches_for", lambda _made: True)
    window.session.library.changed.emit()
    assert window.views.panes[shown].banner.toolTip() == ""


def test_the_save_dialog_offers_a_name_without_a_patient_and_asks_before_replacing(qtbot, tmp_path, monkeypatch):
    volume = make_volume(Domain.MR_T1, synthetic=Synthetic("m", ""))
    dialog = SaveDialog({Role.SYNTHETIC: volume}, 3, tmp_path)
    qtbot.addWidget(dialog)
    assert dialog.target == tmp_path / "synthetic_mr_t1_003.nii.gz"
    dialog.target.write_text("old")
    asked = []

    def answer(*_):
        asked.append(1)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", answer)
    dialog.accept()
    assert asked == [1]
    assert dialog.result() == 0
    dialog.name.setText("a/b")
    assert "cannot hold" in dialog.problem.text()
    dialog.name.setText("series")
    dialog.format.setCurrentIndex(FORMATS.index(DICOM))
    assert dialog.target == tmp_path / "series"
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "x").write_text("")
    dialog.name.setText("series ")
    assert "not empty" in dialog.problem.text()
    dialog.folder.setText(str(tmp_path / "missing"))
    assert "not empty" in dialog.problem.text()  # a disk is asked when the typing has come to a rest
    qtbot.waitUntil(lambda: "does not exist" in dialog.problem.text())


def series(label: str, domain: Domain, **more) -> Series:
    return Series(Path("study"), "DICOM", domain, label, (), shape=(9, 8, 8), spacing=(3.0, 1.0, 1.0), **more)


def test_only_doubt_is_asked_about():
    ct, t1, t2 = series("CT", Domain.CT), series("T1", Domain.MR_T1), series("T2", Domain.MR_T2)
    scout = series("scout", Domain.CT, localizer=True)
    assert choose_at_once([ct, scout], None) == (ct,)
    assert choose_at_once([ct, t1], None) == (ct, t1)
    assert choose_at_once([ct, t1], Role.SOURCE) == ()
    assert choose_at_once([t1, t2], None) == ()
    assert choose_at_once([scout], None) == ()


def test_where_a_volume_goes():
    ct, t1, t2, unknown = (make_volume(kind) for kind in (Domain.CT, Domain.MR_T1, Domain.MR_T2, Domain.UNKNOWN))
    ct_to_t1, t1_to_t2 = Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.MR_T2)
    assert place_for(ct, None, ct_to_t1) is Role.SOURCE
    assert place_for(t1, ct, ct_to_t1) is Role.TRUTH
    assert place_for(t2, ct, ct_to_t1) is Role.TRUTH
    assert place_for(ct, ct, ct_to_t1) is Role.SOURCE
    assert place_for(t2, t1, t1_to_t2) is Role.TRUTH
    assert place_for(t2, t1, None) is Role.SOURCE
    assert place_for(unknown, None, ct_to_t1) is Role.SOURCE
    assert place_for(unknown, ct, ct_to_t1) is Role.TRUTH
    assert place_for(t1, unknown, ct_to_t1) is Role.TRUTH
    made = made_volume()
    assert place_for(made, ct, None) is Role.SYNTHETIC
    assert source_first([t1, ct], [ct_to_t1]) == [ct, t1]
    assert source_first([made, unknown], []) == [unknown, made]
    assert source_first([ct, t1], [Direction(Domain.MR_T1, Domain.CT)]) == [t1, ct]


def test_who_is_known_to_be_the_same_patient():
    def dicom(study: str) -> dict[str, DicomSource]:
        return {"dicom": DicomSource(study, "s", "c", None, (), {"00100020": {"Value": ["ANONYMOUS"]}})}

    assert same_patient(make_volume(**dicom("1.1")), make_volume(Domain.MR_T1, **dicom("1.1")))
    assert not same_patient(make_volume(**dicom("1.1")), make_volume(**dicom("2.2")))
    assert same_patient(make_volume(path=Path("a.nii")), make_volume(path=Path("a.nii")))
    assert not same_patient(make_volume(path=Path("a.nii")), make_volume(path=Path("b.nii")))
    assert not same_patient(make_volume(), make_volume())


def test_every_button_can_be_named_and_every_key_stands_on_the_sheet(make_window, qtbot):
    window = make_window()
    nameless = [
        widget.objectName() or type(widget).__name__
        for widget in window.findChildren(QAbstractButton)
        if widget.isVisible() and not (widget.text() or widget.accessibleName() or widget.toolTip())
    ]
    assert not nameless
    for name in ("open_file", "translate", "save"):
        assert window.command[name].shortcut().toString() in window.command[name].toolTip()
    sheet = KeysSheet(window.bindings)
    qtbot.addWidget(sheet)
    text = sheet.text.toPlainText()
    assert all(word in text for word in ("F11", "Ctrl+T", "Wheel", "PgUp"))


def test_about_names_whatever_the_program_is_built_on(qtbot):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    needed = [re.split(r"[ ;<>=!~\[]", one)[0] for one in requires("ctmri-studio") or () if "extra ==" not in one]
    assert len(needed) > 15
    assert not [name for name in needed if name.lower() not in dialog.text.toPlainText().lower()]


def test_about_tells_versions_licences_log_and_purpose(qtbot, tmp_path):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    assert "not loaded yet" in dialog.text.toPlainText()
    dialog.show_device("processor only")
    text = dialog.text.toPlainText()
    for word in ("LGPL-3.0", "Apache-2.0", "research only", "processor only", str(tmp_path / "log"), "torch"):
        assert word in text


def test_nothing_is_saved_over_a_file_that_is_open(make_window, qtbot, ct_file, tmp_path, monkeypatch):
    window = make_window(ct_file)
    wait_for(qtbot, window, Role.SOURCE)
    window.session.place(made_volume(), Role.SYNTHETIC)
    before = ct_file.read_bytes()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    link = tmp_path / "link.nii.gz"
    link.hardlink_to(ct_file)
    window.command["save"].trigger()
    (dialog,) = window.findChildren(SaveDialog)
    dialog.folder.setText(str(tmp_path))
    for name in ("scan", "scan.nii.gz", "link"):
        dialog.name.setText(name)
        assert "is open" in dialog.problem.text()
        dialog.accept()
        assert dialog.result() == 0
    dialog.name.setText("other")
    assert dialog.problem.text() == ""
    dialog.reject()
    window.session.save(window.session.volumes[Role.SYNTHETIC], ct_file)  # asked for before the scan was opened
    assert any("is open" in text for text in window.messages.texts)
    assert ct_file.read_bytes() == before


def test_no_file_of_an_open_folder_is_written_over_but_new_ones_may_lie_beside_it(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    slice_file = study / "one.nii.gz"
    slice_file.write_text("x")
    assert writes_over(slice_file, [study])
    assert writes_over(study, [slice_file])
    assert not writes_over(study / "new.nii.gz", [study])
    assert not writes_over(tmp_path / "new.nii.gz", [study])


def test_an_unknown_kind_replaces_no_known_truth_unless_dropped_on_its_pane(make_window, tmp_path):
    window = make_window()
    session = window.session
    truth, labels = make_volume(Domain.MR_T1), make_volume(Domain.UNKNOWN, path=tmp_path / "labels.nii.gz")
    session.place(make_volume(), Role.SOURCE)
    session.place(truth)
    session.place(labels)
    assert session.volumes[Role.TRUTH] is truth
    assert "labels.nii.gz does not say what it shows" in window.messages.texts[0]
    session.place(labels, Role.TRUTH)
    assert session.volumes[Role.TRUTH] is labels


def test_what_was_said_of_a_scan_goes_with_it_and_a_synthetic_source_is_named_on_the_pane(
    make_window, qtbot, ct_file, tmp_path, translator
):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    session = window.session
    session.place(make_volume(synthetic=Synthetic("m", "cd" * 32)), Role.SOURCE)
    wait_for(qtbot, window, Role.SYNTHETIC)
    assert any("twice removed" in finding.message and finding.serious for finding in session.warnings(Role.SYNTHETIC))
    broken = tmp_path / "broken.nii"
    broken.write_bytes(b"\0" * 400)
    drop(window, broken)
    qtbot.waitUntil(lambda: any("broken.nii" in text for text in window.messages.texts), timeout=WAIT)
    qtbot.waitUntil(lambda: not session.openings.busy, timeout=WAIT)
    drop(window, ct_file)
    assert window.messages.texts == ()
    qtbot.waitUntil(lambda: session.volumes[Role.SOURCE].synthetic is None, timeout=WAIT)
    wait_for(qtbot, window, Role.SYNTHETIC)
    assert not any("twice removed" in finding.message for finding in session.warnings(Role.SYNTHETIC))
    session.noted.emit("a note")
    session.close_case()
    assert window.messages.texts == ()


def test_several_bad_files_are_one_message(make_window, qtbot, ct_file, tmp_path):
    bad = [tmp_path / f"bad{number}.nii" for number in range(4)]
    for path in bad:
        path.write_bytes(b"\0" * 400)
    window = make_window()
    drop(window, *bad)
    qtbot.waitUntil(lambda: window.messages.texts != (), timeout=WAIT)
    qtbot.waitUntil(lambda: not window.session.openings.busy, timeout=WAIT)
    (text,) = window.messages.texts
    shown, *more = text.split("\n")
    assert shown.startswith("None of 4 could be opened: bad0.nii ")
    assert "bad1.nii" in shown
    assert "2 more" in shown
    assert [line.split()[0] for line in more] == ["bad2.nii", "bad3.nii"]
    drop(window, bad[0], ct_file, bad[1])
    wait_for(qtbot, window, Role.SOURCE)
    (text,) = window.messages.texts
    assert text.startswith("2 of 3 could not be opened: ")


def test_a_geometry_that_the_model_cannot_take_is_said_on_the_button(make_window, tmp_path, translator):
    write_model(tmp_path / "models" / "t1.safetensors")
    window = make_window(translate=True)
    geometry = Geometry((10, 24, 28), (3.0, 400.0, 400.0))
    volume = replace(make_volume(), geometry=geometry)
    window.session.place(volume, Role.SOURCE)
    problem = window.session.library.chosen.card.recipe.problem_with(geometry)
    assert problem
    assert window.translation.reason.text() == problem
    assert not window.command["translate"].isEnabled()
    assert translator.asked == []


def test_icons_take_the_colours_of_a_theme_that_is_chosen_later(make_window, dressed):
    window = make_window()
    window.settings["theme"] = "light"
    close = window.docks.by_name["Translation"].titleBarWidget().findChildren(QToolButton)[-1]
    assert close.icon().pixmap(32).toImage() == icon("close").pixmap(32).toImage()
    window.settings["theme"] = "dark"
    assert close.icon().pixmap(32).toImage() == icon("close").pixmap(32).toImage()


def test_the_arrows_of_the_tool_bar_can_be_seen_in_every_theme(make_window, qtbot, dressed):
    window = make_window()
    window.bars.work.setFixedWidth(200)
    (more,) = window.bars.work.findChildren(QToolButton, "qt_toolbar_ext_button")
    for theme in ("dark", "light"):
        window.settings["theme"] = theme
        qtbot.waitUntil(more.isVisible)
        drawn = more.grab().toImage()
        greys = sorted(drawn.pixelColor(x, drawn.height() // 2 + y).lightness() for x in range(3, 9) for y in range(-3, 4))
        assert greys[-1] - greys[0] > 60, theme


def test_an_image_without_a_pane_in_the_layout_is_said_with_a_way_to_see_it(make_window, qtbot, ct_file):
    window = make_window()
    window.views.actions_by_name["layout_4"].trigger()
    window.session.place(make_volume())
    qtbot.wait(20)
    assert not window.messages.texts
    window.session.place(make_volume(Domain.MR_T1), Role.TRUTH)
    qtbot.waitUntil(lambda: window.messages.texts == ("This layout has no pane for the ground truth.",))
    next(button for button in window.messages.findChildren(QPushButton) if button.text() == "Side by side").click()
    assert Role.TRUTH in window.views.panes and not window.messages.texts
    window.views.actions_by_name["layout_4"].trigger()
    first = window.session.cases.current
    window.session.open_paths([ct_file], alone=True)
    qtbot.waitUntil(lambda: window.session.cases.current is not first and bool(window.session.cases.current.held), timeout=WAIT)
    window.session.show_case(first)
    qtbot.wait(20)
    assert window.session.volumes[Role.TRUTH] is not None and not window.messages.texts


def test_the_keyboard_stays_with_translate_and_cancel(make_window, qtbot, ct_file, translator, tmp_path):
    """Whichever of the two can be pressed has it: Space never presses what lies beside them."""
    for name in ("a", "b"):
        write_model(tmp_path / "models" / f"{name}.safetensors")
    translator.go.clear()
    window = make_window(ct_file, translate=True)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    buttons = {button.text(): button for button in window.translation.findChildren(QPushButton)}
    qtbot.waitUntil(lambda: buttons["Cancel"].isEnabled(), timeout=WAIT)
    buttons["Cancel"].setFocus()
    window.command["cancel"].trigger()
    qtbot.waitUntil(lambda: window.session.translation.state is None, timeout=WAIT)
    qtbot.waitUntil(buttons["Translate"].hasFocus)
    window.command["translate"].trigger()
    qtbot.waitUntil(lambda: buttons["Cancel"].isEnabled(), timeout=WAIT)
    qtbot.waitUntil(buttons["Cancel"].hasFocus)
    translator.go.set()
    qtbot.waitUntil(buttons["Translate"].hasFocus, timeout=WAIT)
    translator.go.clear()
    for entry in window.session.library.entries:
        window.session.library.mark(entry, True)
    qtbot.waitUntil(window.command["compare_models"].isEnabled, timeout=WAIT)
    window.translation.findChild(QPushButton, "compare").setFocus()
    window.command["compare_models"].trigger()
    qtbot.waitUntil(buttons["Cancel"].hasFocus)
    translator.go.set()
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=WAIT)
