"""The page of a study, on small real studies: opened, followed, closed and analysed; never results before the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QMessageBox

from ctmri_core.studies.pack import pack
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.rehearsal import simulate
from ctmri_core.studies.sealing import key_file
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_core.studies.trials import Answer, Mark, Monitor, ReaderFacts
from ctmri_core.studies.truth import REAL
from ctmri_gui import file_choice
from ctmri_gui.settings import Settings
from ctmri_gui.studies import reading_process, studies_window
from ctmri_gui.studies.passphrase_dialog import PassphraseDialog
from ctmri_gui.studies.places import is_rehearsal, rehearsals_place, usual_place
from ctmri_gui.studies.studies_window import BEFORE, REHEARSE, STUDY, StudiesWindow
from ctmri_gui.viewer.roles import Role
from tests.gui.small_study import MODEL, ORIGIN, draft, opened


@pytest.fixture
def window(make_window, tmp_path: Path, qtbot) -> StudiesWindow:
    (tmp_path / "models").mkdir(exist_ok=True)
    main = make_window()
    main.command["open_study"].trigger()
    found = main.studies.window
    qtbot.addWidget(found)
    assert found.isVisible() and found.tabs.currentIndex() == BEFORE
    return found


def look_at(window: StudiesWindow, folder: Path, qtbot) -> None:
    with qtbot.waitSignal(window.studies.opened):
        window.open_folder(folder)
    assert window.tabs.currentIndex() == STUDY


def answer_question(window: StudiesWindow, name: str, qtbot, *, yes=True) -> None:
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, name) is not None)
    box = window.findChild(QMessageBox, name)
    role = QMessageBox.ButtonRole.DestructiveRole if yes else QMessageBox.ButtonRole.RejectRole
    next(press for press in box.buttons() if box.buttonRole(press) == role).click()


def mark_first(study: StudyFolder) -> None:
    """R1 marks a place in each picture up to the first synthetic one of the test."""
    truth = study.truth()
    with Reading(study.path, "R1") as reading:
        reading.introduce(ReaderFacts(reader="R1", years=3))
        reading.begin(Monitor(width=800, height=600, pixel_ratio=1, depth=8, patches=True))
        while (trial := reading.next_trial) is not None:
            real = truth.of(trial.items[0]).arm == REAL
            reading.answer(Answer(
                reader="R1", session=1, trial=trial.token, choice="real" if real else "synthetic", confidence=3,
                marks=() if real else (Mark(mm=(8.0, 20.0, 16.0)),), shown_at="2026-01-01T00:00:00Z", response_ms=2000,
            ))  # fmt: skip
            if trial.block == "test" and not real:
                return


def words_of(window: StudiesWindow) -> str:
    return " ".join(one.text() for one in window.findChildren(QLabel) if one.isVisible())


def test_a_draft_shows_what_gives_it_away_and_opens_only_with_a_reason(window, qtbot, tmp_path):
    draft(tmp_path / "study", 12, leak=1)
    look_at(window, tmp_path / "study", qtbot)
    qtbot.waitUntil(lambda: window.studies.looked is not None)
    box = window.study.draft
    assert "give them away" in box.audit.title.text() and not box.open.isEnabled()
    assert "A model learnt from it" in str(box.out.texts())
    box.audit.override.setText("phantoms")
    qtbot.waitUntil(box.open.isEnabled)  # not while it is still looked at
    box.open.click()
    qtbot.waitUntil(lambda: window.studies.shown.stage == "open")
    assert StudyFolder(tmp_path / "study").truth().said["override"] == "phantoms" and window.study.readers.isVisible()
    assert "phantoms" not in words_of(window)
    assert not window.study.audit.table.isVisible() and "background" not in words_of(window)  # readers may sit here


def test_a_draft_whose_truth_does_not_open_can_be_looked_at_again(window, qtbot, tmp_path):
    study = draft(tmp_path / "study", 3)
    key = key_file(study.protocol.study).read_bytes()
    key_file(study.protocol.study).unlink()
    with qtbot.waitSignal(window.studies.failed):
        window.open_folder(tmp_path / "study")
    box = window.study.draft
    qtbot.waitUntil(lambda: box.check.isEnabled())
    assert "not known yet" in box.audit.title.text() and not box.open.isEnabled()
    key_file(study.protocol.study).write_bytes(key)
    box.check.click()
    qtbot.waitUntil(lambda: box.open.isEnabled())


def test_a_title_of_one_long_word_hides_nothing(window, qtbot, tmp_path):
    look_at(window, draft(tmp_path / "study", 3, title="x" * 200).path, qtbot)
    page = window.study
    qtbot.waitUntil(lambda: page.stage.mapTo(page, page.stage.rect().topRight()).x() < page.width())


def test_what_gives_away_is_taken_away(window, qtbot, tmp_path):
    draft(tmp_path / "study", 12, leak=1)
    look_at(window, tmp_path / "study", qtbot)
    qtbot.waitUntil(lambda: window.studies.looked is not None)
    before = window.studies.looked.checked.audit
    assert window.study.draft.audit.steps
    window.study.draft.audit.harmonise.click()
    qtbot.waitUntil(lambda: bool(window.studies.looked.harmonised))
    after = window.studies.looked.checked.audit
    assert before.verdict == "blocks" and after.area < before.area
    assert StudyFolder(tmp_path / "study").truth().harmonised and "Made more alike" in window.study.draft.facts.text()


def test_progress_is_shown_and_never_results(window, qtbot, tmp_path):
    opened(tmp_path / "study", read=("R1",))
    look_at(window, tmp_path / "study", qtbot)
    readers = {one.code: one for one in window.studies.shown.readers}
    assert readers["R1"].answered == readers["R1"].trials and readers["R2"].answered == 0
    assert window.study.readers.selected == "R2" and not window.study.results.isVisible()
    assert MODEL not in words_of(window) and MODEL not in str(window.study.readers.table.texts())
    simulate(tmp_path / "study", "R2", 0.9, 5)  # another process, as far as the window knows
    qtbot.waitUntil(lambda: window.studies.shown.complete)
    assert "answered everything" in window.study.said.text()


def test_closing_is_asked_twice_and_is_for_good(window, qtbot, tmp_path):
    opened(tmp_path / "study", read=("R1", "R2"))
    look_at(window, tmp_path / "study", qtbot)
    window.study.close_study.click()
    answer_question(window, "close_question", qtbot)
    answer_question(window, "close_again_question", qtbot, yes=False)
    assert window.studies.shown.stage == "open"
    window.study.close_study.click()
    answer_question(window, "close_question", qtbot)
    answer_question(window, "close_again_question", qtbot)
    qtbot.waitUntil(lambda: window.studies.shown.stage == "closed")
    assert not window.study.readers.read.isVisible() and window.study.analyse.isVisible()


def test_an_interim_look_goes_on_record_and_says_so(window, qtbot, tmp_path, monkeypatch):
    opened(tmp_path / "study", cases=4, read=("R1", "R2"))
    look_at(window, tmp_path / "study", qtbot)
    window.study.interim.click()
    answer_question(window, "interim_question", qtbot)
    qtbot.waitUntil(lambda: window.studies.shown.interim == 1 and window.study.results.isVisible())
    assert "1 interim look on record" in window.study.facts.text() and window.study.results.interim.isVisible()
    assert window.studies.shown.stage == "open" and not window.study.flagged.isVisible()
    monkeypatch.setattr("ctmri_gui.studies.studies.start_reading", lambda *_: True)
    window.study.readers.readWanted.emit("R1")
    assert not window.study.results.isVisible()  # whoever reads here now sees none


def test_from_the_end_to_the_flagged_place_in_the_viewer(window, qtbot, tmp_path, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(QUrl(url).fileName()) or True)
    mark_first(opened(tmp_path / "study", cases=6))
    for number, reader in enumerate(("R1", "R2")):
        simulate(tmp_path / "study", reader, 0.99, number)
    look_at(window, tmp_path / "study", qtbot)
    window.studies.close()
    qtbot.waitUntil(lambda: window.studies.shown.stage == "closed" and not window.studies.running)
    window.study.analyse.click()
    with qtbot.waitSignal(window.studies.analysed):
        pass
    page = window.study
    assert page.stage.text() == "Analysed" and "better than chance" in page.results.verdict.text()
    assert page.results.verdict.text() == window.studies.shown.results.verdict
    assert len(page.results.readers.texts()) == 2
    page.results.report.click()
    page.results.pdf.click()
    assert seen == ["report.html", "report.pdf"]
    flagged = next(one for one in page.flagged._places if one.lps is not None)
    page.flagged.placeWanted.emit(flagged)
    session = window.setup.cases.models._library.parent()
    qtbot.waitUntil(lambda: session.volumes[Role.SYNTHETIC] is not None)
    made, real = session.volumes[Role.SYNTHETIC], session.volumes[Role.TRUTH]
    assert made.synthetic.model_name == MODEL and real.synthetic is None
    assert made.geometry.origin == pytest.approx(ORIGIN)
    at = made.geometry.mm_to_index(np.asarray(flagged.lps))
    assert at[0] == pytest.approx(flagged.slice_shown, abs=0.5)
    study = StudyFolder(tmp_path / "study")
    assert np.array_equal(made.voxels, study.pictures.voxels(flagged.token))


def test_a_locked_truth_asks_for_its_passphrase_once(window, qtbot, tmp_path):
    opened(tmp_path / "study", read=("R1",), passphrase="good words")
    look_at(window, tmp_path / "study", qtbot)
    window.studies.add_reader("R9")
    dialog = window.findChild(PassphraseDialog)
    dialog.field.setText("wrong words")
    with qtbot.waitSignal(window.studies.failed):
        dialog.accept()
    qtbot.waitUntil(lambda: not window.studies.running and window.findChild(PassphraseDialog) is None)
    window.studies.add_reader("R9")
    dialog = window.findChild(PassphraseDialog)
    dialog.field.setText("good words")
    dialog.accept()
    qtbot.waitUntil(lambda: "R9" in [one.code for one in window.studies.shown.readers])
    assert next(one for one in window.studies.shown.readers if one.code == "R9").late


def test_a_packed_study_is_read_elsewhere_and_comes_back(window, qtbot, tmp_path, monkeypatch):
    study = opened(tmp_path / "study")
    look_at(window, tmp_path / "study", qtbot)
    target = tmp_path / "R1.ctmri-reader"
    monkeypatch.setattr(file_choice, "new_file", lambda *_: target)
    with qtbot.waitSignal(window.studies.written):
        window.study.readers.packWanted.emit("R1")
    pack(study, "R1", tmp_path / "same.ctmri-reader")
    assert target.read_bytes() == (tmp_path / "same.ctmri-reader").read_bytes()
    with Reading(target) as reading:
        reading.introduce(ReaderFacts(reader="R1", years=3))
        reading.begin(Monitor(width=800, height=600, pixel_ratio=1, depth=8, patches=True))
    answers = target.with_suffix(".ctmri-answers")
    monkeypatch.setattr(file_choice, "existing_files", lambda *_: [answers])
    qtbot.waitUntil(lambda: not window.studies.running)
    with qtbot.waitSignal(window.studies.merged):
        window.study.readers.merge.click()
    assert window.studies.shown.merged == (answers.name,) and len(window.studies.shown.anchors) == 2


def test_anchors_are_compared_with_the_record(window, qtbot, tmp_path):
    opened(tmp_path / "study", read=("R1",))
    look_at(window, tmp_path / "study", qtbot)
    box = window.study.record
    origin, count, head = box.anchors.toPlainText().split()
    cut, other = f"{origin} {int(count) + 2} {head}", f"{origin} {count} {'0' * 64}"
    for line, said in ((f"{origin} {count} {head}", "as they were written down"), (cut, "missing"), (other, "not the one"),
                       ("nonsense", "no anchor")):  # fmt: skip
        box.pasted.setPlainText(line)
        box.compare.click()
        qtbot.waitUntil(lambda said=said: said in box.compared.text())


def test_a_changed_record_is_said_in_red(window, qtbot, tmp_path):
    import sqlite3

    opened(tmp_path / "study", read=("R1",))
    connection = sqlite3.connect(tmp_path / "study" / "study.sqlite")
    connection.executescript("DROP TRIGGER entries_stay; UPDATE entry SET reader = 'R2' WHERE number = 5;")
    connection.close()
    look_at(window, tmp_path / "study", qtbot)
    assert "other hands" in window.study.record.title.text() and window.study.record.faults.isVisible()


def test_reading_begins_in_a_process_that_outlives_the_window(window, qtbot, tmp_path, monkeypatch):
    opened(tmp_path / "study")
    look_at(window, tmp_path / "study", qtbot)
    started: list[tuple[str, list[str]]] = []
    process = reading_process.QProcess
    monkeypatch.setattr(process, "startDetached", lambda program, words: started.append((program, words)) or True)
    window.study.readers.read.click()
    program, words = started[0]
    assert program == sys.executable and words[:2] == ["-m", "ctmri_gui.studies.reading"] and words[-3] == "R1"
    told = subprocess.run([program, *words[:2], "--help"], capture_output=True, text=True)
    assert told.returncode == 0 and "--reader" in told.stdout


def test_what_is_no_study_is_said(window, tmp_path):
    window.open_folder(tmp_path)
    assert any("no reader study" in text for text in window.messages.texts)


def test_studies_are_listed_again_and_no_patient_is_remembered(window, qtbot, tmp_path):
    opened(usual_place() / "study-1")
    opened(tmp_path / "Miller_Anna_19700101" / "study")
    look_at(window, tmp_path / "Miller_Anna_19700101" / "study", qtbot)
    window.studies.refresh()
    qtbot.waitUntil(lambda: window.before.list.topLevelItemCount() == 1)
    assert "Miller" not in str(Settings()["study_folders"])


def test_a_rehearsal_goes_from_one_press_to_the_report_and_is_deleted(window, qtbot, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(QUrl(url).fileName()) or True)
    read: list[str] = []
    start = "ctmri_gui.studies.studies.start_reading"
    monkeypatch.setattr(start, lambda _place, reader, _settings: read.append(reader) or True)
    monkeypatch.setattr("ctmri_core.studies.rehearsal.TEST_HEADS", 4)
    at_work: list[bool] = []
    window.studies.rehearsed.connect(lambda _state: at_work.append(window.studies.running))
    window.go(REHEARSE)
    window.rehearsal.start.click()
    qtbot.waitUntil(lambda: read == ["YOU"])
    assert at_work == [False], "what comes next is not refused because the last work has not ended"
    page, folder = window.study, window.studies.folder
    assert is_rehearsal(folder) and page.rehearsal.isVisible() and window.tabs.currentIndex() == STUDY
    assert not page.close_study.isVisible() and page.readers.selected == "YOU"
    page.finish.click()
    with qtbot.waitSignal(window.studies.analysed):
        pass
    assert seen == ["report.html"] and page.stage.text() == "Analysed"
    qtbot.waitUntil(lambda: not window.studies.running)
    page.delete.click()
    answer_question(window, "delete_question", qtbot)
    qtbot.waitUntil(lambda: not folder.exists())
    qtbot.waitUntil(lambda: window.studies.shown is None)
    assert not any(rehearsals_place().iterdir())


def test_only_rehearsals_can_be_deleted_or_simulated(window, qtbot, tmp_path):
    opened(tmp_path / "study")
    look_at(window, tmp_path / "study", qtbot)
    assert not window.study.delete.isVisible() and not window.study.finish.isVisible()
    with qtbot.waitSignal(window.studies.failed):
        window.studies.delete_rehearsal(tmp_path / "study")
    window.studies.finish_rehearsal()
    assert (tmp_path / "study").is_dir() and not window.studies.running
    assert window.windowTitle() == studies_window.TITLE  # no name of a study: titles end up in screenshots


def test_a_report_that_was_deleted_meanwhile_is_said_to_be_gone(window, qtbot, tmp_path):
    opened(tmp_path / "study")
    look_at(window, tmp_path / "study", qtbot)
    window._open_result("report.html")
    assert "is not there any more" in window.messages.texts[-1]
