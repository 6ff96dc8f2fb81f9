"""Opens every kind of hostile file as the window does: verdicts, times, odd spacings, ways out (promises R3, R6, R7).

    python tests/soak/corpus_verdicts.py [--times 3]

Ends with 1 when a verdict is not the one that is due.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from ctmri_core.io.reader_process import shared_reader, shutdown
from tests.hostile.files import KINDS, lay_out
from tests.hostile.kinds import OUTSIDE
from tests.hostile.verdicts import faults, looked_outside, opened_paths, snapshot, verdict_on


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    shared_reader().start()
    times, outcomes, rows, wrong = [], Counter(), Counter(), []
    for _ in range(options.times):
        with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
            root = Path(folder)
            for kind in KINDS.values():
                path = lay_out(kind, root)
                outside = snapshot(root / OUTSIDE)
                with opened_paths() as opened:
                    verdict = verdict_on(path)
                found = faults(kind, path, verdict)
                if looked_outside(opened, root) or snapshot(root / OUTSIDE) != outside:
                    found.append("looked or wrote outside")
                times.append((verdict.seconds, kind.name))
                outcomes[verdict.outcome] += 1
                if kind.row:
                    rows[f"{kind.row} {'wrong' if found else 'as promised'}"] += 1
                wrong += [f"{kind.name}: {each}" for each in found]
    shutdown()
    seconds = np.array([each for each, _ in times])
    print(*sorted(set(wrong)), sep="\n", end="\n" if wrong else "")
    print(json.dumps({
        "kinds": len(KINDS), "openings": len(times), "wrong": len(wrong), **outcomes, **rows,
        "median s": round(float(np.median(seconds)), 4), "p99 s": round(float(np.quantile(seconds, 0.99)), 3),
        "max s": round(float(seconds.max()), 2), "slowest": [name for _, name in sorted(times)[-3:]],
    }))  # fmt: skip
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
