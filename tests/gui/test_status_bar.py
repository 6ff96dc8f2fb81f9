"""What the foot of the window and the tray say of jobs and memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from ctmri_core.events import Noted, Progress, Started, Step
from ctmri_gui.jobs import queue
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.jobs_panel import JobRow, JobsPanel
from ctmri_gui.status_bar import StatusBar
from ctmri_gui.viewer.readout import Readout
from ctmri_gui.viewer.roles import Role

STILL = 1e6


class Work:
    """Goes on when told, so that every state can be looked at."""

    def __init__(self, total: int | None = 4) -> None:
        self.total, self.go, self.done = total, threading.Semaphore(0), 0

    def __call__(self, stop):
        yield Started(job="work", total=self.total, unit="slices")
        while not stop():
            if self.go.acquire(timeout=0.01):
                self.done += 1
                yield Progress(done=self.done, total=self.total, unit="slices")
                if self.done == self.total:
                    return "done"
        return None


@pytest.fixture
def jobs(qtbot):
    made = Jobs()
    yield made
    made.close()
    qtbot.waitUntil(lambda: not made.running, timeout=5000)


@pytest.fixture
def foot(qtbot, jobs) -> Iterator[StatusBar]:
    window = QMainWindow()
    tray = QAction("Jobs", window)
    tray.setToolTip("What runs (Ctrl+J)")
    bar = window.foot = StatusBar(jobs, tray)
    window.setStatusBar(bar)
    window.resize(1600, 100)
    qtbot.addWidget(window)
    window.show()
    yield bar
    window.close()


def test_the_count_and_the_mean_progress_of_running_jobs(qtbot, foot, jobs) -> None:
    assert foot.jobs.isHidden()
    first, second = Work(), Work(total=None)
    jobs.run("First", first)
    qtbot.waitUntil(lambda: foot.jobs.text() == "1 job, 0%")
    jobs.run("Second", second)
    jobs.run("Small", Work(), listed=False)
    first.go.release(3)
    qtbot.waitUntil(lambda: foot.jobs.text() == "2 jobs, 75%")
    assert foot.jobs.accessibleName() == "2 jobs, 75% running" and "Ctrl+J" in foot.jobs.toolTip()
    with qtbot.waitSignal(foot.jobs._tray.triggered):
        qtbot.mouseClick(foot.jobs, Qt.MouseButton.LeftButton)
    jobs.stop_all()
    qtbot.waitUntil(foot.jobs.isHidden)


def test_memory_is_that_of_this_program(foot, qtbot) -> None:
    def is_told() -> bool:
        """Other programs take and give meanwhile: what is free then is another number a moment later."""
        foot.memory.look()
        used, free = (megabytes(part.removesuffix(" free")) for part in foot.memory.text().split(" in use, "))
        resident, available = psutil.Process().memory_info().rss, psutil.virtual_memory().available
        return used == pytest.approx(resident / 2**20, rel=0.1) and free == pytest.approx(available / 2**20, rel=0.2)

    qtbot.waitUntil(is_told)
    assert "of this program" in foot.memory.toolTip()
    foot.window().resize(700, 100)
    foot.memory.look()
    assert foot.memory.isHidden()


def megabytes(text: str) -> float:
    number, unit = text.split()
    return float(number) * (1024 if unit == "GB" else 1)


def test_each_job_of_the_tray_can_be_cancelled_and_forgotten(qtbot, jobs) -> None:
    panel = JobsPanel(jobs)
    qtbot.addWidget(panel)
    panel.show()
    jobs.run("First", Work())
    jobs.run("Second", Work())
    titles = [row._title.text() for row in panel._rows]
    assert titles == ["Second", "First"] and panel.forget.isHidden()
    panel._rows[1].cancel.click()
    qtbot.waitUntil(lambda: panel._rows[1].text.text() == "cancelled")
    assert panel._rows[0].state.running and not panel._rows[1].cancel.isVisible()
    panel.forget.click()
    assert [row.state.title for row in panel._rows] == ["Second"] and panel.forget.isHidden()


def test_time_goes_on_in_the_tray_where_work_says_nothing(qtbot, jobs) -> None:
    panel = JobsPanel(jobs)
    qtbot.addWidget(panel)
    panel.show()
    state = jobs.run("Silent", Work(total=None))
    state.started -= 65
    qtbot.waitUntil(lambda: panel.findChild(JobRow).text.text()[:11] in {f"working · {minutes}" for minutes in range(1, 6)})


@pytest.fixture
def still(monkeypatch) -> float:
    """What the clock of jobs says and stays at: a busy machine would take its time between two looks."""
    monkeypatch.setattr(queue, "time", SimpleNamespace(monotonic=lambda: STILL))
    return STILL


def state_after(seconds: float, *events: object) -> JobState:
    state = JobState("A job")
    for event in events:
        state.hear(event)
    state.started = state.part_began = STILL - seconds
    return state


def test_time_left_is_told_after_three_seconds_of_every_job_that_knows_how_far_it_is(still) -> None:
    known = Started(job="a", total=100, unit="slices"), Progress(done=20, total=100, unit="slices")
    assert state_after(1, *known).text == "20 of 100 slices"
    assert state_after(10, *known).text == "20 of 100 slices · 0:40 left"  # a fifth took ten seconds
    told = (*known, Progress(done=20, total=100, unit="slices", seconds_left=65.0))
    assert state_after(10, *told).text == "20 of 100 slices · 1:05 left"
    assert state_after(10, Started(job="a"), Noted(message="Reading")).text == "Reading · 0:10 so far"
    timing = Progress(done=0, message="timing"), Noted(message="The scan is coarse. Look at it with care.")
    assert state_after(10, *timing).text == "timing · 0:10 so far"  # what is said of the scan is not what is being done
    assert state_after(3 * 3600, Started(job="a")).text == "working · 3 h 0 min so far"
    step = Step(iteration=5, epoch=1, losses={}, learning_rate=0.1, seconds=0.01, share=0.25, seconds_left=None)
    assert state_after(30, Started(job="a"), step).text.endswith("1:30 left")


def test_a_second_part_of_a_job_is_estimated_from_its_own_beginning(still) -> None:
    state = state_after(100, Started(job="a", total=10), Progress(done=10, total=10))
    state.hear(Started(job="b", total=10, unit="files"))
    state.hear(Progress(done=5, total=10, unit="files"))
    assert state.part_began == still
    state.part_began = still - 4
    assert state.text == "5 of 10 files · 0:04 left"


def test_values_under_the_mouse_lose_their_place_and_names_before_a_number_is_cut(qtbot, foot):
    values = {Role.SOURCE: 43.0, Role.SYNTHETIC: 512.3, Role.TRUTH: None}
    labels = {Role.SOURCE: "CT", Role.SYNTHETIC: "Synthetic T1 MR", Role.TRUTH: "T1 MR"}
    read = Readout((12.3, 4.0, 55.1), values, labels, {Role.SOURCE: "HU", Role.SYNTHETIC: "a.u.", Role.TRUTH: "a.u."}, None)
    foot.cursor_text.set_forms(read.forms)
    seen = []
    for width in range(1600, 300, -50):
        foot.window().resize(width, 100)
        text = foot.cursor_text.text()
        seen += [] if seen and seen[-1] == text else [text]
    assert seen[:3] == [
        "L 12.3 · P 4.0 · S 55.1 mm   CT 43 HU   Synthetic T1 MR 512.3 a.u.   T1 MR outside",
        "CT 43 HU   Synthetic T1 MR 512.3 a.u.   T1 MR outside",
        "43 HU · 512.3 a.u. · outside",
    ]
    assert all("…" in text or not text for text in seen[3:])
