"""How runs end and go on, in words: short memory, full disks, changed cases and devices, listeners that leave, a second run."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import IMAGES, SCALARS, EventAccumulator

from ctmri_core.data.preparation import PreparedData
from ctmri_core.data.prepared_slices import PreparedSlices
from ctmri_core.domain import Direction
from ctmri_core.errors import CtmriError
from ctmri_core.events import CheckpointSaved, Finished, Health, Noted, Sample, Started, Step, Validated, to_json
from ctmri_core.methods.pix2pix.card import CARD
from ctmri_core.training.checkpoint import load_checkpoint, save_checkpoint
from ctmri_core.training.pace import Pace
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.train import resume_training, train
from ctmri_core.training.trainer import Trainer
from tests.teaching.tiny_runs import TINY, run, settings


def test_the_curves_of_a_resumed_run_are_read_as_one(tiny_pairs, tmp_path: Path):
    """By TensorBoard's own reader, after a kill that lost steps: what came after the checkpoint is told once, not twice."""
    data, chosen = tiny_pairs(), settings(tensorboard=True, validate_every=2, iterations=6, checkpoint_seconds=8e4)
    first = Trainer(CARD, TINY, data, tmp_path / "run", chosen)
    run(first, lambda: first.iteration >= 3)
    kept = RunFolder(tmp_path / "run").checkpoint.read_bytes()
    second = Trainer(CARD, TINY, data, tmp_path / "run", chosen, resume=True)
    run(second, lambda: second.iteration >= 5)
    RunFolder(tmp_path / "run").checkpoint.write_bytes(kept)  # as if the second part had been killed before it was saved
    events, _ = run(Trainer(CARD, TINY, data, tmp_path / "run", chosen, resume=True))

    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"), size_guidance={SCALARS: 0, IMAGES: 0}).Reload()
    logged = RunFolder(tmp_path / "run").read_events()
    for event_type, prefix, values in ((Step, "loss/", "losses"), (Validated, "validation/", "metrics")):
        told = [event for event in logged if isinstance(event, event_type)]
        for name in getattr(told[0], values):
            points = [(point.step, point.value) for point in board.Scalars(prefix + name)]
            assert points == [(event.iteration, pytest.approx(getattr(event, values)[name], rel=1e-6)) for event in told]
    assert {"learning_rate", "health/gradient_generator", "health/memory_gib"} <= set(board.Tags()["scalars"])
    pictures = board.Images(board.Tags()["images"][0])
    assert [picture.step for picture in pictures] == [event.iteration for event in logged if isinstance(event, Sample)]
    assert pictures[0].width == 3 * (24 + 8)
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"


def test_events_say_when_how_long_and_where(tiny_pairs, tmp_path: Path):
    events, _ = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings()))
    started, saved = events[0], next(event for event in events if isinstance(event, CheckpointSaved))
    assert isinstance(started, Started) and started.details["run"] == str(tmp_path / "run")
    assert started.at and saved.at and events[-1].at and started.at <= saved.at <= events[-1].at
    assert saved.seconds is not None and 0 < saved.seconds < 60
    memory = next(event.signals["memory_gib"] for event in events if isinstance(event, Health))
    assert memory == pytest.approx(psutil.Process().memory_info().rss / 2**30, rel=0.5)


def test_the_time_left_counts_what_comes_between_steps():
    pace = Pace()
    for _ in range(10):
        pace.add(2.0)
    assert pace.seconds_left(100, 20.0) == pytest.approx(200)
    assert pace.seconds_left(100, 30.0) == pytest.approx(300)  # a second a step for validations
    warm = Pace()
    warm.add(60.0)
    warm.add(1.0)
    assert warm.seconds_left(10, 61.0) == pytest.approx(10)


@pytest.mark.parametrize("place", ["save_checkpoint", "load_method", "export_model"])
def test_short_memory_anywhere_ends_a_run_in_words(tiny_pairs, tmp_path: Path, monkeypatch, place: str):
    def greedy(*_arguments, **_named):
        raise MemoryError

    monkeypatch.setattr(f"ctmri_core.training.trainer.{place}", greedy)
    events, result = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings(iterations=1)))
    assert result.reason == "failed" and "memory" in result.message and isinstance(events[-1], Finished)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the full disk of Linux")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # TensorBoard's writer dies in its thread
def test_a_disk_that_is_full_for_tensorboard_ends_a_run_in_words(tiny_pairs, tmp_path: Path, monkeypatch):
    opened = open

    def full(file, mode="r", *arguments, **named):
        return opened("/dev/full" if "tfevents" in str(file) and "r" not in mode else file, mode, *arguments, **named)

    monkeypatch.setattr("io.open", full)
    chosen = settings(iterations=200, tensorboard=True, validate_every=5, validation_slices=1)
    events, result = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", chosen))
    assert result.reason == "failed" and "disk is full" in result.message and "tensorboard" in result.message
    assert isinstance(events[-1], Finished)
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        thread.join(20)  # TensorBoard's: it would die during the next test


def test_a_listener_that_leaves_takes_the_threads_along(tiny_pairs, tmp_path: Path):
    before = set(threading.enumerate())
    work = Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings(tensorboard=True)).run()
    while not isinstance(next(work), Step):
        pass
    assert set(threading.enumerate()) - before
    work.close()
    assert set(threading.enumerate()) <= before


def test_a_stop_between_pictures_is_heeded(tiny_pairs, tmp_path: Path):
    """And what it left out is done when the run goes on."""
    data, chosen = tiny_pairs(), settings(iterations=4, validate_every=2)
    trainer = Trainer(CARD, TINY, data, tmp_path / "run", chosen)
    shown: list[str] = []
    translate = Trainer._evaluate

    def stop() -> bool:
        return trainer.iteration == 2 and bool(shown)

    def evaluate(self, stop):
        shown.append("begun")
        return translate(self, stop)

    trainer._evaluate = evaluate.__get__(trainer)
    events, result = run(trainer, stop)
    assert result.reason == "stopped" and not any(isinstance(event, Sample | Validated) for event in events)
    assert not list((tmp_path / "run").glob("samples/*.png"))
    events, _ = run(Trainer(CARD, TINY, data, tmp_path / "run", chosen, resume=True))
    assert [event.iteration for event in events if isinstance(event, Validated)] == [2, 4]


def test_a_run_that_took_no_step_leaves_no_model(tiny_pairs, tmp_path: Path):
    _, result = run(Trainer(CARD, TINY, tiny_pairs(), tmp_path / "run", settings()), lambda: True)
    assert result.reason == "stopped" and result.iteration == 0 and not result.models
    assert not list((tmp_path / "run").rglob("*.safetensors"))


def test_a_run_that_is_refused_writes_nothing_into_that_which_is_there(tiny_pairs, tmp_path: Path):
    data = tiny_pairs()
    run(Trainer(CARD, TINY, data, tmp_path / "run", settings(iterations=1)))
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    events, result = run(Trainer(CARD, TINY, data, tmp_path / "run", settings()))
    assert result.reason == "failed" and isinstance(events[-1], Finished)
    assert before == {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}


Change = Callable[[PreparedData], PreparedData]


def _other_cases(data: PreparedData) -> PreparedData:
    return replace(data, train=PreparedSlices(data.train.cases[1:], data.train.domains))


def _swapped(data: PreparedData) -> PreparedData:
    train = PreparedSlices([*data.validation.cases, *data.train.cases[1:]], data.train.domains)
    return replace(data, train=train, validation=PreparedSlices(data.train.cases[:1], data.train.domains))


def _salted(data: PreparedData) -> PreparedData:
    return replace(data, facts=data.facts.model_copy(update={"salt": "other"}))


@pytest.mark.parametrize(("change", "words"), [
    (_other_cases, "0 are new and 1 are gone"), (_swapped, "1 cases that it was trained on"), (_salted, "prepared anew"),
    (lambda data: data, ""),
])  # fmt: skip
def test_other_cases_are_said_when_a_run_goes_on(tiny_pairs, tmp_path: Path, change: Change, words: str):
    data = tiny_pairs()
    first = Trainer(CARD, TINY, data, tmp_path / "run", settings())
    run(first, lambda: first.iteration >= 1)
    events, result = run(Trainer(CARD, TINY, change(data), tmp_path / "run", settings(), resume=True))
    said = [event.message for event in events if isinstance(event, Noted) and event.serious]
    assert result.reason == "completed" and [words in message for message in said] == [True] * bool(words)


def test_another_recipe_is_another_run(tiny_pairs, tmp_path: Path):
    data = tiny_pairs()
    run(Trainer(CARD, TINY, data, tmp_path / "run", settings(iterations=1)))
    other = replace(data, recipe=data.recipe.model_copy(update={"spacing_mm": 2.0}))
    _, result = run(Trainer(CARD, TINY, other, tmp_path / "run", settings(), resume=True))
    assert result.reason == "failed" and "another recipe" in result.message


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a graphics card")
def test_a_run_of_a_graphics_card_goes_on_without_one(tiny_pairs, tmp_path: Path):
    """Of a checkpoint as it would have been written there: float16 with its scale, random numbers of the card."""
    data, folder = tiny_pairs(), RunFolder(tmp_path / "run")
    first = Trainer(CARD, TINY, data, folder.path, settings())
    run(first, lambda: first.iteration >= 1)
    state = load_checkpoint(folder.checkpoint)
    state["precision"], state["circumstances"]["device"] = "16-mixed", "cuda"
    state["optimisation"]["precision"] = {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000}
    state["optimisation"]["own"]["random"]["cuda"] = torch.zeros(16, dtype=torch.uint8)
    save_checkpoint(folder.checkpoint, state)
    chosen = settings(device="cuda", precision="16-mixed")
    events, result = run(Trainer(CARD, TINY, data, folder.path, chosen, resume=True))
    assert result.reason == "completed", result.message
    assert events[0].details["precision"] == "32" and "began on cuda and goes on on cpu" in events[1].message


def test_a_record_that_was_cut_within_a_letter_is_read(tmp_path: Path):
    folder = RunFolder(tmp_path)
    told = [Noted(message="Größe\u2028und →"), Step(iteration=1, epoch=0, losses={}, learning_rate=1, seconds=1)]
    for event in told:
        folder.log(event)
    cut = to_json(Noted(message="→")).encode()
    with folder.events.open("ab") as handle:
        handle.write(cut[: cut.index("→".encode()) + 1])
    assert folder.read_events() == told
    folder.rewind(0)
    assert folder.read_events() == told[:1]
    folder.log(told[1])
    assert folder.read_events() == told


def test_many_runs_in_one_program_leave_nothing_behind(tiny_pairs, tmp_path: Path):
    """Neither memory, nor threads, nor torch's settings."""
    data = tiny_pairs()
    outside = (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), os.environ.copy())
    threads = None
    for number in range(2):
        trainer = Trainer(CARD, TINY, data, tmp_path / str(number), settings(tensorboard=True, validation_slices=1))
        run(trainer)
        network = weakref.ref(trainer.method.networks["generator"])
        gc.disable()  # a program with a window collects seldom, and a run holds a gigabyte
        try:
            del trainer
            assert network() is None
        finally:
            gc.enable()
        threads = threads or set(threading.enumerate())
    assert set(threading.enumerate()) <= threads
    assert outside == (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), os.environ.copy())


def test_no_number_is_no_best(tiny_pairs, tmp_path: Path, monkeypatch):
    """A validation that gives no number is said, is no model's best, and keeps no later one from being it."""
    data, broken = tiny_pairs(), []
    translate = "ctmri_core.methods.pix2pix.method.Pix2Pix.translate"
    from ctmri_core.methods.pix2pix.method import Pix2Pix

    whole = Pix2Pix.translate

    def sometimes(self, x, direction):
        result = whole(self, x, direction)
        return result * np.nan if trainer.iteration == 2 else result

    monkeypatch.setattr(translate, sometimes)
    chosen = settings(iterations=4, validate_every=2, schedule="plateau", patience=0)
    trainer = Trainer(CARD, TINY, data, tmp_path / "run", chosen)
    events, result = run(trainer)
    broken = [event for event in events if isinstance(event, Validated)]
    assert [event.best for event in broken] == [False, True] and result.reason == "completed"
    assert any(isinstance(event, Noted) and event.serious and "no numbers" in event.message for event in events)
    assert np.isfinite(result.metrics["mae_percent"]) and trainer._plateau.factor == 1.0


def test_a_folder_takes_one_run_at_a_time(tmp_path: Path, one_thread: None):
    """A second start and a second resume are refused while the first is at work, and say nothing in its record."""
    folder, chosen = tmp_path / "run", settings(crop=32, spacing_mm=5, iterations=500, validation_slices=1, validate_every=500)
    way, asked = Direction.parse("ct_to_mr_t1"), threading.Event()
    work = train("pix2pix", TINY, "phantom:2", way, folder, chosen, stop=asked.is_set)
    while not isinstance(next(work), Step):
        pass
    second, third = list(train("pix2pix", TINY, "phantom:2", way, folder, chosen)), list(resume_training(folder))
    for events in (second, third):
        assert isinstance(events[-1], Finished) and "Another ctmri is writing into run" in events[-1].message
    assert not any(isinstance(event, Finished) for event in RunFolder(folder).read_events())
    asked.set()
    assert list(work)[-1].reason == "stopped"
    asked.clear()
    work = resume_training(folder, stop=asked.is_set)
    while not isinstance(next(work), Step):
        pass
    asked.set()
    assert list(work)[-1].reason == "stopped"


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"method": "pix2pix", "config": [], "settings": 3, "data": "x", "direction": 1, "about": {}}']
)
def test_a_folder_with_other_settings_is_no_run(tmp_path: Path, content: str):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CtmriError):
        list(resume_training(tmp_path))
