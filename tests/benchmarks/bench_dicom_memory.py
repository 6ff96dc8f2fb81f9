"""Memory for opening a DICOM series, each in a process of its own: the peak of arrays and objects (tracemalloc) and of the whole
process, over what was there before, as multiples of the volume. What two whole copies would take stands beside it.

    python tests/benchmarks/bench_dicom_memory.py [SLICES]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ctmri_core.events import finish
from ctmri_core.io.opening import load, open_volume, scan
from ctmri_core.io.series import straightened
from tests.hostile.series import stack, text, write

SIZE = (256, 256)
Case = Callable[[Path, int], Path]


def dicom(straighten: bool = False, uneven: bool = False, brightest: int | None = None, **options) -> Case:
    """`brightest`: the value of one pixel of the last slice."""

    def make(folder: Path, count: int) -> Path:
        slices = stack(count, size=SIZE, **options)
        if brightest is not None:
            slices[-1].stored = slices[-1].stored.copy()
            slices[-1].stored[3, 4] = brightest
        for k, each in enumerate(slices if uneven else ()):
            each.edits["ImagePositionPatient"] = text((0, 0, 2.5 * k + 0.4 * (k % 2)))
        return write(folder / ("straightened" if straighten else "series"), slices)

    return make


CASES: dict[str, Case] = {
    "int16": dicom(),
    "float32 by its header": dicom(RescaleSlope="0.5"),
    "float32 by its last slice": dicom(modality="MR", PixelRepresentation=0, brightest=60_000),
    "tilted": dicom(tilt=(0.02, 0.0)),
    "tilted, straightened": dicom(straighten=True, tilt=(0.02, 0.0)),
    "uneven": dicom(uneven=True),
}


def measure(path: Path, traced: bool) -> None:
    """In a process of its own: bytes of the volume, peak of tracemalloc, peak growth of the process."""
    (series,) = scan(path)
    series = straightened(series) if path.name == "straightened" else series
    open_volume(write(path.parent / "warm", stack(2)))  # what is imported late
    if traced:
        tracemalloc.start()
    sizes, done = [psutil.Process().memory_info().rss], threading.Event()
    sampler = threading.Thread(target=sample, args=(sizes, done))
    sampler.start()
    volume = finish(load(series))
    done.set()
    sampler.join()
    assert volume is not None
    peak = tracemalloc.get_traced_memory()[1] if traced else 0
    print(json.dumps([volume.voxels.nbytes, peak, max(sizes) - sizes[0]]))


def sample(sizes: list[int], done: threading.Event) -> None:
    process = psutil.Process()
    while not done.wait(0.0005):
        sizes.append(process.memory_info().rss)


def measured(path: Path, *arguments: str) -> tuple[int, int, int]:
    command = [sys.executable, __file__, "--measure", str(path), *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    size, peak, grown = json.loads(answer.splitlines()[-1])
    return size, peak, grown


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for name, make in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = make(Path(folder), count)
            size, _, grown = measured(path)
            _, peak, _ = measured(path, "traced")
        took = f"arrays {peak / size:5.2f}   process {grown / size:5.2f} (two copies: 2.00)"
        print(f"{name:26} volume {size / 2**20:6.1f} MiB   {took}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), len(sys.argv) > 3)
    else:
        main()
