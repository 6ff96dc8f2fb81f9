"""Opens thousands of mutated files of every format through the reader process; only refusals may come out (promise R8).

    python tests/soak/fuzz_readers.py --cases 10000 --seed 1 [--processes 2] [--keep FOLDER] [--differences] [--real FOLDER]

Prints a line per new kind of defect with the number of its case, from which `--only NUMBER --keep FOLDER` makes the file
again, and counts at the end. Ends with 1 when there was a defect.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import psutil

from ctmri_core.io.reader_process import shared_reader, shutdown
from tests.hostile.differences import OtherReaders
from tests.hostile.kinds import OUTSIDE
from tests.hostile.mutations import mutant
from tests.hostile.verdicts import Verdict, general_faults, looked_outside, opened_paths, snapshot, verdict_on

MOST_GROWTH = 150 << 20
_ALARM_S = 90
_MOST_REAL_BYTES = 600_000
_CRASH, _LATE, _MEMORY = "made the reading library crash", "was not read within", "more memory than a file is allowed"


@dataclass
class Case:
    number: int
    group: str
    outcome: str
    seconds: float
    growth: int
    faults: list[str] = field(default_factory=list)
    worker: str = ""


def _alarm(*_: object) -> None:
    raise TimeoutError("no verdict")


def peak() -> int:
    """Most bytes held since `reset_peak` (Linux), else now."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    except OSError:
        return int(psutil.Process().memory_info().rss)


def reset_peak() -> int:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return int(psutil.Process().memory_info().rss)


def run_case(root: Path, seed: int, number: int, others: OtherReaders | None, real: Sequence[Path] = ()) -> Case:
    group, path = mutant(root, Random(f"{seed}-{number}"), real)
    outside, before = snapshot(root / OUTSIDE), sorted(root.iterdir())
    laid = snapshot(path.parent)
    held = reset_peak()
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(_ALARM_S)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with opened_paths() as opened:
            verdict = verdict_on(path)
    signal.alarm(0)
    case = Case(number, group, verdict.outcome, verdict.seconds, peak() - held, general_faults(path, verdict))
    case.worker = next((word for word in (_CRASH, _LATE, _MEMORY) if word in verdict.message), "")
    case.faults += [f"warns: {str(each.message)[:100]}" for each in warned if issubclass(each.category, RuntimeWarning)]
    if case.growth > MOST_GROWTH:
        case.faults.append(f"holds {case.growth >> 20} MB more")
    if looked_outside(opened, root):
        case.faults.append("looked outside")
    if snapshot(root / OUTSIDE) != outside or sorted(root.iterdir()) != before or snapshot(path.parent) != laid:
        case.faults.append("wrote something")
    if others is not None and verdict.outcome == "opened" and len(verdict.volumes) == 1:
        case.faults += _differences(others, group, path, verdict)
    return case


def _differences(others: OtherReaders, group: str, path: Path, verdict: Verdict) -> list[str]:
    different = others.differs(group, path, verdict.volumes[0])
    return [] if different is None else [f"differs: {different}"] if different else ["agrees"]


def work(task: tuple[int, list[int], str | None, bool, tuple[Path, ...]]) -> list[Case]:
    """Runs some cases; in a process of its own."""
    seed, numbers, keep, differences, real = task
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    others = OtherReaders() if differences else None
    shared_reader().start()
    cases = []
    for number in numbers:
        root = Path(tempfile.mkdtemp(prefix="fuzz-", dir=keep))
        cases.append(run_case(root, seed, number, others, real))
        if keep is None or not [fault for fault in cases[-1].faults if fault != "agrees"]:
            shutil.rmtree(root, ignore_errors=True)
    if others is not None:
        others.close()
    shutdown()
    return cases


def _real_files(folder: Path) -> Iterator[Path]:
    """Files of a size that thousands of copies allow."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and 0 < path.stat().st_size < _MOST_REAL_BYTES:
            yield path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--keep", help="folder in which files that show a defect are kept")
    parser.add_argument("--only", type=int, help="the number of one case")
    parser.add_argument("--differences", action="store_true", help="compare what opens with what other libraries read")
    parser.add_argument("--real", type=Path, help="mutate the files of this folder instead of the generated ones")
    options = parser.parse_args()
    real = tuple(_real_files(options.real)) if options.real is not None else ()
    numbers = [options.only] if options.only is not None else list(range(options.cases))
    parts = [numbers[n : n + 100] for n in range(0, len(numbers), 100)]
    tasks = [(options.seed, part, options.keep, options.differences, real) for part in parts]
    start, cases, known = time.perf_counter(), [], set()
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for some in pool.imap_unordered(work, tasks):
            cases += some
            for case in some:
                for fault in case.faults:
                    kind = (case.group, fault.split(":")[0] if fault[:4] in ("warn", "diff") else fault[:60])
                    if fault != "agrees" and kind not in known:
                        known.add(kind)
                        print(json.dumps(asdict(case)), flush=True)
    summarise(cases, time.perf_counter() - start)
    return int(bool(known))


def summarise(cases: list[Case], seconds: float) -> None:
    times = np.array([case.seconds for case in cases])
    groups = Counter(f"{case.group} {case.outcome if case.outcome in ('opened', 'refused') else 'DEFECT'}" for case in cases)
    print(json.dumps(dict(sorted(groups.items()))))
    faults = [fault for case in cases for fault in case.faults]
    print(json.dumps({
        "cases": len(cases), "minutes": round(seconds / 60, 1), "defects": len([each for each in faults if each != "agrees"]),
        "agreements": faults.count("agrees"), "median s": round(float(np.median(times)), 4),
        "p99 s": round(float(np.quantile(times, 0.99)), 3), "max s": round(float(times.max()), 2),
        "worker crashes": sum(case.worker == _CRASH for case in cases),
        "worker too late": sum(case.worker == _LATE for case in cases),
        "worker out of memory": sum(case.worker == _MEMORY for case in cases),
        "most growth MB": max(case.growth for case in cases) >> 20,
    }))  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
