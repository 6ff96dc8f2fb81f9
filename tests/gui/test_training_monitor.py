from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton

from ctmri_core.domain import Direction
from ctmri_core.events import (
    CheckpointSaved,
    Event,
    Finished,
    Health,
    Noted,
    Paused,
    Progress,
    Sample,
    Started,
    Step,
    StopSignal,
    Validated,
    now,
)  # fmt: skip
from ctmri_core.registry import find_card
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import Curve, RunRecord
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.training.live_run import LiveRun
from ctmri_gui.training.monitor import tensorboard, words
from ctmri_gui.training.monitor.health_words import readings
from ctmri_gui.training.monitor.monitor import Monitor
from ctmri_gui.training.monitor.series import Mean, Series
from ctmri_gui.training.trainings import Trainings
from tests.gui.conftest import laid_out

WAIT = 20_000
TINY = {"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16}
SHORT = {
    "iterations": 8, "crop": 16, "batch_size": 2, "spacing_mm": 8.0, "validate_every": 4, "validation_slices": 2,
    "device": "cpu", "precision": "32", "tensorboard": False,
}  # fmt: skip


def plan(**changed) -> RunPlan:
    return RunPlan.made(find_card("pix2pix"), "phantom:3", Direction.parse("ct_to_mr_t1"), config=TINY, **changed)


def step(iteration: int, **more) -> Step:
    losses = {"l1": 1 / iteration, "gan": 2.0 + (iteration % 2)}
    base = {"epoch": iteration // 10, "losses": losses, "learning_rate": 1e-4, "seconds": 0.5, "elapsed": iteration * 0.5}
    return Step(**({"iteration": iteration, "share": iteration / 100, "seconds_left": 50.0} | base | more))


def started(**details) -> Started:
    return Started(job="Training", total=100, unit="steps", at=now(), details={"device": "cpu", "precision": "32", **details})


class Script:
    """A run that says what it is told to, and ends when it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.run = LiveRun(plan(), folder, "thread")
        self._events: list[Event] = []
        self._said = threading.Event()

    def say(self, *events: Event) -> None:
        self._events.extend(events)
        self._said.set()

    def work(self, stop: StopSignal) -> Iterator[Event]:
        while not stop():
            self._said.wait(0.02)
            while self._events:
                event = self._events.pop(0)
                yield event
                if isinstance(event, Finished):
                    return
            self._said.clear()
        yield Finished(reason="stopped", message="")


@pytest.fixture
def jobs(qapp) -> Jobs:
    return Jobs()


@pytest.fixture
def monitor(qtbot, jobs) -> Iterator[Monitor]:
    made = Monitor(jobs)
    qtbot.addWidget(made)
    made.resize(1000, 800)
    made.show()
    qtbot.waitUntil(lambda: "Tick" in made.curves._empty.text() or made.curves._module is not None, timeout=WAIT)
    yield made
    made.tensorboard.end()


@pytest.fixture
def script(tmp_path, jobs, monitor) -> Script:
    made = Script(tmp_path / "run-1")
    made.run.begin(jobs, made.work)
    monitor.follow(made.run)
    return made


def picture(path: Path, value: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((30, 60), value, np.uint8)).save(path)
    return path


def sample(path: Path, iteration: int, way: str = "CT → T1 MR") -> Sample:
    return Sample(iteration=iteration, path=str(path), caption=f"{way}: source, synthetic, target")


# Numbers ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.01, 0.5, 0.99])
def test_the_running_mean_is_the_one_of_its_definition_whatever_the_pieces(smoothing):
    values = np.random.default_rng(0).normal(size=9000)
    values[7] = np.nan
    mean = Mean(smoothing)
    found = np.concatenate([mean.of(values[:5]), mean.of(values[5:6000]), mean.of(values[6000:])])
    total = weight = 0.0
    for value, smooth in zip(values, found, strict=True):
        if np.isnan(value):
            assert np.isnan(smooth)
            continue
        total, weight = smoothing * total + (1 - smoothing) * value, smoothing * weight + 1 - smoothing
        assert smooth == pytest.approx(total / weight, rel=1e-9, abs=1e-12)


def test_a_curve_that_a_resumed_run_says_anew_is_taken_anew():
    curve, series = Curve([1, 2, 3], [1.0, 2.0, 3.0]), Series()
    assert series.take(curve)
    assert not series.take(curve)
    curve.cut(1)
    for iteration, value in ((2, 7.0), (3, 8.0), (4, 9.0)):
        curve.add(iteration, value)
    series.take(curve)
    assert series.raw.tolist() == [1.0, 7.0, 8.0, 9.0]
    assert (series.at(2.4), series.at(99.0), series.last()) == (7.0, 9.0, 9.0)
    assert Series().at(1.0) is None


def test_a_resumed_runs_record_forgets_what_comes_anew():
    best = Validated(iteration=20, metrics={"mae_percent": 3.0}, best=True)
    record = RunRecord.of([started(from_step=0), step(10), step(20), best, CheckpointSaved(iteration=10, path="")])
    record.hear(started(from_step=10))
    assert record.losses["l1"].iterations == [10]
    assert record.best is None
    assert record.checkpoints == [10]


def test_numbers_are_said_as_people_say_them():
    assert [words.duration(seconds) for seconds in (42, 725, 7500, 100_000)] == ["0:42 min", "12 min", "2 h 05 min", "1 d 3 h"]
    assert (words.rate(0.25), words.rate(3)) == ("4.0 steps per s", "3.0 s per step")
    assert words.score("mae_hu", 84.26) == "error 84.3 HU"
    assert words.number(float("nan")) == "no number"
    assert words.signal_of("judged_real_mr_t1") == "real T1 MR"
    assert words.signal_of("saturation_ct_to_mr_t1") == "CT → T1 MR"
    then = datetime(2026, 1, 1, tzinfo=UTC)
    assert [words.ago(then, then + timedelta(seconds=s)) for s in (1, 40, 125)] == ["just now", "40 s ago", "2 min ago"]


# A run that goes on -------------------------------------------------------------------------------------------------------


def test_the_header_says_where_the_run_stands(qtbot, monitor, script):
    script.say(Progress(done=3, total=9, unit="cases", message="preparing"))
    qtbot.waitUntil(lambda: "3 of 9 cases" in monitor.header.sentence.text(), timeout=WAIT)
    assert monitor.header.state.text() == "Preparing"
    script.say(started(), step(1), step(2), Health(iteration=2, signals={"memory_gib": 3.25, "memory_free_gib": 5.0}))
    script.say(Validated(iteration=2, metrics={"mae_percent": 17.2}, best=True))
    script.say(CheckpointSaved(iteration=2, path="", at=now()), step(3))
    qtbot.waitUntil(lambda: monitor.header.fact("Steps") == "3 of 100", timeout=WAIT)
    told = {name: monitor.header.fact(name) for name in ("Epoch", "Speed", "Elapsed", "Memory", "Device", "Time left")}
    assert told == {
        "Epoch": "1", "Speed": "2.0 steps per s", "Elapsed": "0:02 min", "Memory": "3.2 GiB (5.0 free)",
        "Device": "processor, 32 bit", "Time left": "about 0:50 min",
    }  # fmt: skip
    assert monitor.header.fact("Best so far") == "error 17.2 % at step 2"
    assert monitor.header.fact("Last checkpoint").endswith(("just now, step 2", " ago, step 2"))
    assert monitor.header.state.text() == "Training"
    assert monitor.header.share.text() == "3 %"
    script.say(step(4), sample(Path("none.png"), 4), Health(iteration=4, signals={}))
    qtbot.waitUntil(lambda: monitor.header.state.text() == "Validating", timeout=WAIT)


def test_many_events_are_shown_together(qtbot, monitor, script, monkeypatch):
    updates: list[int] = []
    follow = monitor.curves.follow
    monkeypatch.setattr(monitor.curves, "follow", lambda: (updates.append(1), follow()))
    script.say(started(), *(step(number) for number in range(1, 2001)))
    qtbot.waitUntil(lambda: last_drawn(monitor) == 2000, timeout=WAIT)
    assert monitor.header.fact("Steps").startswith("2\u2009000")
    assert len(updates) < 100


def last_drawn(monitor: Monitor) -> float | None:
    """The last step of the curve of a loss: the head, which a clock moves too, may be ahead of it."""
    series = monitor.curves._series.get("loss/l1")
    return None if series is None or not len(series.x) else float(series.x[-1])


def test_orders_go_to_the_run_and_show_what_is_under_way(qtbot, monitor, script):
    presses, under_way = monitor.controls.presses, monitor.controls.under_way
    assert not presses["pause"].isEnabled()
    assert presses["stop"].isEnabled()
    script.say(started(), step(1))
    qtbot.waitUntil(lambda: presses["pause"].isEnabled(), timeout=WAIT)
    presses["pause"].click()
    assert script.run.orders.paused
    assert "Pausing" in under_way.text()
    script.say(Paused(iteration=1, paused=True))
    qtbot.waitUntil(lambda: monitor.header.state.text() == "Paused", timeout=WAIT)
    assert presses["pause"].text() == "&Resume"
    presses["pause"].click()
    assert not script.run.orders.paused
    script.say(Paused(iteration=1, paused=False))
    presses["epoch"].click()
    assert script.run.orders.ends_with_epoch
    assert "epoch" in under_way.text()
    presses["epoch"].click()
    assert not script.run.orders.ends_with_epoch
    presses["sample"].click()
    assert "Sample" in under_way.text()
    assert presses["sample"].isEnabled()
    assert script.run.orders.take("sample")
    script.say(sample(Path("none.png"), 1), step(2))
    qtbot.waitUntil(lambda: "Sample" not in under_way.text(), timeout=WAIT)
    presses["stop"].click()
    assert "at most 10 s" in under_way.text()
    assert not presses["stop"].isEnabled()
    qtbot.waitUntil(lambda: monitor.end.isVisible(), timeout=WAIT)
    assert monitor.end.reason.text().startswith("Stopped")
    assert not monitor.controls.isVisible()


def test_keys_reach_the_controls(qtbot, monitor, script):
    script.say(started(), step(1))
    qtbot.waitUntil(lambda: monitor.controls.presses["pause"].isEnabled(), timeout=WAIT)
    monitor.activateWindow()
    beside = QPushButton("beside", monitor.window())  # of the window, not of the page
    beside.show()
    beside.setFocus()
    qtbot.keyClick(beside, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert script.run.orders.paused


def test_discarding_names_what_is_lost_and_asks(qtbot, monitor, script):
    best = Validated(iteration=5, metrics={"mae_percent": 17.2}, best=True)
    script.say(started(), step(5), best, CheckpointSaved(iteration=5, path=""), step(6))
    qtbot.waitUntil(lambda: monitor.header.fact("Steps") == "6 of 100", timeout=WAIT)
    monitor.controls.presses["discard"].click()
    question = monitor.controls.findChild(QMessageBox)
    lost = question.informativeText()
    for what in ("run-1", "6 steps", "error 17.2 %", "checkpoint"):
        assert what in lost
    press(question, "Keep it")
    assert script.run.running
    monitor.controls.presses["discard"].click()
    question = next(box for box in monitor.controls.findChildren(QMessageBox) if box.isVisible())
    with qtbot.waitSignal(monitor.discardWanted, timeout=WAIT) as wanted:
        press(question, "Discard the run")
    assert wanted.args == [script.run.folder]
    assert not script.run.running
    assert "No run goes on" in monitor._empty.findChild(QLabel).text()
    assert not monitor.header.isVisible()


def press(box: QMessageBox, text: str) -> None:
    next(each for each in box.buttons() if each.text() == text).click()


def test_a_failure_is_said_with_its_log_and_a_way_out(qtbot, monitor, script, qapp):
    script.say(started(), step(1), Finished(reason="failed", message="Memory ran out.", log="first\nlast line"))
    qtbot.waitUntil(lambda: monitor.end.isVisible(), timeout=WAIT)
    assert monitor.end.reason.text() == "Failed: Memory ran out."
    assert monitor.end.log.isVisible()
    monitor.end.copy.click()
    assert qapp.clipboard().text() == "first\nlast line"
    ways = ((monitor.end.resume_button, monitor.resumeWanted), (monitor.end.smaller_button, monitor.smallerWanted))
    for button, signal in ways:
        with qtbot.waitSignal(signal) as wanted:
            button.click()
        assert wanted.args == [script.run.folder]
    monitor.end.unfold.click()
    assert not monitor.end.log.isVisible()


def test_settings_are_named_as_in_the_form_and_smaller_ones_come_first_where_the_same_would_not_fit(qtbot, monitor, script):
    refused = "The training step does not fit the memory of this device. Use a smaller --batch-size or --crop."
    script.say(started(), step(1), Noted(message="Gradients explode. Try with --clip-norm 1.", serious=True))
    script.say(Finished(reason="failed", message=refused))
    qtbot.waitUntil(lambda: monitor.end.isVisible(), timeout=WAIT)
    assert monitor.end.reason.text().endswith("Use a smaller “Batch size” or “Crop”.")
    assert "“Clip norm” 1" in monitor.health.advice.toPlainText() and "“Clip norm” 1" in monitor.end.log.toPlainText()
    assert monitor.end.smaller_button.property("primary") and not monitor.end.resume_button.property("primary")


def test_a_run_that_never_began_is_not_offered_for_resuming(qtbot, monitor, script):
    script.say(Finished(reason="crashed", message="The training process ended unexpectedly.", log="...\nMemoryError"))
    qtbot.waitUntil(lambda: monitor.end.isVisible(), timeout=WAIT)
    assert not monitor.end.resume_button.isVisible() and monitor.end.smaller_button.isVisible()


def test_a_full_disk_asks_for_room_and_not_for_smaller_settings(qtbot, monitor, script):
    full = "latest.checkpoint could not be written: the disk is full. Nothing partial was left behind."
    script.say(started(), step(1), Finished(reason="failed", message=full))
    qtbot.waitUntil(lambda: monitor.end.isVisible(), timeout=WAIT)
    assert monitor.end.reason.text().endswith("Make room on it, then resume.")
    assert monitor.end.resume_button.isVisible() and not monitor.end.smaller_button.isVisible()


def test_a_run_that_is_resumed_is_preparing_until_it_begins_anew(qtbot, jobs, monitor, tmp_path):
    script = Script(tmp_path / "run-3")
    for event in (started(), step(1), step(2), Finished(reason="stopped")):
        script.run.record.hear(event)
    script.run.begin(jobs, script.work)
    monitor.follow(script.run)
    assert monitor.header.state.text() == "Preparing"
    assert not monitor.controls.presses["pause"].isEnabled()
    script.say(started(from_step=1), step(2))
    qtbot.waitUntil(lambda: monitor.header.state.text() == "Training" and last_drawn(monitor) == 2, timeout=WAIT)
    assert monitor.curves._series["loss/l1"].x.tolist() == [1, 2]


# Curves -------------------------------------------------------------------------------------------------------------------


def finished_run(folder: Path, count: int = 60, *more: Event) -> RunFolder:
    run = RunFolder(folder)
    best = Validated(iteration=30, metrics={"mae_percent": 9.0, "ssim": 0.5}, best=True)
    steps = [step(number) for number in range(1, count + 1)]
    for event in (started(), *steps, best, CheckpointSaved(iteration=40, path=""), *more):
        run.log(event)
    run.log(Finished(reason="completed", message=""))
    run.write_config(plan().stored())
    return run


@pytest.fixture
def shown(qtbot, monitor, tmp_path) -> Monitor:
    """A run that is over."""
    run = finished_run(tmp_path / "run-2", 60, Noted(message="Look at this.", serious=True))
    monitor.show_run(run.path)
    qtbot.waitUntil(lambda: set(monitor.curves.plots) == {"Losses", "Validation: error (%)"}, timeout=WAIT)
    return monitor


def test_a_run_that_is_over_is_shown_as_it_went(shown):
    assert shown.end.reason.text() == "Finished: All 60 steps are done."
    assert shown.end.verdict_button.isVisible()
    assert not shown.end.resume_button.isVisible()
    assert "▲ After 60 steps" in shown.health.advice.toPlainText()
    assert shown.header.title.text() == "run-2: pix2pix, CT → T1 MR"


def tick(curves, plot: str, state: Qt.CheckState) -> None:
    """The first curve under the title of `plot`."""
    (head,) = curves.findItems(plot, Qt.MatchFlag.MatchExactly)
    head.child(0).setCheckState(0, state)


def test_curves_are_chosen_smoothed_and_read(qtbot, shown):
    curves = shown.curves
    tick(curves.list, "Learning rate", Qt.CheckState.Checked)
    assert list(curves.plots) == ["Losses", "Validation: error (%)", "Learning rate"]
    tick(curves.list, "Validation: error (%)", Qt.CheckState.Unchecked)
    assert "Validation: error (%)" not in curves.plots
    curves.smoothing.setValue(0)
    curves.read_at(20.2)
    assert curves.list.value("loss/l1") == "0.05"
    assert "Step 20" in curves.readout.text()
    assert "L1 0.05" in curves.readout.text()
    curves.smoothing.setValue(99)
    assert float(curves.list.value("loss/l1")) > 0.05
    curves.read_at(None)
    assert "Last" in curves.readout.text()
    assert {plot.widget.accessibleName() for plot in curves.plots.values()} == {"Curves: Losses", "Curves: Learning rate"}


def test_plots_obey_the_keyboard_together(qtbot, shown):
    curves = shown.curves
    curves.log.setChecked(True)
    plot, other = curves.plots["Losses"], curves.plots["Validation: error (%)"]
    plot.widget.setFocus()
    qtbot.waitUntil(lambda: plot.box.viewRange()[0][1] >= 60, timeout=WAIT)  # all 60 steps are drawn
    whole = plot.box.viewRange()[0]
    for _ in range(3):
        qtbot.keyClick(plot.widget, Qt.Key.Key_Plus)
    zoomed = plot.box.viewRange()[0]
    assert zoomed[1] - zoomed[0] == pytest.approx((whole[1] - whole[0]) * 0.8**3, rel=1e-3)
    assert other.box.viewRange()[0] == pytest.approx(zoomed, rel=0.02)
    qtbot.keyClick(plot.widget, Qt.Key.Key_Right)
    assert plot.box.viewRange()[0][0] > zoomed[0]
    qtbot.keyClick(plot.widget, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert "Step" in curves.readout.text()
    qtbot.keyClick(plot.widget, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: plot.box.viewRange()[0] == pytest.approx(whole, abs=1), timeout=WAIT)


def test_values_that_cannot_be_drawn_do_no_harm(qtbot, monitor, script):
    curves = monitor.curves
    curves.log.setChecked(True)
    bad = [step(2, losses={"l1": float("nan"), "gan": -1.0}), step(3, losses={"l1": float("inf"), "gan": 0.0})]
    script.say(started(), step(1), *bad, step(4, losses={"l1": float("nan"), "gan": 1.0}))
    qtbot.waitUntil(lambda: monitor.left.tabText(monitor.left.indexOf(monitor.health)) == "Health ▲ 1", timeout=WAIT)
    qtbot.waitUntil(lambda: last_drawn(monitor) == 4, timeout=WAIT)
    assert curves.list.value("loss/l1") == "no number"
    assert "Loss L1" in monitor.health.worth_a_look


def test_both_themes_and_large_text_are_followed(qtbot, shown, dressed):
    for theme, size in (("light", 20), ("dark", 13)):
        dressed(theme, size)
        shown.resize(900, 600)
        ground = shown.curves.plots["Losses"].widget.backgroundBrush
        qtbot.waitUntil(lambda theme=theme, ground=ground: (ground().color().lightness() > 200) is (theme == "light"))
        laid_out(qtbot, shown)
        assert shown.minimumSizeHint().width() <= 900


def test_in_a_wide_window_pictures_stand_beside_the_curves(qtbot, shown):
    shown.resize(1500, 900)
    assert [shown.right.tabText(place) for place in range(shown.right.count())] == ["Pictures", "Health ▲ 1"]
    shown.resize(900, 700)
    assert shown.right.count() == 0
    assert [shown.left.tabText(place) for place in range(3)] == ["Curves", "Pictures", "Health ▲ 1"]


# Pictures -----------------------------------------------------------------------------------------------------------------


def test_pictures_follow_the_newest_until_an_older_one_is_looked_at(qtbot, monitor, script, tmp_path):
    previews = monitor.previews
    assert "no sample picture yet" in previews.canvas.words
    files = [picture(tmp_path / f"run-1/samples/{number}.png", number) for number in (10, 20, 30)]
    script.say(started(), step(1), *(sample(file, number) for file, number in zip(files[:2], (10, 20), strict=True)))
    qtbot.waitUntil(lambda: "after 20 steps" in previews.canvas.accessibleName(), timeout=WAIT)
    previews.slider.setFocus()
    qtbot.keyClick(previews.slider, Qt.Key.Key_Left)
    assert not previews.newest.isChecked()
    script.say(sample(files[2], 30), sample(picture(tmp_path / "run-1/samples/b.png"), 30, "T1 MR → CT"))
    qtbot.waitUntil(lambda: previews.slider.maximum() == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: "after 10 steps" in previews.canvas.accessibleName(), timeout=WAIT)
    previews.newest.setChecked(True)
    qtbot.waitUntil(lambda: "after 30 steps" in previews.canvas.accessibleName(), timeout=WAIT)
    assert "not for diagnosis" in previews.canvas.accessibleName()
    assert previews.place.text() == "step 30 (3 of 3)"
    assert previews.direction.count() == 2
    previews.direction.setCurrentIndex(1)
    previews.direction.activated.emit(1)
    qtbot.waitUntil(lambda: previews.canvas.accessibleName().startswith("T1 MR → CT"), timeout=WAIT)
    previews.size_choice.setCurrentIndex(1)
    assert previews.canvas.minimumWidth() == 60


def test_pictures_that_are_gone_or_damaged_are_said_in_words(qtbot, monitor, script, tmp_path):
    damaged = picture(tmp_path / "run-1/samples/1.png")
    damaged.write_bytes(damaged.read_bytes()[:-20])
    script.say(started(), step(1), sample(damaged, 1))
    qtbot.waitUntil(lambda: "cannot be shown" in monitor.previews.canvas.words, timeout=WAIT)
    assert monitor.previews.canvas._image is None
    script.say(sample(tmp_path / "run-1/samples/2.png", 2))
    qtbot.waitUntil(lambda: "2.png is gone" in monitor.previews.canvas.words, timeout=WAIT)


def test_pictures_of_a_run_that_was_moved_are_found(qtbot, monitor, tmp_path):
    picture(tmp_path / "moved/samples/9.png")
    finished_run(tmp_path / "moved", 5, sample(tmp_path / "before/samples/9.png", 5))
    monitor.show_run(tmp_path / "moved")
    qtbot.waitUntil(lambda: monitor.previews.canvas._image is not None, timeout=WAIT)


# Health -------------------------------------------------------------------------------------------------------------------


def test_signs_of_health_are_words_and_small_numbers():
    signals = {
        "gradient_generator": 3.0, "judged_real_mr_t1": 1.5, "judged_synthetic_mr_t1": 1.6, "loss_ratio": 0.2,
        "saturation_ct_to_mr_t1": 0.6, "variety_ct_to_mr_t1": 0.05, "memory_gib": 6.0, "memory_free_gib": 0.4,
    }  # fmt: skip
    events = [Health(iteration=600 + number, signals=signals) for number in range(9)]
    record = RunRecord.of([step(1), *events, Health(iteration=700, signals=signals | {"gradient_generator": 300.0})])
    told = {reading.name: reading for reading in readings(record, None)}
    assert told["Discriminator of T1 MR"].value == "real 1.5, synthetic 1.6"
    assert "more real" in told["Discriminator of T1 MR"].meaning
    assert "100 times" in told["Gradient of generator"].meaning
    assert told["Memory"].value == "6.0 GiB, 0.4 free"
    watched = {name for name, reading in told.items() if reading.watch}
    assert watched == {"Gradient of generator", "Saturation, CT → T1 MR", "Variety, CT → T1 MR", "Memory"}


# With the real parts ------------------------------------------------------------------------------------------------------


def test_a_run_that_begins_anew_has_no_signs_of_health_yet():
    signals = {"judged_real_ct": 0.9, "judged_synthetic_ct": 0.1, "loss_ratio": 0.5, "gradient_generator": 1.0, "variety_ct": 0.5}
    record = RunRecord.of([started(), Health(iteration=1, signals=signals), started(from_step=0)])
    assert list(readings(record, None)) == []


def test_a_real_run_is_followed_to_its_end(qtbot, monitor, jobs, tmp_path):
    trainings = Trainings(jobs, tmp_path)
    trainings.begun.connect(monitor.follow)
    trainings.start(plan(settings=SHORT), tmp_path / "real", "thread")
    qtbot.waitUntil(lambda: monitor.end.isVisible(), timeout=120_000)
    assert monitor.end.reason.text().startswith("Finished"), monitor.end.reason.text()
    assert monitor.header.fact("Steps") == "8 of 8"
    assert "error" in monitor.header.fact("Best so far")
    qtbot.waitUntil(lambda: monitor.previews.canvas._image is not None, timeout=WAIT)
    assert {"loss/l1", "rate", "metric/mae_percent", "signal/memory_gib"} <= set(monitor.curves._kinds)
    qtbot.waitUntil(lambda: not jobs.running, timeout=WAIT)


def test_tensorboard_starts_beside_the_program_and_ends_with_it(qtbot, monitor, tmp_path, monkeypatch):
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    monkeypatch.setattr(tensorboard, "_PATIENCE_MS", 500_000)
    monitor.tensorboard.show(tmp_path / "none")
    assert "no TensorBoard logs" in monitor.message.text()
    (tmp_path / "logs").mkdir()
    monitor.tensorboard.show(tmp_path / "logs")
    qtbot.waitUntil(lambda: bool(opened), timeout=90_000)
    assert opened[0].host() in ("localhost", "127.0.0.1")
    process = monitor.tensorboard._running[tmp_path / "logs"]
    monitor.tensorboard.end()
    qtbot.waitUntil(lambda: process.state() == process.ProcessState.NotRunning, timeout=WAIT)
