"""Steering a run that goes on: pauses, pictures, checkpoints, an end with the epoch; by the trainer and by lines of text."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import torch

from ctmri_core.events import CheckpointSaved, Event, Finished, Noted, Paused, Progress, Sample, Step, Validated, from_json, never
from ctmri_core.methods.pix2pix.card import CARD, Pix2PixConfig
from ctmri_core.training.checkpoint import load_checkpoint
from ctmri_core.training.clock import RunClock
from ctmri_core.training.orders import ORDERS, Orders
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.settings import TrainingSettings
from ctmri_core.training.train import resume_training, train
from ctmri_core.training.trainer import Trainer

TINY = Pix2PixConfig(generator="resnet_6", width=4, discriminator_width=4, receptive_field=16)
FLAGS = [
    "--data", "phantom:2", "--direction", "ct_to_mr_t1", "--generator", "resnet_6", "--width", "4", "--discriminator-width", "4",
    "--receptive-field", "16", "--no-tensorboard", "--crop", "32", "--precision", "32", "--spacing-mm", "5", "--device", "cpu",
    "--validation-slices", "2", "--validation-share", "0.5", "--norm", "instance",
]  # fmt: skip


def settings(**changed) -> TrainingSettings:
    base = {"iterations": 6, "batch_size": 2, "crop": 16, "precision": "32", "device": "cpu", "tensorboard": False}
    return TrainingSettings(**(base | changed))


def steered(trainer: Trainer, orders: Orders, at: dict[int, tuple[str, ...]], later: float = 0.1) -> list[Event]:
    """All events; after step n the first order of `at[n]` is given, and each of the others `later` seconds after the run has
    said that the one before is done, by another thread, while the run waits in its pause."""
    events: list[Event] = []
    open_orders: list[str] = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, Step) and (given := at.pop(event.iteration, ())):
            orders.give(given[0])
            open_orders = list(given[1:])
        elif open_orders and isinstance(event, Paused | Sample | CheckpointSaved):
            threading.Timer(later, orders.give, [open_orders.pop(0)]).start()
    return events


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events if not isinstance(event, Step) and event.kind != "health"]


def every_step(monkeypatch) -> None:
    monkeypatch.setattr("ctmri_core.training.telling._SECONDS_BETWEEN_STEPS", 0.0)


def test_a_pause_with_pictures_and_a_checkpoint_changes_nothing_of_the_weights(tiny_pairs, tmp_path: Path, monkeypatch):
    """Dropout and a running mean of the weights included; the undisturbed run is the truth."""
    every_step(monkeypatch)
    data, chosen = tiny_pairs(), settings(ema=0.9, checkpoint_seconds=8e4)
    for _ in Trainer(CARD, TINY, data, tmp_path / "plain", chosen).run():
        pass
    orders = Orders()
    trainer = Trainer(CARD, TINY, data, tmp_path / "run", chosen, orders=orders)
    events = steered(trainer, orders, {2: ("pause", "sample", "checkpoint", "go_on"), 4: ("sample",)})
    assert kinds(events)[1:6] == ["paused", "sample", "checkpoint_saved", "paused", "sample"]
    paused = [event for event in events if isinstance(event, Paused)]
    assert [(event.iteration, event.paused) for event in paused] == [(2, True), (2, False)]
    shown = [event for event in events if isinstance(event, Sample)]
    assert [event.iteration for event in shown] == [2, 4, 6] and all(Path(event.path).is_file() for event in shown)
    assert [event.iteration for event in events if isinstance(event, Validated)] == [6], "pictures come without scores"

    plain, disturbed = (load_checkpoint(RunFolder(tmp_path / name).checkpoint) for name in ("plain", "run"))
    for part in ("optimisation", "average", "evaluated"):
        assert same(plain[part], disturbed[part]), part


def same(one, other) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_the_clock_of_a_run_stands_still_while_it_pauses(tiny_pairs, tmp_path: Path, monkeypatch):
    every_step(monkeypatch)
    orders = Orders()
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path, settings(), orders=orders)
    begun = time.monotonic()
    events = steered(trainer, orders, {3: ("pause", "go_on")}, later=1.5)
    whole = time.monotonic() - begun
    steps = [event for event in events if isinstance(event, Step)]
    elapsed = [event.elapsed for event in steps]
    assert elapsed == sorted(elapsed) and elapsed[-1] <= whole - 1.4
    assert elapsed[-1] >= sum(event.seconds for event in steps) * 0.99
    assert load_checkpoint(RunFolder(tmp_path).checkpoint)["seconds"] == elapsed[-1]


def test_the_clock(monkeypatch):
    told = iter([100.0, 103.0, 104.0, 154.0, 155.0])
    monkeypatch.setattr("ctmri_core.training.clock.time.monotonic", lambda: next(told))
    clock = RunClock(10.0)
    assert clock.read() == 13.0
    clock.stand(still=True)
    clock.stand(still=True)
    clock.stand(still=False)
    clock.stand(still=False)
    assert clock.read() == 15.0


def test_a_stop_ends_a_pause_at_once(tiny_pairs, tmp_path: Path, monkeypatch):
    every_step(monkeypatch)
    orders = Orders()
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path, settings(), orders=orders)
    events = steered(trainer, orders, {2: ("pause", "stop")})
    assert kinds(events)[1:] == ["paused", "paused", "checkpoint_saved", "finished"]
    end = events[-1]
    assert isinstance(end, Finished) and (end.reason, trainer.iteration) == ("stopped", 2)


def test_a_run_ends_with_its_epoch_when_asked(tiny_pairs, tmp_path: Path, monkeypatch):
    """Eight slices in batches of two: four steps an epoch. What is saved goes on, and the same order, given again, holds."""
    every_step(monkeypatch)
    orders, data = Orders(), tiny_pairs()
    trainer = Trainer(CARD, TINY, data, tmp_path, settings(iterations=20), orders=orders)
    end = steered(trainer, orders, {5: ("stop_after_epoch",)})[-1]
    assert isinstance(end, Finished) and end.reason == "stopped" and trainer.iteration == 8
    assert "at the end of 2 epochs" in end.message and "8 steps" in end.message
    assert load_checkpoint(RunFolder(tmp_path).checkpoint)["iteration"] == 8

    again = Orders()
    again.give("stop_after_epoch")
    more = Trainer(CARD, TINY, data, tmp_path, settings(iterations=20), resume=True, orders=again)
    assert steered(more, again, {})[-1].reason == "stopped" and more.iteration == 12
    orders = Orders()
    taken_back = Trainer(CARD, TINY, data, tmp_path, settings(iterations=20), resume=True, orders=orders)
    end = steered(taken_back, orders, {13: ("stop_after_epoch",), 14: ("go_on",)})[-1]
    assert end.reason == "completed" and taken_back.iteration == 20


def test_a_run_pauses_before_its_first_step_and_without_any_is_kept(tiny_pairs, tmp_path: Path):
    orders = Orders()
    for order in ("pause", "sample", "checkpoint"):
        orders.give(order)
    trainer = Trainer(CARD, TINY, tiny_pairs(), tmp_path, settings(), orders=orders)
    events: list[Event] = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, CheckpointSaved):  # what was asked for is done, and it waits
            orders.give("stop")
    assert kinds(events)[1:4] == ["paused", "sample", "checkpoint_saved"] and trainer.iteration == 0
    again = Trainer(CARD, TINY, trainer.data, tmp_path, settings(), resume=True)
    assert list(again.run())[-1].reason == "completed"




def test_words_that_are_no_orders_are_answered(tiny_pairs, tmp_path: Path, monkeypatch):
    every_step(monkeypatch)
    orders = Orders()
    orders.read("dance\x1b")
    orders.read("checkpoint")
    events = list(Trainer(CARD, TINY, tiny_pairs(), tmp_path, settings(iterations=1), orders=orders).run())
    [note] = [event.message for event in events if isinstance(event, Noted)]
    assert "dance" in note and "\x1b" not in note and all(order in note for order in ORDERS)
    assert sum(isinstance(event, CheckpointSaved) for event in events) == 2


def test_what_was_asked_before_is_passed_on_and_all_that_follows():
    orders, heard = Orders(), []
    orders.give("pause")
    orders.pass_on(heard.append)
    orders.give("sample")
    orders.give("go_on")
    orders.give("stop")
    assert heard == ["pause", "sample", "go_on", "stop"] and orders.or_stop(never)() and not Orders().or_stop(never)()


class Command:
    """`ctmri train --orders` in a process of its own."""

    def __init__(self, folder: Path, *flags: str) -> None:
        words = [sys.executable, "-m", "ctmri_core.cli", "train", "pix2pix", "--run", str(folder), "--json", "--orders", *flags]
        self.child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.events: list[Event] = []

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_of: object) -> None:
        with self.child:
            self.child.kill()

    def say(self, *orders: str) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write("".join(f"{order}\n" for order in orders))
        self.child.stdin.flush()

    def until(self, kind: type[Event], **values: object) -> Event:
        """Hears on until an event of this kind with these values."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            event = from_json(line)
            self.events.append(event)
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items()):
                return event
        raise AssertionError(f"no {kind.__name__} {values}, but {kinds(self.events)}: {self.child.stderr.read()}")


def test_orders_by_line(tmp_path: Path):
    """In one process to the end; half an order at a time is one order."""
    with Command(tmp_path / "run", *FLAGS, "--batch-size", "4", "--iterations", "1000000") as command:
        command.until(Step)
        command.say("pause")
        at = command.until(Paused, paused=True)
        command.say("dance")
        assert "stop_after_epoch" in command.until(Noted).message
        assert command.child.stdin is not None
        command.child.stdin.write("sam")
        command.child.stdin.flush()
        time.sleep(0.2)
        command.say("ple", "checkpoint")
        assert command.until(Sample).iteration == command.until(CheckpointSaved).iteration == at.iteration
        command.say("go_on")
        assert command.until(Paused).paused is False
        command.until(Step)
        command.child.stdin.close()  # whoever steered it has gone
        end = command.until(Finished)
        assert end.reason == "stopped" and command.child.wait() == 130
    checkpoint = load_checkpoint(RunFolder(tmp_path / "run").checkpoint)
    assert checkpoint["iteration"] == max(event.iteration for event in command.events if isinstance(event, Step))


def test_a_signal_ends_a_pause(tmp_path: Path):
    with Command(tmp_path / "run", *FLAGS, "--batch-size", "4", "--iterations", "1000000") as command:
        command.until(Progress)
        command.say("pause")
        command.until(Paused, paused=True)
        command.child.send_signal(signal.SIGTERM)
        assert command.until(Finished).reason == "stopped" and command.child.wait() == 130
        assert "Resume" not in command.events[-1].message and RunFolder(tmp_path / "run").checkpoint.exists()


def test_two_processes_pause_together(tmp_path: Path):
    """Orders come to the first alone, between two steps of both; the epoch ends for both."""
    with Command(tmp_path / "run", *FLAGS, "--batch-size", "4", "--devices", "2", "--epochs", "100000") as command:
        command.until(Step)
        command.say("pause", "sample", "checkpoint")
        at = command.until(Paused, paused=True).iteration
        assert command.until(Sample).iteration == command.until(CheckpointSaved).iteration == at
        command.say("stop_after_epoch", "go_on")
        end = command.until(Finished)
        assert end.reason == "stopped" and "epoch" in end.message, end.message
        assert command.child.wait() == 130
    state = load_checkpoint(RunFolder(tmp_path / "run").checkpoint)
    assert len(state["others"]) == 1 and state["iteration"] > at


def test_orders_reach_a_run_that_is_resumed(tmp_path: Path, one_thread: None):
    from ctmri_core.domain import Direction

    orders = Orders()
    orders.give("stop_after_epoch")
    chosen = settings(iterations=None, epochs=50, crop=32, spacing_mm=5, validation_slices=1, batch_size=8)
    way = Direction.parse("ct_to_mr_t1")
    first = list(train("pix2pix", TINY, "phantom:2", way, tmp_path / "run", chosen, orders=orders))[-1]
    assert isinstance(first, Finished) and first.reason == "stopped" and "1 epoch " in first.message
    second = list(resume_training(tmp_path / "run", orders=orders))[-1]
    assert isinstance(second, Finished) and "2 epochs" in second.message
    assert json.loads(RunFolder(tmp_path / "run").config.read_text())["settings"]["epochs"] == 50
