"""How late the event loop of the real window is while a real run trains: on the thread beside it, and in a process of its own.

    python tests/benchmarks/bench_training_window.py [--seconds 40] [--width 32] [--crop 128] [--where thread,process]

A timer of 5 ms asks how late it comes, without a run, while a run trains with its monitor open, and while the panes of the main
window are scrolled meanwhile. Prints p50, p99 and max in ms, the steps per second, and what the promise R20 says of it. The first
import of torch is left out: measuring begins with the third step.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Direction
from ctmri_core.registry import find_card
from ctmri_core.training.run_plan import RunPlan
from ctmri_gui.app import build_window
from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.main_window import MainWindow
from ctmri_gui.viewer.roles import Role

PERIOD_MS = 5
P99_MS, MAX_MS = 33.0, 100.0


def wait(seconds: float, until=lambda: False) -> None:
    """Runs the event loop for so long, or until something holds."""
    loop, end = QEventLoop(), time.monotonic() + seconds
    look = QTimer()
    look.timeout.connect(lambda: loop.quit() if until() or time.monotonic() > end else None)
    look.start(20)
    loop.exec()
    look.stop()


class Lateness:
    """Of a timer, ms, while the loop runs."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self._due = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._came)

    def measure(self, seconds: float, do=lambda: None) -> None:
        self.values, self._do = [], do
        self._begin()
        wait(seconds)
        self._timer.stop()

    def _begin(self) -> None:
        self._due = time.perf_counter() + PERIOD_MS / 1000
        self._timer.start(PERIOD_MS)

    def _came(self) -> None:
        self.values.append((time.perf_counter() - self._due) * 1000)
        self._do()
        self._begin()

    def told(self, name: str) -> str:
        values = sorted(max(value, 0.0) for value in self.values)
        p50, p99 = statistics.median(values), values[min(int(0.99 * len(values)), len(values) - 1)]
        kept = "kept" if p99 <= P99_MS and values[-1] <= MAX_MS else "NOT KEPT"
        return f"{name:44s} p50 {p50:6.1f}  p99 {p99:6.1f}  max {values[-1]:6.1f} ms  ({len(values)} times)  R20 {kept}"


def scroller(window: MainWindow):
    """Moves to the next slice at every call, back and forth."""
    place = [0]

    def scroll() -> None:
        place[0] += 1
        count = window.session.volumes[Role.SOURCE].geometry.shape[0]
        window.views.set_slice(abs(place[0] % (2 * count - 2) - (count - 1)))

    return scroll


def measure_run(window: MainWindow, plan: RunPlan, folder: Path, where: str, seconds: float) -> None:
    trainings = window.training.trainings
    run = trainings.start(plan, folder, where)
    wait(300, lambda: not run.running or (run.record.last_step is not None and run.record.last_step.iteration >= 3))
    if not run.running or run.record.last_step is None:
        raise SystemExit(f"the run did not begin: {run.record.finished or run.record.progress}")
    begun, first = time.monotonic(), run.record.last_step.iteration
    lateness = Lateness()
    lateness.measure(seconds)
    print(lateness.told(f"training in the {where}, monitor open"), flush=True)
    lateness.measure(seconds, scroller(window))
    print(lateness.told(f"training in the {where}, scrolling"), flush=True)
    steps = run.record.last_step.iteration - first
    print(f"{'':44s} {steps / (time.monotonic() - begun):.2f} steps per s, {len(run.record.samples)} sample pictures,"
          f" {len(run.record.checkpoints)} checkpoints", flush=True)  # fmt: skip
    asked = time.monotonic()
    run.ask("stop")
    wait(60, lambda: not run.running)
    print(f"{'':44s} stopped after {time.monotonic() - asked:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--method", default="pix2pix")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--where", default="thread,process")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("CONFIG", "LOG", "MODELS", "RUNS", "DATASETS"):
            os.environ[f"CTMRI_{name}_DIR"] = str(Path(scratch) / name.lower())
        app = QApplication([])
        window = build_window()
        window.settings["translate_after_open"] = False
        window.resize(1600, 1000)
        window.show()
        window.session.open_demo()
        wait(120, lambda: window.session.volumes[Role.SOURCE] is not None and not window.session.jobs.running)
        window.training.open()
        wait(3)
        lateness = Lateness()
        lateness.measure(given.seconds / 2)
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        print(lateness.told("no run"), flush=True)
        lateness.measure(given.seconds / 2, scroller(window))
        print(lateness.told("no run, scrolling"))
        plan = RunPlan.made(
            find_card(given.method), "phantom:4", Direction.parse("ct_to_mr_t1"),
            config={"width": given.width, "generator": "resnet_6"},
            settings={"iterations": 10**6, "crop": given.crop, "spacing_mm": 1.5, "validate_every": 20, "validation_slices": 8,
                      "checkpoint_seconds": 10.0, "device": "cpu"},
        )  # fmt: skip
        for where in given.where.split(","):
            measure_run(window, plan, Path(scratch) / "runs" / where, where, given.seconds)
        window.training.end()
        wait(30, lambda: not window.isVisible())
        stop_and_join_all()
        del app


if __name__ == "__main__":
    main()
