"""What a folder of runs tells of each, also of those that were killed, damaged, or go on."""

from __future__ import annotations

import os
import shutil
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError, TrainingFailed, WriteFailed
from ctmri_core.events import CheckpointSaved, Event, Finished, Noted, Started, Step, Validated
from ctmri_core.folder_lock import alone_in, is_held
from ctmri_core.registry import find_card
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.runs import delete_run, list_runs, summary_of


def made(path: Path, *events: Event, method: str = "pix2pix", **settings: object) -> RunFolder:
    folder = RunFolder(path)
    folder.path.mkdir(parents=True)
    plan = RunPlan.made(find_card(method), "phantom:2", Direction.parse("ct_to_mr_t1"), settings=settings)
    folder.write_config(plan.stored())
    for event in events:
        folder.log(event)
    return folder


def step(iteration: int, elapsed: float) -> Step:
    return Step(iteration=iteration, epoch=0, losses={"l1": float("nan")}, learning_rate=1e-4, seconds=0.1, elapsed=elapsed)


STARTED = Started(job="Training")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((STARTED, step(4, 2.5), Finished(reason="completed")), "completed"),
        ((STARTED, step(4, 2.5), Finished(reason="stopped", message="Stopped.")), "stopped"),
        ((STARTED, step(4, 2.5), Finished(reason="failed", message="The loss became nan.")), "failed"),
        ((STARTED, Finished(reason="stopped"), STARTED, step(4, 2.5)), "interrupted"),
        ((STARTED, step(4, 2.5)), "interrupted"),
    ],
)
def test_how_a_run_stands(tmp_path: Path, events: tuple[Event, ...], state: str):
    made(tmp_path / "run", *events)
    [run] = list_runs(tmp_path)
    assert (run.state, run.iteration, run.seconds) == (state, 4, 2.5) and run.can_go_on is (state != "completed")
    assert run.plan is not None and run.plan.card.name == "pix2pix"
    end = events[-1]
    assert run.message == (end.message if isinstance(end, Finished) else "")


def test_a_run_goes_on_while_its_folder_is_held(tmp_path: Path):
    made(tmp_path / "run", STARTED, step(1, 1.0))
    with alone_in(tmp_path / "run"):
        assert is_held(tmp_path / "run") and summary_of(tmp_path / "run").state == "running"
        assert not summary_of(tmp_path / "run").can_go_on
        with pytest.raises(TrainingFailed, match="goes on"):
            delete_run(tmp_path / "run")
        with pytest.raises(WriteFailed, match="Another"), alone_in(tmp_path / "run"):
            pass
    assert not is_held(tmp_path / "run") and not is_held(tmp_path) and not (tmp_path / ".lock").exists()
    assert summary_of(tmp_path / "run").state == "interrupted"
    delete_run(tmp_path / "run")
    assert list_runs(tmp_path) == () and list_runs(tmp_path / "none") == ()


def test_asking_whether_a_folder_is_held_is_in_nobody_s_way(tmp_path: Path):
    """The question keeps writers out for a moment."""
    with alone_in(tmp_path):
        pass
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            is_held(tmp_path)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(50):
            with alone_in(tmp_path):
                pass
    finally:
        over.set()
        asking.join()


def test_whoever_asks_and_is_taken_off_the_processor_just_then_is_no_writer(tmp_path: Path, monkeypatch):
    with alone_in(tmp_path):
        pass
    asking = threading.Thread(target=is_held, args=(tmp_path,))
    close, asked = os.close, threading.Event()

    def late(number: int) -> None:
        if threading.current_thread() is asking:
            asked.set()
            time.sleep(0.3)
        close(number)

    monkeypatch.setattr(os, "close", late)
    asking.start()
    assert asked.wait(100)
    assert not is_held(tmp_path)
    with alone_in(tmp_path):
        assert is_held(tmp_path)
    asking.join()


def test_the_best_and_the_models(tmp_path: Path):
    good = Validated(iteration=2, metrics={"ct_to_mr_t1/mae_percent": 4.0, "mr_t1_to_ct/mae_hu": 90.0}, best=True)
    worse = Validated(iteration=4, metrics={"ct_to_mr_t1/mae_percent": 5.0, "mr_t1_to_ct/mae_hu": 80.0})
    folder = made(tmp_path / "run", STARTED, good, worse, step(5, 1.0), method="cyclegan")
    folder.models.mkdir()
    for name in ("cyclegan-ct_to_mr_t1-last", "cyclegan-ct_to_mr_t1-best"):
        (folder.models / f"{name}.safetensors").touch()
    [run] = list_runs(tmp_path)
    assert run.best == good and run.own_best == ("mae_percent", 4.0)
    assert [path.stem for path in run.models] == ["cyclegan-ct_to_mr_t1-best", "cyclegan-ct_to_mr_t1-last"]


def test_damage_is_listed_with_what_is_wrong(tmp_path: Path):
    """Lines cut short and of other kinds are left out; a run whose settings cannot be read does not hide the others."""
    folder = made(tmp_path / "cut", STARTED, Noted(message="x"), CheckpointSaved(iteration=1, path="p"), step(3, 1.5))
    with folder.events.open("ab") as events:
        events.write(b'\xff\xfe\n{"kind":"step","iteration":9,"epo')
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.json").write_text("{")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"method": "no such method", "data": "d", "direction": "ct_to_mr_t1"}')
    (tmp_path / "no run").mkdir()
    (tmp_path / "a file").touch()
    runs = {run.folder.name: run for run in list_runs(tmp_path)}
    assert runs.keys() == {"cut", "bad", "other"}
    assert (runs["cut"].state, runs["cut"].iteration) == ("interrupted", 3)
    folder.log(Finished(reason="crashed", message="why"))  # behind half a line
    assert (summary_of(folder.path).state, summary_of(folder.path).message) == ("crashed", "why")
    for name in ("bad", "other"):
        assert runs[name].state == "unreadable" and runs[name].message and not runs[name].can_go_on
        assert runs[name].plan is None and runs[name].own_best is None
        delete_run(tmp_path / name)


def test_newest_first(tmp_path: Path):
    for number, name in enumerate(("c", "a", "b")):
        folder = made(tmp_path / name, STARTED)
        os.utime(folder.config, (1e9 + number, 1e9 + number))
    runs = list_runs(tmp_path)
    assert [run.folder.name for run in runs] == ["b", "a", "c"]
    assert runs[0].begun == datetime.fromtimestamp(1e9 + 2).astimezone()


def test_only_runs_are_deleted(tmp_path: Path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(TrainingFailed, match="no folder of a run"):
        delete_run(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    made(tmp_path / "run", STARTED)

    def stuck(path: Path) -> None:
        raise PermissionError(13, "denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", stuck)
    with pytest.raises(CtmriError, match="run"):
        delete_run(tmp_path / "run")
