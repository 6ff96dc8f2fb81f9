"""Training from the main window: real tiny runs, on a thread and in a process, from beginning to end."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QShortcut
from PySide6.QtWidgets import QMessageBox, QPushButton

from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Step, Validated
from ctmri_core.training.estimate import Estimate
from ctmri_gui.jobs.job import _alive, stop_and_join_all
from ctmri_gui.training import training_work
from ctmri_gui.training.live_run import LiveRun
from ctmri_gui.training.new_run.draft import KnownData
from ctmri_gui.training.training_window import CURRENT, NEW, RUNS, TITLE
from ctmri_gui.training.where import best_place
from tests.gui.conftest import write_model
from tests.gui.kept_runs import broken_off, tiny_plan

WAIT = 90_000


@pytest.fixture
def window(make_window, runs):
    """The main window over a folder with one finished run."""
    return make_window()


def end(window, qtbot) -> None:
    """As a signal would; while anything goes on, a window does not close at once."""
    window.training.end()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)


@pytest.fixture
def training(window):
    return window.training


def begin(training, where="thread", name="new", **settings):
    plan = tiny_plan(**{"iterations": 100_000, "validate_every": 1000, **settings})
    return training.trainings.start(plan, training.trainings.folder / name, where)


def until_it_steps(qtbot, run) -> None:
    qtbot.waitUntil(lambda: run.record.last_step is not None, timeout=WAIT)


def question(window) -> QMessageBox:
    return window.findChild(QMessageBox, "closing_question")


def press(box: QMessageBox, text: str) -> None:
    next(button for button in box.buttons() if text in button.text().replace("&", "")).click()


def offers(bars) -> dict[str, QPushButton]:
    return {button.text(): button for button in bars.findChildren(QPushButton)}


# Where ----------------------------------------------------------------------------------------------------------------


def test_a_run_trains_beside_the_window_unless_something_speaks_against_it():
    tight = Estimate(memory_bytes=9, free_bytes=10)
    roomy = Estimate(memory_bytes=1, free_bytes=10)
    assert best_place().where == "thread"
    assert best_place(tiny_plan(), estimate=roomy).where == "thread"
    assert best_place(estimate=tight).where == "process"
    assert best_place(reading=True).where == "process"
    assert best_place(broke_off=True).where == "process"
    several = best_place(tiny_plan(devices=2, batch_size=2))
    assert (several.where, several.only) == ("process", True)
    assert all(best_place(estimate=each).reason for each in (tight, roomy))


# The window -----------------------------------------------------------------------------------------------------------


def test_the_training_window_comes_with_the_command_and_remembers_its_place(window, training, qtbot):
    assert training._window is None  # nothing of it is made before
    window.command["train"].trigger()
    trainer = training.window
    assert trainer.isVisible()
    assert trainer.windowTitle() == TITLE
    assert not trainer.isModal()
    assert trainer.page == NEW
    trainer.resize(900, 640)
    trainer.close()
    assert window.settings["training_geometry"]
    assert window.isVisible()
    window.command["train"].trigger()
    assert trainer.size().toTuple() == (900, 640)
    for number, name in enumerate(("New run", "Current run", "Runs")):
        way = trainer._group.button(number)
        assert way.text().replace("&", "") == name
        assert way.focusPolicy() & Qt.FocusPolicy.TabFocus
        way.click()
        assert trainer.page == number
        assert f"Ctrl+{number + 1}" in way.toolTip()
    trainer.findChildren(QShortcut)[0].activated.emit()
    assert trainer.page == NEW
    end(window, qtbot)


def test_a_folder_that_is_dropped_fills_the_data_page(window, training, tmp_path, qtbot):
    training.open()
    trainer = training.window
    trainer.go(RUNS)
    data = QMimeData()
    (tmp_path / "scans").mkdir()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "scans"))])
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    trainer.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, *none))
    assert trainer.page == NEW
    assert trainer.draft.source == str(tmp_path / "scans")
    end(window, qtbot)


def test_a_run_is_shown_listed_judged_and_its_model_offered(window, training, qtbot):
    training.open()
    trainer = training.window
    names = []
    training.trainings.begun.connect(lambda run: run.heard.connect(lambda event: names.append(type(event))))
    run = begin(training, name="mine", iterations=4, validate_every=2)
    assert trainer.page == CURRENT
    assert run.state.show is not None
    qtbot.waitUntil(lambda: Validated in names, timeout=WAIT)
    with qtbot.waitSignal(trainer.history.verdict.judged, timeout=WAIT):
        qtbot.waitUntil(lambda: not run.running, timeout=WAIT)
    assert Step in names
    assert trainer.page == RUNS
    assert trainer.history.stack.currentWidget() is trainer.history.verdict
    assert "keeping" in trainer.history.verdict.sentence.text()
    library = window.session.library
    qtbot.waitUntil(lambda: any(library.run_of(entry) == "mine" for entry in library.entries), timeout=WAIT)
    with qtbot.waitSignal(trainer.modelWanted):
        trainer.history.verdict.use.click()
    qtbot.waitUntil(lambda: library.chosen is not None and library.run_of(library.chosen) == "mine", timeout=WAIT)
    shown = [window.translation.models.index(row).data() for row in range(window.translation.models.rowCount())]
    assert any(text.startswith("pix2pix CT") and "your run" in text for text in shown)
    assert "your run mine" in window.translation.standing.text()
    end(window, qtbot)


def test_models_of_runs_go_with_the_run_and_stay_when_kept(window, training, qtbot):
    library = window.session.library
    training.open()
    entry = next(entry for entry in library.entries if library.run_of(entry) == "pix2pix-001")
    with qtbot.waitSignal(library.added, timeout=WAIT):
        training.window.history.keepWanted.emit(entry.path)
    with qtbot.waitSignal(training.trainings.listed, timeout=WAIT):
        training.trainings.delete([entry.path.parents[1]])
    qtbot.waitUntil(lambda: not any(library.run_of(each) for each in library.entries), timeout=WAIT)
    assert any(each.path.parent == library._folders[-1] for each in library.entries)
    end(window, qtbot)


def test_a_model_that_lies_in_a_run_is_not_taken_unasked_where_there_is_another(window, training, qtbot, tmp_path):
    library = window.session.library
    assert library.run_of(library.chosen) == "pix2pix-001"  # there is no other
    write_model(tmp_path / "models" / "other.safetensors", demo=True)
    with qtbot.waitSignal(library.changed, timeout=WAIT):
        library.refresh()
    library.choose(None)
    library.choose(library.fitting(None, None, None))
    assert library.chosen.path.stem == "other"


def test_a_template_and_fine_tuning_fill_the_draft(window, training, qtbot):
    training.open()
    trainer = training.window
    plan = tiny_plan(seed=11)
    trainer.history.templateWanted.emit(plan, None)
    assert trainer.page == NEW
    assert trainer.draft.values("settings")["seed"] == 11
    assert trainer.draft.direction == plan.direction
    assert trainer.messages.texts
    trainer.history.templateWanted.emit(plan, trainer._trainings.folder / "model.safetensors")
    assert trainer.draft.values("settings")["start_from"].endswith("model.safetensors")
    assert trainer.draft.values("config")["learning_rate"] == pytest.approx(plan.config.learning_rate / 10)
    end(window, qtbot)


# Failures -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [TrainingFailed("Losses are no numbers (NaN)."), MemoryError(), ZeroDivisionError("DOE^JANE")])
def test_what_goes_wrong_in_the_thread_ends_in_words(window, training, qtbot, monkeypatch, error):
    def fail(*_):
        yield Step(iteration=1, epoch=0, losses={"l1": 1.0}, learning_rate=1e-4, seconds=0.1)
        raise error

    monkeypatch.setattr(training_work, "train_here", fail)
    training.open()
    run = begin(training)
    qtbot.waitUntil(lambda: training.live is None, timeout=WAIT)
    assert run.record.finished.reason in ("failed", "crashed")
    assert "DOE" not in run.record.finished.message
    assert run.record.finished.message
    assert training.window.monitor.end.isVisible()
    assert window.isEnabled()
    end(window, qtbot)


def test_a_process_that_is_killed_ends_in_words_and_the_window_goes_on(window, training, qtbot):
    training.open()
    run = begin(training, "process")
    until_it_steps(qtbot, run)
    children = psutil.Process().children(recursive=True)
    (trainer,) = [child for child in children if "--orders" in child.cmdline()]
    os.kill(trainer.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: training.live is None, timeout=WAIT)
    assert "killed" in run.record.finished.message
    assert window.isEnabled()
    end(window, qtbot)


def test_where_memory_runs_out_smaller_settings_are_found_filled_in_and_start(window, training, qtbot):
    training.open()
    run = begin(training, "process", crop=128, batch_size=2)
    until_it_steps(qtbot, run)
    (trainer,) = [child for child in psutil.Process().children(recursive=True) if "--orders" in child.cmdline()]
    trainer.kill()  # as a system without memory does
    qtbot.waitUntil(lambda: training.live is None, timeout=WAIT)
    assert run.record.finished.reason == "failed"
    own, end_panel = training.window, training.window.monitor.end
    assert "memory" in end_panel.reason.text() and "--" not in end_panel.reason.text()
    assert end_panel.smaller_button.isVisible()
    end_panel.smaller_button.click()
    assert "Cancel" in offers(own.messages)
    qtbot.waitUntil(lambda: own.page == NEW, timeout=WAIT)
    qtbot.waitUntil(lambda: not any("Looking" in text for text in own.messages.texts), timeout=WAIT)  # once that has ended
    assert any(text.startswith("Filled in, with smaller settings: ") for text in own.messages.texts)
    own.draft.choose(data=KnownData("phantom:3", (run.plan.direction.source, run.plan.direction.target), 9, 2, 3, 9))
    found = own.draft.plan()
    assert found.settings.accumulate > 1 or found.settings.crop < 128
    smaller = training.trainings.start(found, training.trainings.folder / "smaller", "thread")
    until_it_steps(qtbot, smaller)
    end(window, qtbot)


def test_smaller_settings_do_not_overwrite_what_is_put_together_meanwhile(window, training, runs, qtbot):
    own = training.window
    own.show_current()
    own._fit_memory(runs / "pix2pix-001")
    own.go(NEW)
    own.draft.choose(method="cut")
    qtbot.waitUntil(lambda: "Fill them in" in offers(own.messages), timeout=WAIT)
    assert own.draft.method == "cut"
    offers(own.messages)["Fill them in"].click()
    assert own.draft.method == "pix2pix"
    assert not any(text.startswith("Smaller settings were found") for text in own.messages.texts)
    own._fit_memory(runs / "pix2pix-001")
    offers(own.messages)["Cancel"].click()
    assert not any("Looking" in text for text in own.messages.texts)
    end(window, qtbot)


# Closing --------------------------------------------------------------------------------------------------------------


def test_closing_the_training_window_stops_nothing(window, training, qtbot):
    training.open()
    run = begin(training)
    until_it_steps(qtbot, run)
    training.window.close()
    assert run.running
    run.state.show()
    assert training.window.isVisible()
    assert training.window.page == CURRENT
    end(window, qtbot)


def test_closing_the_main_window_while_a_run_goes_on_asks_then_ends_it_and_keeps_its_state(window, training, qtbot):
    run = begin(training)
    until_it_steps(qtbot, run)
    assert not window.close()
    box = question(window)
    assert "resumed" in box.informativeText()
    press(box, "Cancel")
    assert window.isVisible()
    assert run.running
    qtbot.waitUntil(lambda: question(window) is None)
    assert not window.close()
    press(question(window), "Stop, keep")
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)
    assert not run.running
    assert run.record.finished.reason == "stopped"
    assert (run.folder / "checkpoints" / "latest.checkpoint").is_file()


@pytest.mark.parametrize("where", ["thread", "process"])
def test_the_end_of_the_program_leaves_no_process_behind(training, qtbot, where):
    run = begin(training, where)
    until_it_steps(qtbot, run)
    stop_and_join_all()
    assert not [child for child in psutil.Process().children(recursive=True) if "--orders" in child.cmdline()]
    assert (run.folder / "checkpoints" / "latest.checkpoint").is_file()


def test_starting_and_stopping_again_and_again_leaves_nothing_behind(window, training, qtbot, monkeypatch):
    def count(_plan, _folder, _resume, orders, stop):
        step = 0
        while not (stop() or orders.stop()):
            step += 1
            yield Step(iteration=step, epoch=0, losses={"l1": 1.0}, learning_rate=1e-4, seconds=0.001)
            time.sleep(0.001)

    monkeypatch.setattr(training_work, "train_here", count)
    training.open()
    for number in range(8):
        run = begin(training, name=f"run-{number}")
        until_it_steps(qtbot, run)
        run.ask("stop")
        qtbot.waitUntil(lambda: training.live is None, timeout=WAIT)
    qtbot.waitUntil(lambda: not _alive, timeout=WAIT)
    qtbot.waitUntil(lambda: len(training.trainings.findChildren(LiveRun)) <= 2, timeout=WAIT)
    end(window, qtbot)


# After an unclean end -------------------------------------------------------------------------------------------------


def test_an_interrupted_run_is_offered_once_and_not_now_is_remembered(make_window, runs, qtbot):
    broken_off(runs, "broken")
    window = make_window()
    qtbot.waitUntil(lambda: "Resume training" in offers(window.messages), timeout=WAIT)
    assert any("broken" in text and "interrupted" in text for text in window.messages.texts)
    offers(window.messages)["Not now"].click()
    assert not window.messages.texts
    again = make_window()
    qtbot.waitUntil(lambda: not again.session.jobs.running, timeout=WAIT)
    assert not again.messages.texts


def test_an_interrupted_run_goes_on_from_the_message(make_window, runs, qtbot):
    folder = broken_off(runs, "broken")
    window = make_window()
    qtbot.waitUntil(lambda: "Resume training" in offers(window.messages), timeout=WAIT)
    with qtbot.waitSignal(window.training.trainings.begun, timeout=WAIT) as begun:
        offers(window.messages)["Resume training"].click()
    run = begun.args[0]
    assert run.folder == folder
    assert run.where == "process"  # it may have taken the program with it
    assert run.record.losses  # curves go on where they ended
    end(window, qtbot)


def test_resuming_what_cannot_be_read_says_so(window, training, runs, qtbot):
    shutil.copytree(runs / "pix2pix-001", runs / "damaged")
    Path(runs / "damaged" / "config.json").write_text("[]")
    training.open()
    with qtbot.waitSignal(training.trainings.failed, timeout=WAIT):
        training.trainings.resume(runs / "damaged")
    assert training.live is None
    assert any("settings of a run" in text for text in training.window.messages.texts)
    end(window, qtbot)
