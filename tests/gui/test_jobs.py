from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMainWindow

from ctmri_core.errors import FileRefused
from ctmri_core.events import Finished, Noted, Progress, Started, Step
from ctmri_gui.jobs import job as job_module
from ctmri_gui.jobs.job import Job
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.logs import describe_crash
from ctmri_gui.panels.running_work import RunningWork


def counting(stop, count=3):
    yield Started(job="count", total=count, unit="slices")
    for done in range(1, count + 1):
        if stop():
            return None
        yield Progress(done=done, total=count, unit="slices", rate=2.0, seconds_left=65.0)
    return "counted"


def endless(stop):
    yield Started(job="endless")
    while not stop():
        time.sleep(0.002)


def deaf(stop):
    yield Started(job="deaf")
    while not stop():
        time.sleep(0.002)
    return "written all the same"


def refused(stop):
    yield Started(job="refused")
    raise FileRefused("somewhere/scan.nii", "is too short.", "Copy it again.")


def crashing(stop):
    yield Started(job="crash")
    raise ZeroDivisionError("DOE^JANE 1970-01-01")


def crashing_at_once(stop):
    raise KeyError("DOE^JANE")


def out_of_memory(stop):
    yield Started(job="memory")
    raise MemoryError


def says_its_own_end(stop):
    yield Finished(reason="completed", message="3 files", paths={"a": "b"})
    return 3


class Ear:
    """Everything a job says, in order, with the thread it was heard on."""

    def __init__(self, job: Job) -> None:
        self.heard: list[object] = []
        self.threads: set[bool] = set()
        for kind in (job.happened, job.result, job.finishedWith):
            kind.connect(self._hear)

    def _hear(self, what: object) -> None:
        self.heard.append(what)
        self.threads.add(threading.current_thread() is threading.main_thread())

    @property
    def ends(self) -> list[Finished]:
        return [what for what in self.heard if isinstance(what, Finished)]


def run(qtbot, begin, stop_at_once=False) -> Ear:
    job = Job("A job", begin)
    ear = Ear(job)
    with qtbot.waitSignal(job.finished, timeout=5000):
        job.start()
        if stop_at_once:
            job.stop()
    return ear


def test_a_job_says_events_then_result_then_one_end_on_the_main_thread(qtbot):
    ear = run(qtbot, counting)
    kinds = [type(what).__name__ for what in ear.heard]
    assert kinds == ["Started", "Progress", "Progress", "Progress", "str", "Finished"]
    assert ear.heard[-2:] == ["counted", Finished(reason="completed")]
    assert ear.threads == {True}


@pytest.mark.parametrize(
    ("begin", "reason", "words"),
    [
        (refused, "failed", "scan.nii is too short. Copy it again."),
        (out_of_memory, "failed", "not enough memory"),
        (crashing, "crashed", "A job ended with an unexpected error"),
        (crashing_at_once, "crashed", "unexpected error"),
    ],
)
def test_every_failure_is_one_end(qtbot, begin, reason, words):
    ear = run(qtbot, begin)
    assert len(ear.ends) == 1
    assert ear.ends[0].reason == reason
    assert words in ear.ends[0].message
    assert ear.heard[-1] is ear.ends[0]


def run_and_stop(qtbot, begin) -> Ear:
    job = Job("A job", begin)
    ear = Ear(job)
    with qtbot.waitSignal(job.happened, timeout=5000):
        job.start()
    with qtbot.waitSignal(job.finished, timeout=5000):
        job.stop()
    return ear


def test_a_stopped_job_gives_no_result(qtbot):
    ear = run_and_stop(qtbot, endless)
    assert ear.heard == [Started(job="endless"), Finished(reason="stopped")]


def test_work_that_ran_through_is_not_called_cancelled(qtbot):
    ear = run_and_stop(qtbot, deaf)
    assert ear.heard[1:] == ["written all the same", Finished(reason="completed")]


def test_work_stopped_before_its_thread_ran_is_not_begun(qtbot):
    begun = []
    job = Job("A job", lambda stop: begun.append(1) or counting(stop))
    ear = Ear(job)
    job.stop()
    with qtbot.waitSignal(job.finished, timeout=5000):
        job.start()
    assert ear.heard == [Finished(reason="stopped")]
    assert begun == []


def test_closed_jobs_begin_nothing_new_and_stop_what_runs(qtbot):
    jobs, results = Jobs(), []
    first = jobs.run("Endless", endless)
    jobs.close()
    second = jobs.run("Count", counting, on_result=results.append)
    qtbot.waitUntil(lambda: not jobs.running, timeout=5000)
    assert (first.text, second.text) == ("cancelled", "cancelled")
    assert results == []


def test_only_the_newest_answer_counts(qtbot):
    jobs, answers = Jobs(), []
    latest = Latest(jobs)
    begun = threading.Event()  # set by the work: its first event may come before anyone could listen for it

    def deaf_once_begun(stop):
        begun.set()
        return (yield from deaf(stop))

    old = latest.ask("Old", deaf_once_begun, lambda answer: answers.append(("old", answer)))
    qtbot.waitUntil(begun.is_set, timeout=5000)
    latest.ask("New", counting, lambda answer: answers.append(("new", answer)))
    qtbot.waitUntil(lambda: not jobs.running, timeout=5000)
    assert old.end.reason == "completed"  # its answer came, and was not wanted any more
    assert answers == [("new", "counted")]
    latest.ask("Dropped", counting, answers.append)
    latest.drop()
    qtbot.waitUntil(lambda: not jobs.running, timeout=5000)
    assert len(answers) == 1


def test_every_failure_is_told_once(qtbot):
    jobs, said = Jobs(), []
    jobs.failed.connect(said.append)
    for begin in (refused, counting, crashing):
        jobs.run("A job", begin)
        qtbot.waitUntil(lambda: not jobs.running, timeout=5000)
    assert len(said) == 2
    assert said[0].startswith("scan.nii is too short.")


def test_a_sign_of_life_appears_after_a_moment_with_a_way_to_stop(qtbot):
    jobs = Jobs()
    window, sign = QMainWindow(), RunningWork(jobs)
    qtbot.addWidget(window)
    window.statusBar().addWidget(sign)
    window.resize(1000, 100)
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        jobs.run("Short", counting)
    qtbot.wait(400)
    assert sign.isHidden()
    jobs.run("Small", endless, listed=False)
    jobs.run("First", endless)
    jobs.run("Open scan", endless)
    assert sign.isHidden()
    qtbot.waitUntil(lambda: not sign.isHidden(), timeout=5000)
    assert sign.text.text() == "Open scan"
    sign.cancel.click()
    assert not sign.cancel.isEnabled()
    qtbot.waitUntil(lambda: sign.text.text() == "First", timeout=5000)
    assert sign.cancel.isEnabled()
    sign.cancel.click()
    qtbot.waitUntil(sign.isHidden, timeout=5000)
    jobs.close()
    qtbot.waitUntil(lambda: not jobs.running, timeout=5000)


def test_the_end_that_the_work_says_is_passed_on_once_and_last(qtbot):
    ear = run(qtbot, says_its_own_end)
    assert ear.heard == [3, Finished(reason="completed", message="3 files", paths={"a": "b"})]


def test_a_crash_is_logged_without_the_message(qtbot, caplog):
    with caplog.at_level(logging.ERROR):
        run(qtbot, crashing)
    (record,) = caplog.records
    logged = describe_crash(record.exc_info[1])
    assert "ZeroDivisionError" in logged
    assert "in crashing" in logged
    assert "DOE" not in logged


def test_jobs_are_kept_alive_while_they_run_and_let_go_after(qtbot):
    for _ in range(30):
        job = Job("short", endless)
        job.start()
        job.stop()
        del job
    qtbot.waitUntil(lambda: not job_module._alive, timeout=5000)


class Bell(QObject):
    rung = Signal(bool, object)


@pytest.mark.parametrize("kind", [Qt.ConnectionType.DirectConnection, Qt.ConnectionType.QueuedConnection])
def test_signals_do_not_eat_references(qtbot, kind):
    """PySide6 6.12.0 loses one reference of True per emit and aborts after some hundreds."""
    bell, heard = Bell(), []
    bell.rung.connect(lambda flag, _: heard.append(flag), kind)
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(5000):
        bell.rung.emit(True, None)
    qtbot.waitUntil(lambda: len(heard) == 5000)
    heard.clear()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert abs(after[0] - before[0]) < 100
    assert abs(after[1] - before[1]) < 100


def test_the_list_of_jobs_follows_a_job(qtbot):
    jobs, texts = Jobs(), []
    jobs.changed.connect(lambda state: texts.append(state.text))
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        state = jobs.run("Translate", counting)
        assert jobs.rowCount() == 1
        assert jobs.running == (state,)
    assert any(text.startswith("2 of 3 slices · 2.0 per s") for text in texts)
    assert jobs.running == ()
    assert state.fraction == 1.0
    assert jobs.index(0).data() == "Translate: done"


def test_bytes_are_told_as_people_count_them():
    state = JobState("Open scan")
    state.hear(Progress(done=50 << 20, total=250 << 20, unit="bytes", rate=1e8))
    assert state.text == "50 of 250 MB"


def test_a_run_that_is_told_how_long_to_go_on_shows_how_far_it_is():
    state = JobState("Train")
    state.hear(Started(job="Train", unit="steps"))
    assert state.fraction is None
    state.hear(Step(iteration=7, epoch=0, losses={}, learning_rate=1e-3, seconds=40.0, share=0.25))
    assert state.fraction == 0.25
    assert "0.0 per s" not in state.text


def test_time_left_is_told_only_after_three_seconds(qtbot):
    jobs = Jobs()
    state = jobs.run("Translate", endless)
    state.hear(Progress(done=1, total=9, unit="slices", rate=1.5, seconds_left=65.0))
    state.started += 1000  # however long it took to come here
    assert state.text == "1 of 9 slices · 1.5 per s"
    state.started -= 2000
    assert state.text == "1 of 9 slices · 1.5 per s · 1:05 left"
    jobs.stop(state)
    assert state.text == "cancelling"
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        pass
    assert state.text == "cancelled"


def test_few_ended_jobs_stay_listed_and_small_work_is_not(qtbot):
    jobs = Jobs()
    for _ in range(12):
        with qtbot.waitSignal(jobs.idle, timeout=5000):
            jobs.run("Count", counting)
    assert jobs.rowCount() == 9
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        jobs.run("Small", counting, listed=False)
    assert jobs.rowCount() == 9


def test_serious_notes_are_passed_on(qtbot):
    def noting(stop):
        yield Noted(message="by the way")
        yield Noted(message="take care", serious=True)

    jobs, notes = Jobs(), []
    jobs.noted.connect(notes.append)
    with qtbot.waitSignal(jobs.idle, timeout=5000):
        jobs.run("Note", noting)
    assert notes == ["take care"]


# Objects that are let go while a job runs --------------------------------------------------------------------------------

_LET_GO = """
import gc, sys, threading, time, weakref
from pathlib import Path
from PySide6.QtWidgets import QApplication
from ctmri_core.events import Progress
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.training.history.history_page import HistoryPage
from ctmri_gui.training.trainings import Trainings

def allocating(stop):
    while not stop():
        for _ in range(200):
            one = []
            one.append([one])
        time.sleep(0.001)
        yield Progress(done=0)

died = []
app = QApplication([])
gc.set_threshold(200, 2, 2)
always = Jobs()
always.run("Allocate", allocating)
for number in range(25):
    jobs = Jobs()
    trainings = Trainings(jobs, Path(sys.argv[1]))
    page = HistoryPage(trainings, jobs)
    page.show()
    trainings.refresh()
    page.show_run(Path(sys.argv[1]) / "none")
    page.compare
    jobs.run("Allocate", allocating)
    for each in (jobs, trainings, page, page.list.table, page.monitor):
        weakref.finalize(each, lambda: died.append(threading.current_thread() is threading.main_thread()))
    for _ in range(number % 4):
        app.processEvents()
    page.close()
    jobs.close()
    del jobs, trainings, page, each
    app.processEvents()
assert not gc.isenabled()
stop_and_join_all()
assert gc.isenabled()
app.processEvents()
print(len(died) > 50, all(died))
"""


def test_what_is_let_go_dies_on_the_interface_thread_whatever_jobs_allocate(tmp_path):
    """Otherwise Qt aborts the program now and then: `pure virtual method called`."""
    command = [sys.executable, "-X", "faulthandler", "-c", _LET_GO, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True True"), done.stderr[-2000:]
    assert "Traceback" not in done.stderr, done.stderr[-2000:]


def test_an_answer_is_not_given_to_what_was_destroyed(qtbot):
    class Owner(QObject):
        def take(self, answer):
            heard.append(answer)

    heard: list[str] = []
    jobs, owner = Jobs(), Owner()
    state = jobs.run("count", counting, on_result=owner.take)
    latest = Latest(jobs)
    latest.ask("count", counting, owner.take)
    shiboken6.delete(owner)
    qtbot.waitUntil(lambda: not jobs.running, timeout=5000)
    assert state.end == Finished(reason="completed")
    assert heard == []


BUILDING = """
import gc, sys, threading, time
from PySide6.QtCore import QCoreApplication
from ctmri_gui.jobs.collecting import Collecting
app, failed, over = QCoreApplication([]), [], threading.Event()
collecting = Collecting()
sys.setswitchinterval(1e-6)
gc.disable()
gc.set_threshold(1, 1, 1)

def slow(k):
    time.sleep(0)
    return [k]

def build():
    while not over.is_set() and not failed:
        try:
            tuple(slow(k) for k in range(60))
        except SystemError as error:
            failed.append(error)

threads = [threading.Thread(target=build) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(6000):
    collecting._old = 0
    collecting._look()
over.set()
for thread in threads:
    thread.join()
print(failed)
"""


def test_collecting_leaves_tuples_alone_that_a_job_is_building():
    said = subprocess.run([sys.executable, "-c", BUILDING], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
