"""Writing that is killed, stopped or refused by the disk at every point there is: nothing partial is ever visible.

    python tests/soak/interrupted_writing.py            all points, 300 kills at random moments
    python tests/soak/interrupted_writing.py --few 7    every seventh point, for the suite

Runs on POSIX, in a process of its own: each attempt is a forked child. Full and read-only disks are small memory disks inside a
user namespace (Linux; left out, and said, where that is not allowed). Prints one JSON object of counts; its exit status is 1
when anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, WriteFailed
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import open_volume
from ctmri_core.io.saving import save
from ctmri_core.volume import Synthetic, Volume

TARGETS = {"a.nii": "dicom", "a.nii.gz": "dicom", "a.mha": "dicom", "a.nrrd": "dicom", "series": "dicom", "pictures": "png"}
GRID = Geometry((6, 60, 50), (2.5, 0.9, 0.8), (-123.4, 98.7, 456.7))
_PAGE = 4096
_LARGEST_DISK = 40 * _PAGE


def volume(seed: int) -> Volume:
    voxels = np.random.default_rng(seed).integers(-1000, 2000, GRID.shape).astype(np.int16)
    return Volume(voxels, GRID, Domain.CT, synthetic=Synthetic("demo", "ab" * 32))


class Points:
    """Calls `act` at the point `number` of a writing: each event it yields and each thing it asks of the system is one."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self.passed = 0
        self._number, self._act, self._on = number, act, True
        sys.addaudithook(self._hear)

    def _hear(self, name: str, _: object) -> None:
        if self._on and name in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree"):
            self.passes()

    def passes(self) -> None:
        if self.passed == self._number:
            self._on = False
            self._act()
        self.passed += 1

    def off(self) -> None:
        self._on = False


def attempt(folder: Path, name: str, seed: int, point: int, act: Callable[[], None]) -> int:
    """Saves into `folder` with `act` at `point`; returns how many points there were."""
    points = Points(point, act)
    try:
        for _ in save(volume(seed), folder / name, slices=TARGETS[name]):
            points.passes()
    finally:
        points.off()
    return points.passed


def in_child(work: Callable[[], object]) -> int:
    """The status of a forked child that did `work`: 0, 1 when it failed in words, 2 for a bug, or less than 0 when killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except CtmriError:
            os._exit(1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fault_in(folder: Path, name: str, *, before: Volume | None, after: Volume) -> str:
    """What is wrong with what can be seen under `name`: "" where it is absent (or as before) or whole."""
    seen = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    if seen - {name, f"{name}.provenance.json"}:
        return f"odd names {sorted(seen)}"
    if name not in seen:
        return "the old file is gone" if before is not None else "a record without its image" if seen else ""
    try:
        found = open_volume(folder / name)
    except CtmriError as error:
        return f"partial: {error}"
    if found.synthetic is None:
        return "lost its mark"
    known = [each for each in (before, after) if each is not None]
    return "" if any(np.array_equal(found.voxels, each.voxels) for each in known) else "other voxels"


def kills_at_points(every: int) -> Iterator[tuple[str, str]]:
    """(what was tried, fault) of a kill at each point of writing each format, on an empty place and over an older file."""
    for name in TARGETS:
        for over in (False, True) if "." in name else (False,):
            with tempfile.TemporaryDirectory() as parent:
                total = attempt(Path(parent), name, 1, -1, lambda: None)
            for point in range(0, total, every):
                yield "kill at a point", _one_kill(name, over=over, point=point)


def _one_kill(name: str, *, over: bool, point: int | None = None, seconds: float = 0.0) -> str:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent)
        if over:
            finish(save(volume(1), folder / name, slices=TARGETS[name]))
        if point is not None:
            status = in_child(lambda: attempt(folder, name, 2, point, killed))
        else:
            status = _killed_after(seconds, lambda: finish(save(volume(2), folder / name, slices=TARGETS[name])))
        if status not in (-signal.SIGKILL, 0):
            return f"{name}: ended with {status}"
        fault = fault_in(folder, name, before=volume(1) if over else None, after=volume(2))
        return f"{name}, point {point}: {fault}" if fault else _leftovers_go(folder)


def _killed_after(seconds: float, work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _leftovers_go(folder: Path) -> str:
    """The next writing in the folder takes away what the killed one left."""
    finish(save(volume(3), folder / "next.nii"))
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    return f"left behind: {left}" if left else ""


def kills_at_random(count: int) -> Iterator[tuple[str, str]]:
    chance = random.Random(5)
    times = {}
    for name, slices in TARGETS.items():
        with tempfile.TemporaryDirectory() as parent:
            begun = time.perf_counter()
            finish(save(volume(2), Path(parent) / name, slices=slices))
            times[name] = time.perf_counter() - begun
    for _ in range(count):
        name = chance.choice(list(TARGETS))
        over = "." in name and chance.random() < 0.5
        yield "kill at random", _one_kill(name, over=over, seconds=chance.random() * times[name] * 1.5)


def stops(every: int) -> Iterator[tuple[str, str]]:
    """Asked to stop, each time the question is asked."""
    for name, slices in TARGETS.items():
        with tempfile.TemporaryDirectory() as parent:
            folder, asked = Path(parent), Counter()

            def count(asked: Counter[str] = asked) -> bool:
                asked["times"] += 1
                return False

            finish(save(volume(1), folder / name, slices=slices, stop=count))
        for moment in range(0, asked["times"], every):
            with tempfile.TemporaryDirectory() as parent:
                numbers = iter(range(10**6))
                result = finish(
                    save(volume(1), Path(parent) / name, slices=slices, stop=lambda n=numbers, m=moment: next(n) >= m)
                )
                left = list(Path(parent).iterdir())
                yield "stop", f"{name}, question {moment}: {left}" if result is not None or left else ""


def vanishing_folders(every: int) -> Iterator[tuple[str, str]]:
    """The folder goes away (a stick is pulled out) at each point: refused in words, or written before."""
    for name in TARGETS:
        with tempfile.TemporaryDirectory() as parent:
            total = attempt(Path(parent), name, 1, -1, lambda: None)
        for point in range(0, total, every):
            with tempfile.TemporaryDirectory() as parent:
                folder = Path(parent) / "in"
                folder.mkdir()

                def vanish(folder: Path = folder) -> None:
                    folder.rename(folder.with_name("away"))

                status = in_child(lambda f=folder, n=name, p=point, v=vanish: attempt(f, n, 1, p, v))
                yield "vanishing folder", f"{name}, point {point}: status {status}" if status not in (0, 1) else ""


def full_disks(folder: Path, every: int) -> Iterator[tuple[str, str]]:
    """A memory disk of each size up to one that suffices."""
    for name, slices in TARGETS.items():
        for size in range(2 * _PAGE, _LARGEST_DISK, every * _PAGE):
            with _mounted(folder, f"size={size},nr_inodes=64"):
                try:
                    finish(save(volume(1), folder / name, slices=slices))
                    fault = fault_in(folder, name, before=None, after=volume(1))
                    yield "disk just large enough", fault
                except WriteFailed as refusal:
                    said = str(refusal)
                    fault = "" if "the disk is full" in said and "Nothing partial" in said else f"{name}, {size}: {said}"
                    left = list(folder.iterdir())
                    yield "full disk", fault or (f"left {left}" if left else "")


def read_only_disks(folder: Path) -> Iterator[tuple[str, str]]:
    for name, slices in TARGETS.items():
        with _mounted(folder, "size=1m,ro"):
            try:
                finish(save(volume(1), folder / name, slices=slices))
                yield "read-only disk", f"{name} was written"
            except WriteFailed as refusal:
                yield "read-only disk", "" if "read-only" in str(refusal) else str(refusal)


class _mounted:
    def __init__(self, folder: Path, options: str) -> None:
        self._folder, self._options = str(folder), options

    def __enter__(self) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", self._options, "tmpfs", self._folder], check=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self._folder], check=True)


def _on_small_disks(every: int) -> None:
    """Run again inside a user namespace, where anybody may mount."""
    with tempfile.TemporaryDirectory() as folder:
        _tell([*full_disks(Path(folder), every), *read_only_disks(Path(folder))])


def _tell(results: list[tuple[str, str]]) -> None:
    json.dump(results, sys.stdout)


def small_disks(every: int) -> Iterator[tuple[str, str]]:
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*enter, "true"], capture_output=True, check=False).returncode:
        yield "small disks left out", ""
        return
    again = [*enter, sys.executable, __file__, "--few", str(every), "--small-disks"]
    done = subprocess.run(again, capture_output=True, text=True, check=False)
    if done.returncode:
        yield "small disks", done.stderr[-500:]
    else:
        yield from (tuple(result) for result in json.loads(done.stdout))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--few", type=int, default=1, metavar="N", help="every Nth point alone")
    parser.add_argument("--small-disks", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    every = arguments.few
    if arguments.small_disks:
        _on_small_disks(every)
        return 0
    results = [
        *kills_at_points(every), *kills_at_random(300 // every**2), *stops(every), *vanishing_folders(every), *small_disks(every),
    ]  # fmt: skip
    faults = [f"{what}: {fault}" for what, fault in results if fault]
    json.dump({"tried": Counter(what for what, _ in results), "faults": faults}, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
