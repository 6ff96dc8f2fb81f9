"""What following a run costs the interface thread: an update with its painting, for short and long runs, against a bare plot of
pyqtgraph with the same number of points in one line, downsampled as it does by itself.

    python tests/benchmarks/bench_monitor.py [POINTS]

Prints medians of the processor time of the interface thread.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pyqtgraph
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from ctmri_core.events import Finished, Step
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.theme import apply_theme
from ctmri_gui.training.monitor.monitor import Monitor

ROUNDS = 30


def step(iteration: int) -> Step:
    losses = {"discriminator": random.random(), "l1": 300 / (300 + iteration), "gan": random.random(), "cycle": random.gauss()}
    return Step(iteration=iteration, epoch=0, losses=losses, learning_rate=2e-4, seconds=0.1, share=0.5, seconds_left=9.0)


def median(do: Callable[[], object]) -> float:
    """Milliseconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.thread_time()
        do()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
        times.append(time.thread_time() - begin)
    return statistics.median(times) * 1e3


def measure(monitor: Monitor, count: int) -> None:
    record = RunRecord.of([*map(step, range(1, count + 1)), Finished(reason="stopped")])
    monitor._show(record, None, Path("none"), "Benchmark")
    QApplication.processEvents()

    def update() -> None:
        record.hear(step(len(record.learning_rate.iterations) + 1))
        monitor._take_over()

    told = median(update)
    box = monitor.curves.plots["Losses"].box
    box.setXRange(0, count / 2)
    moved, heard = median(lambda: box.translateBy(x=count / 1000)), median(lambda: monitor._hear(step(1)))
    print(f"{count:>7} steps, 4 losses: an update {told:.1f} ms, a move {moved:.1f} ms, an event heard {heard:.2f} ms")


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    app = QApplication([])
    apply_theme(app, "dark", 13)
    monitor = Monitor(Jobs())
    monitor.resize(1600, 1000)
    monitor.show()
    while monitor.curves._module is None:
        app.processEvents()
    for count in (1000, points):
        measure(monitor, count)
    bare = pyqtgraph.PlotWidget()
    bare.resize(1600, 1000)
    bare.getPlotItem().setDownsampling(auto=True, mode="peak")
    bare.getPlotItem().setClipToView(True)
    bare.plot([random.random() for _ in range(points)])
    bare.show()
    app.processEvents()
    bare.getViewBox().setXRange(0, points / 2)
    move = median(lambda: bare.getViewBox().translateBy(x=points / 1000))
    print(f"{points:>7} points, 1 line of a bare plot: a move {move:.1f} ms")


if __name__ == "__main__":
    main()
    os._exit(0)
