"""What the reader process costs: its start, its restart after a crash, a call, and 72 MB of voxels, in one run.

    python tests/benchmarks/bench_reader_process.py

The alternative named for the voxels is the same array through an ordinary `multiprocessing` pipe.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "core"))

from ctmri_core.errors import FileRefused
from ctmri_core.io.reader_process import ReaderProcess

VOXELS = 18_000_000  # float32: 72 MB
REPEATS = 7


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def restart(reader: ReaderProcess) -> float:
    try:
        reader.call("hostile_tasks:aborts", "file")
    except FileRefused:
        return seconds(lambda: reader.call("hostile_tasks:echo", "file"))
    raise AssertionError("the worker did not crash")


def sends(pipe) -> None:
    while pipe.recv():
        pipe.send(np.arange(VOXELS, dtype=np.float32))


def through_a_pipe() -> float:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=sends, args=(theirs,))
    process.start()

    def once() -> None:
        ours.send(True)
        ours.recv()

    once()
    best = min(seconds(once) for _ in range(REPEATS))
    ours.send(False)
    process.join()
    return best


def main() -> None:
    reader = ReaderProcess(task_prefix="hostile_tasks")
    first = seconds(reader.start)
    call = median(seconds(lambda: reader.call("hostile_tasks:echo", "file")) for _ in range(200))
    again = [restart(reader) for _ in range(REPEATS)]
    made = min(seconds(lambda: np.arange(VOXELS, dtype=np.float32)) for _ in range(REPEATS))
    voxels = min(seconds(lambda: reader.call("hostile_tasks:numbers", "file", VOXELS)) for _ in range(REPEATS))
    reader.shutdown()
    pipe = through_a_pipe()
    print(f"start {first:.3f} s, restart after a crash (next call included) best {min(again):.3f}, median {median(again):.3f} s")
    print(f"call {call * 1e6:.0f} us; 72 MB of voxels {voxels:.3f} s (making them in place takes {made:.3f} s)")
    print(f"72 MB through a pipe {pipe:.3f} s, ratio {pipe / voxels:.2f}")


if __name__ == "__main__":
    main()
