"""Reading that is interrupted, timed, refused or killed: no answer is lost or comes twice, and only time that was read counts."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ctmri_core.cli import main
from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.studies.closing import close_study
from ctmri_core.studies.pack import merge, pack
from ctmri_core.studies.protocol import Display
from ctmri_core.studies.reading import Reading
from ctmri_core.studies.study_folder import RECORD
from ctmri_gui.studies.reading.pages import EndPage, KeysPage, Page
from ctmri_gui.studies.reading.shelf import Shelf
from ctmri_gui.studies.reading.trial_clock import TrialClock
from ctmri_gui.studies.reading.trial_flow import GAP_MS, State
from tests.gui.study_reading_parts import KEY, answered, looks, on_disk, open_window, press, said_in, study, touch

KILLED = """
import os, signal, sys
from pathlib import Path
import pytest
from PySide6.QtWidgets import QApplication
from PySide6.QtTest import QTest
from tests.gui.study_reading_parts import KEY, answered, looks, open_window, press
class Bot:
    def addWidget(self, widget): self.widget = widget
    def waitUntil(self, true):
        while not true(): QTest.qWait(5)
app = QApplication(["reading"])
bot = Bot()
window = open_window(bot, Path(sys.argv[1]))
for _ in range(2): answered(window, bot, KEY.Key_5)
looks(bot, window)
press(window, KEY.Key_1)
os.kill(os.getpid(), signal.SIGKILL)
"""
IMPORTS = """
import sys
import ctmri_gui.studies.reading.app, ctmri_gui.studies.reading.__main__
known = ("torch", "SimpleITK", "pydicom", "nibabel", "pyqtgraph", "ctmri_core.metrics", "ctmri_core.inference",
         "ctmri_core.evaluation", "ctmri_gui.main_window", "ctmri_gui.settings", "ctmri_gui.recent")
print([name for name in known if name in sys.modules])
"""

CLOSED_SOON = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
run = QApplication.exec
def closed(app=None):
    QTimer.singleShot(300, QApplication.closeAllWindows)
    return run()
QApplication.exec = closed
QMessageBox.critical = lambda *_: None
"""
"""Closes the window by itself, and asks nobody to read a message."""


class Seconds:
    """A clock that is turned by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_the_clock_counts_neither_pauses_nor_what_came_before():
    seconds = Seconds()
    clock = TrialClock(seconds)
    seconds.now += 5
    clock.act()
    assert clock.elapsed_ms == 0 and clock.first_action_ms is None
    clock.run(True)
    seconds.now += 2
    clock.look_away(True)
    seconds.now += 3
    clock.act()
    clock.run(False)
    seconds.now += 50
    clock.run(True)
    seconds.now += 1
    clock.look_away(False)
    seconds.now += 4
    clock.act()
    assert (clock.elapsed_ms, clock.focus_lost_ms, clock.first_action_ms) == (10_000, 4_000, 5_000)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_killed_in_the_middle_it_goes_on_at_the_trial_that_was_open(qtbot, tmp_path):
    made = study(tmp_path / "study")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(made.path)], capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert on_disk(made) == 2
    window = open_window(qtbot, made.path, first=True)
    assert "2 of 6" in said_in(window.page)
    window.close()
    window = open_window(qtbot, made.path)
    assert window.flow.trial.number == 3 and window.trial_page.panel.choice.choice == ""
    for _ in range(4):
        answered(window, qtbot, KEY.Key_2)
    window.close()
    with made.record(writing=False) as record:
        assert len(record.entries("answer")) == 6 and not record.faults()
        sessions = [answer.session for answer in record.answers()]
        assert sessions == [1, 1, 2, 2, 2, 2]  # the window that was closed before its first trial was no sitting


def test_an_answer_that_cannot_be_written_is_kept_and_tried_again(qtbot, tmp_path):
    resource = pytest.importorskip("resource")
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    panel, trial = window.trial_page.panel, window.flow.trial
    press(window, KEY.Key_6)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as a full disk: nothing can be written
    try:
        press(window, KEY.Key_Return)
        assert window.flow.state is State.UNSAVED and "Not saved yet" in panel.told.text()
        press(window, KEY.Key_1)
        press(window, KEY.Key_Return)
        assert window.flow.state is State.UNSAVED and window.flow.trial is trial and on_disk(made) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    qtbot.waitUntil(lambda: on_disk(made) == 1)  # by itself
    answer = window._reading.answers[trial.token]
    assert (answer.choice, answer.confidence) == ("synthetic", 3)
    answered(window, qtbot, KEY.Key_1)
    assert on_disk(made) == 2


def test_a_packed_study_is_read_elsewhere_and_sent_back(qtbot, tmp_path):
    made = study(tmp_path / "study", cases=1)
    pack(made, "R1", tmp_path / "R1.ctmri-reader")
    window = open_window(qtbot, tmp_path / "R1.ctmri-reader")
    for _ in range(2):
        answered(window, qtbot, KEY.Key_3)
    qtbot.waitUntil(lambda: isinstance(window.page, EndPage))
    words, back = said_in(window.page), tmp_path / "R1.ctmri-answers"
    assert "R1.ctmri-answers" in words.replace("\u200b", "")
    press(window, KEY.Key_Return)
    assert not window.isVisible()
    merged = merge(made, back)
    assert merged.answers == 2 and str(merged.anchors[0]) in words.replace("\u200b", "")


def test_two_windows_and_a_closed_study_are_refused(qtbot, tmp_path):
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    with pytest.raises(WriteFailed, match="another window"):
        Reading(made.path, "R2")
    window.close()
    close_study(made)
    with pytest.raises(FileRefused, match="closed"):
        Reading(made.path, "R1")


def test_a_picture_is_looked_at_for_the_least_time(qtbot, tmp_path):
    window = open_window(qtbot, study(tmp_path / "study", display=Display(least_seconds=1)).path)
    panel = window.trial_page.panel
    press(window, KEY.Key_1)
    window.flow._clock = TrialClock(Seconds())
    press(window, KEY.Key_Return)
    assert "1 s first" in panel.told.text() and not window._reading.answers
    window.flow._clock = clock = TrialClock(seconds := Seconds())
    clock.run(True)
    seconds.now += 1.1
    qtbot.waitUntil(lambda: not panel.told.isVisible() and panel.submit.text().startswith("Next"))
    press(window, KEY.Key_Return)
    assert len(window._reading.answers) == 1


def test_after_the_longest_time_the_picture_goes_and_the_answer_remains(qtbot, tmp_path):
    display = Display(least_seconds=0, most_seconds=0.2)
    window = open_window(qtbot, study(tmp_path / "study", display=display).path)
    press(window, KEY.Key_Up)
    canvas = window.trial_page.area.panes[0].canvas
    qtbot.waitUntil(lambda: not canvas.has_picture)
    trial = window.flow.trial
    for key in (KEY.Key_Up, KEY.Key_R, KEY.Key_Plus):
        press(window, key)
    answered(window, qtbot, KEY.Key_1)
    assert not window.flow.has_unsaved and trial.token in window._reading.answers


def test_a_pause_hides_the_picture_and_is_on_record(qtbot, tmp_path):
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    trial, clock = window.flow.trial, window.flow._clock
    press(window, KEY.Key_2)
    press(window, KEY.Key_P)
    assert isinstance(window.page, Page) and not window.trial_page.isVisible() and not clock.running
    stood = clock.elapsed_ms
    QTest.qWait(50)
    assert clock.elapsed_ms == stood
    press(window, KEY.Key_Return)
    assert window.flow.state is State.LOOKING and clock.running and window.trial_page.panel.choice.choice == "real"
    press(window, KEY.Key_F1)
    assert isinstance(window.page, KeysPage)
    press(window, KEY.Key_Return)
    answered(window, qtbot)
    assert trial.token in window._reading.answers
    window.close()
    with made.record(writing=False) as record:
        pauses = record.entries("pause")
        assert [entry.payload["trial"] for entry in pauses] == [trial.token] * 2 and pauses[0].payload["ms"] >= 50


def test_time_in_another_window_is_told_apart(qtbot, tmp_path):
    window = open_window(qtbot, study(tmp_path / "study").path)
    trial = window.flow.trial
    window.flow.look_away(True)
    qtbot.waitUntil(lambda: window.flow._clock.focus_lost_ms > 30)
    window.flow.look_away(False)
    answered(window, qtbot, KEY.Key_1)
    answer = window._reading.answers[trial.token]
    assert 30 < answer.focus_lost_ms < answer.response_ms


def test_the_window_tells_the_clock_when_it_loses_the_keys(qtbot, tmp_path):
    window = open_window(qtbot, study(tmp_path / "study").path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert not window.flow._clock._away
    other = Page("Another program's window")
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: window.flow._clock._away)
    other.close()


def test_a_break_is_offered_between_trials(qtbot, tmp_path, monkeypatch):
    window = open_window(qtbot, study(tmp_path / "study", break_every=20).path)
    answered(window, qtbot, KEY.Key_1)
    looks(qtbot, window)
    window.flow._rested -= 21 * 60
    answered(window, qtbot, KEY.Key_1)
    assert isinstance(window.page, Page) and "20 minutes" in said_in(window.page)
    now = window.flow._now
    monkeypatch.setattr(window.flow, "_now", lambda: now() + 25 * 60)  # a long one is not read through
    press(window, KEY.Key_Return)
    looks(qtbot, window)
    answered(window, qtbot, KEY.Key_1)
    assert not isinstance(window.page, Page)


@pytest.mark.parametrize("allowed", [True, False])
def test_going_back_only_where_the_protocol_allows_it(qtbot, tmp_path, allowed):
    made = study(tmp_path / "study", go_back=allowed)
    window = open_window(qtbot, made.path)
    first = window.flow.trial
    answered(window, qtbot, KEY.Key_2)
    looks(qtbot, window)
    second = window.flow.trial
    press(window, KEY.Key_Backspace)
    if not allowed:
        assert window.flow.trial is second
        return
    qtbot.waitUntil(lambda: window.flow.trial is first and window.flow.state is State.LOOKING)
    assert (window.trial_page.panel.choice.choice, window.trial_page.panel.choice.confidence) == ("real", 2)
    press(window, KEY.Key_6)
    press(window, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.flow.trial is second and window.flow.state is State.LOOKING)
    changed = window._reading.answers[first.token]
    assert (changed.choice, changed.revision) == ("synthetic", 1)


def test_nothing_is_answered_before_the_picture_stands_there(qtbot, tmp_path):
    window = open_window(qtbot, study(tmp_path / "study").path)
    press(window, KEY.Key_1)
    press(window, KEY.Key_Return)
    assert window.flow.state is State.WAITING and not window.trial_page.area.panes[0].canvas.has_picture
    press(window, KEY.Key_6)
    press(window, KEY.Key_Return)
    looks(qtbot, window)
    assert window.trial_page.panel.choice.choice == "" and len(window._reading.answers) == 1


def test_every_picture_comes_no_sooner_than_the_gap(qtbot, tmp_path):
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    for _ in range(6):
        answered(window, qtbot, KEY.Key_1)
    answers = list(window._reading.answers.values())
    assert all(answer.load_ms >= GAP_MS - 1 for answer in answers[1:])


def test_a_picture_that_was_changed_is_not_shown(qtbot, tmp_path):
    made = study(tmp_path / "study")
    trial = made.order("R1").assignment.trials[1]
    path = made.path / "pictures" / f"{trial.items[0]}.raw"
    kept = path.read_bytes()
    path.write_bytes(b"\1" + kept[1:])
    window = open_window(qtbot, made.path)
    answered(window, qtbot, KEY.Key_1)
    qtbot.waitUntil(lambda: isinstance(window.page, Page))
    assert "not the one that was written" in said_in(window.page) and trial.items[0] not in said_in(window.page)
    path.write_bytes(kept)
    press(window, KEY.Key_Return)
    looks(qtbot, window)
    assert window.flow.trial == trial


def test_the_reader_s_process_knows_nothing_of_models_metrics_and_the_main_window():
    found = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_large_text_fits_and_the_answer_stays(qtbot, tmp_path, dressed):
    window = open_window(qtbot, study(tmp_path / "study", reasons=("texture", "noise")).path)
    press(window, KEY.Key_4)
    for size, theme in ((20, "light"), (24, "dark")):
        dressed(theme, size)
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        panel = window.trial_page.panel
        assert all(button.sizeHint().width() <= panel.width() for button in panel.choice.findChildren(type(panel.mark)))
        assert window.minimumSizeHint().width() <= 1280
    assert window.trial_page.panel.choice.choice == "synthetic"


def test_who_only_looks_in_leaves_no_sitting_behind(qtbot, tmp_path):
    made = study(tmp_path / "study", cases=1)
    open_window(qtbot, made.path, first=True).close()
    window = open_window(qtbot, made.path)
    for _ in range(2):
        answered(window, qtbot, KEY.Key_3)
    qtbot.waitUntil(lambda: isinstance(window.page, EndPage))
    window.close()
    again = open_window(qtbot, made.path, first=True)
    assert isinstance(again.page, EndPage)
    again.close()
    with made.record(writing=False) as record:
        kinds = [entry.kind for entry in record.entries(reader="R1")]
    assert kinds == ["reader", "consent", "session", "answer", "answer", "closed"]


def test_the_command_reads_in_a_process_of_its_own_and_says_what_went_wrong(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    made = study(tmp_path / "study")
    packed = tmp_path / "R1.ctmri-reader"
    pack(made, "R1", packed)
    (tmp_path / "sitecustomize.py").write_text(CLOSED_SOON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert main(["study", "read", str(packed), "--windowed"]) == 0
    assert (tmp_path / "R1.ctmri-answers").exists() and "on the disk" in capfd.readouterr().out
    assert main(["study", "read", str(made.path)]) == 1
    assert "Name yours. It has R1, R2" in capfd.readouterr().err


def test_pictures_that_come_late_are_shown_when_they_are_there(qtbot, tmp_path):
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    shelf, load = window.flow._shelf, window.flow._shelf._load

    def slowly(token):
        QTest.qSleep(GAP_MS + 40)
        return load(token)

    shelf._load = slowly
    window.flow._after = lambda _trial: None  # nothing is fetched ahead
    for _ in range(6):
        answered(window, qtbot, KEY.Key_1)
    late = [answer.load_ms for answer in window._reading.answers.values()][2:]
    assert len(late) == 4 and min(late) >= GAP_MS + 35


def test_a_picture_is_told_of_when_it_can_be_had(qtbot, tmp_path):
    """It was told of while its loading had not ended, and then never shown."""
    made = study(tmp_path / "study")
    trial = made.order("R1").assignment.trials[0]
    shelf, there = Shelf(made.pictures.voxels), []
    shelf.ready.connect(lambda: there.append(shelf.pictures(trial) is not None), Qt.ConnectionType.DirectConnection)
    shelf.want(trial, None)
    qtbot.waitUntil(lambda: bool(there))
    shelf.close()
    assert there == [True]


def test_a_bug_in_loading_is_said_and_does_not_hang(qtbot, tmp_path):
    window = open_window(qtbot, study(tmp_path / "study").path)
    load = window.flow._shelf._load

    def broken(_token):
        raise ZeroDivisionError("hidden words")

    window.flow._shelf._load = broken
    window.flow._after = lambda _trial: None
    answered(window, qtbot, KEY.Key_1)
    answered(window, qtbot, KEY.Key_1)
    qtbot.waitUntil(lambda: isinstance(window.page, Page))
    assert "unexpected" in said_in(window.page) and "hidden words" not in said_in(window.page)
    window.flow._shelf._load = load
    press(window, KEY.Key_Return)
    looks(qtbot, window)


def test_a_record_that_another_program_locks_does_not_hold_the_window(qtbot, tmp_path):
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    patience = window._reading.record._database.execute("PRAGMA busy_timeout").fetchone()[0]
    assert 0 < patience <= 300  # ms in which nothing is drawn
    other = sqlite3.connect(made.path / RECORD, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    press(window, KEY.Key_6)
    press(window, KEY.Key_Return)
    assert window.flow.state is State.UNSAVED and "Not saved yet" in window.trial_page.panel.told.text()
    other.execute("ROLLBACK")
    other.close()
    press(window, KEY.Key_Return)
    qtbot.waitUntil(lambda: on_disk(made) == 1)


def test_a_disk_that_takes_its_time_does_not_hold_the_window(qtbot, tmp_path):
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    flow, panel, trial = window.flow, window.trial_page.panel, window.flow.trial
    window._reading.record._database.execute("PRAGMA busy_timeout = 60000")  # a write that takes as long as the lock is held
    other = sqlite3.connect(made.path / RECORD, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    press(window, KEY.Key_6)
    touch(window, KEY.Key_Return)
    assert flow.writing.busy and "being saved" in panel.told.text() and panel.submit.text() == "Saving …"
    for key in (KEY.Key_1, KEY.Key_Return, KEY.Key_P, KEY.Key_Backspace):
        touch(window, key)
    QTest.qWait(20)
    assert flow.state is State.UNSAVED and flow.trial is trial and on_disk(made) == 0
    other.execute("ROLLBACK")
    other.close()
    qtbot.waitUntil(lambda: flow.state is State.LOOKING, timeout=30_000)
    answer = window._reading.answers[trial.token]
    assert flow.trial is not trial and (answer.choice, answer.confidence) == ("synthetic", 3)
    assert on_disk(made) == 1 and not panel.told.isVisible()


def test_who_stays_because_an_answer_is_not_saved_can_go_on(qtbot, tmp_path, monkeypatch):
    """The window stood still then: what was to be tried again never was."""
    resource = pytest.importorskip("resource")
    made = study(tmp_path / "study")
    window = open_window(qtbot, made.path)
    monkeypatch.setattr(window, "_may_lose", lambda: False)  # asked whether to close: no
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    press(window, KEY.Key_6)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        press(window, KEY.Key_Return)
        assert not window.close() and window.isVisible() and on_disk(made) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    press(window, KEY.Key_Return)
    looks(qtbot, window)
    assert on_disk(made) == 1
    answered(window, qtbot, KEY.Key_1)
    window.close()
    assert not window.isVisible()
