"""Starts and stops training in the real window again and again, and closes it at random moments.

    python tests/soak/training_window.py [--fake 200] [--real 10] [--closes 40] [--process 2] [--seed 0]

R19: `--fake` runs that only count, `--real` tiny ones on the thread and `--process` in processes of their own are started and
stopped; afterwards memory, threads, processes and what the interpreter holds (`True`, and the objects of a run) are level.
`--closes`: a window in a process of its own is closed at a random moment of a run; it must end with 0, in order and in time, and
leave no process behind. Ends with 1 when something was not as promised.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Direction
from ctmri_core.events import Finished, Health, Started, Step
from ctmri_core.registry import find_card
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.app import build_window
from ctmri_gui.jobs import job as jobs_module
from ctmri_gui.jobs.job import Job, stop_and_join_all
from ctmri_gui.training import training_work
from ctmri_gui.training.live_run import LiveRun

GROWTH_MB, WARM = 40.0, 10
SECONDS_TO_CLOSE = 40.0


def plan() -> RunPlan:
    return RunPlan.made(
        find_card("pix2pix"), "phantom:3", Direction.parse("ct_to_mr_t1"),
        config={"generator": "resnet_6", "width": 4, "discriminator_width": 4, "receptive_field": 16},
        settings={"iterations": 10**6, "crop": 32, "spacing_mm": 8.0, "validate_every": 5, "validation_slices": 2,
                  "device": "cpu", "precision": "32", "tensorboard": False, "checkpoint_seconds": 1.0},
    )  # fmt: skip


def fake(_plan, folder, _resume, orders, stop):
    """Says what a run says, some hundred times a second."""
    yield Started(job="train", total=10**6, unit="steps")
    step = 0
    while not (stop() or orders.stop()):
        step += 1
        yield Step(iteration=step, epoch=0, losses={"l1": 1 / step, "gan": 0.5}, learning_rate=1e-4, seconds=0.004, elapsed=0.1)
        yield Health(iteration=step, signals={"gradient_generator": 1.0})
        time.sleep(0.002)
    yield Finished(reason="stopped", paths={"run": str(folder)})


def wait(seconds: float, until=lambda: False) -> bool:
    loop, end = QEventLoop(), time.monotonic() + seconds
    look = QTimer()
    look.timeout.connect(lambda: loop.quit() if until() or time.monotonic() > end else None)
    look.start(5)
    loop.exec()
    look.stop()
    return bool(until())


def places(scratch: str) -> None:
    for name in ("CONFIG", "LOG", "MODELS", "RUNS", "DATASETS"):
        os.environ[f"CTMRI_{name}_DIR"] = str(Path(scratch) / name.lower())


def cycle(window, folder: Path, where: str, steps: int) -> None:
    """One run from its start to its end, with some steps between."""
    run = window.training.trainings.start(plan(), folder, where)
    assert wait(120, lambda: not run.running or (run.record.last_step is not None and run.record.last_step.iteration >= steps))
    run.ask("stop")
    assert wait(60, lambda: window.training.live is None), "the run did not end"
    assert run.record.finished is not None
    assert run.record.finished.reason == "stopped", run.record.finished


class Level:
    """What must not grow."""

    def __init__(self) -> None:
        wait(1)
        for _ in range(3):
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            gc.collect()
        own = psutil.Process()
        self.memory, self.threads = own.memory_info().rss / 2**20, own.num_threads()
        self.children = len([child for child in own.children(recursive=True) if "--orders" in child.cmdline()])
        self.true = sys.getrefcount(True)
        held = gc.get_objects()
        self.jobs = sum(issubclass(type(each), Job) for each in held) + len(jobs_module._alive)
        self.records = sum(issubclass(type(each), LiveRun | RunRecord) for each in held)

    def __str__(self) -> str:
        return (f"{self.memory:.0f} MB, {self.threads} threads, {self.children} processes, {self.jobs} jobs, {self.records} runs"
                f" held, {self.true} references of True")  # fmt: skip


def judged(name: str, before: Level, after: Level, cycles: int) -> bool:
    grown = after.memory - before.memory
    fine = (
        grown < GROWTH_MB and after.threads <= before.threads + 2 and not after.children and after.jobs <= before.jobs + 1
        and after.records <= before.records + 4 and abs(after.true - before.true) < max(cycles, 200)
    )  # fmt: skip
    print(f"{name}: {cycles} cycles: before {before}\n{'':8s}after {after}: {'level' if fine else 'NOT LEVEL'}", flush=True)
    return fine


def cycles(kind: str, count: int) -> bool:
    """Some to warm up, then the count."""
    if not count:
        return True
    with tempfile.TemporaryDirectory() as scratch:
        places(scratch)
        window = build_window()
        window.show()
        window.training.open()
        wait(2)
        real = training_work.train_here
        if kind == "fake":
            training_work.train_here = fake
        where = "process" if kind == "process" else "thread"
        steps = 5 if kind == "fake" else 2
        runs = window.session.library.runs[0]
        for number in range(min(WARM, count) if kind == "fake" else 2):
            cycle(window, runs / f"warm-{number}", where, steps)
        before = Level()
        for number in range(count):
            cycle(window, runs / f"{kind}-{number}", where, steps)
        fine = judged(kind, before, Level(), count)
        training_work.train_here = real
        window.training.end()
        fine = wait(SECONDS_TO_CLOSE, lambda: not window.isVisible()) and fine
        stop_and_join_all()
        wait(0.5)
        window.deleteLater()
        return fine


def closing(milliseconds: int, where: str) -> int:
    """In a process of its own: a window whose run begins and which is closed so long after."""
    app = QApplication([])
    window = build_window()
    window.show()
    window.training.open()
    window.training.trainings.start(plan(), window.session.library.runs[0] / "closing", where)
    QTimer.singleShot(milliseconds, window.training.end)
    status = app.exec()
    stop_and_join_all()
    if "ctmri_core.io.reader_process" in sys.modules:
        sys.modules["ctmri_core.io.reader_process"].shutdown()
    return status


def closes(count: int, seed: int) -> bool:
    choose, failures = random.Random(seed), 0
    for number in range(count):
        with tempfile.TemporaryDirectory() as scratch:
            places(scratch)
            after, where = int(choose.uniform(0, 12_000)), "process" if number % 4 == 3 else "thread"
            command = [sys.executable, str(Path(__file__).resolve()), "--close-after", str(after), "--where", where]
            child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
            try:
                _, errors = child.communicate(timeout=after / 1000 + 30 + SECONDS_TO_CLOSE)
            except subprocess.TimeoutExpired:
                child.kill()
                errors = "did not end in time"
            left = [each for each in psutil.process_iter(["cmdline"]) if scratch in " ".join(each.info["cmdline"] or [])]
            if child.returncode or left or "Traceback" in errors or "QThread" in errors:
                failures += 1
                print(f"closed after {after} ms, {where}: exit {child.returncode}, {len(left)} left", errors[-2000:], flush=True)
    print(f"closed at {count} random moments: {failures} not in order", flush=True)
    return not failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fake", type=int, default=200)
    parser.add_argument("--real", type=int, default=10)
    parser.add_argument("--process", type=int, default=2)
    parser.add_argument("--closes", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--close-after", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--where", default="thread", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.close_after is not None:
        return closing(given.close_after, given.where)
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    fine = [cycles(kind, count) for kind, count in (("fake", given.fake), ("real", given.real), ("process", given.process))]
    return 0 if all((*fine, closes(given.closes, given.seed))) else 1


if __name__ == "__main__":
    sys.exit(main())
