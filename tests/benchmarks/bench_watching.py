"""What a look at a watched folder of thousands of files costs, against a bare walk over it.

Run: python tests/benchmarks/bench_watching.py [FILES]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from ctmri_core.batch.order import BatchOrder
from ctmri_core.batch.watching import Arrivals
from ctmri_core.events import never

_LOOKS = 5


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "in")
        for number in range(count):
            path = root / f"p{number // 200}" / f"{number:05d}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"nothing of interest")
        arrivals = Arrivals(BatchOrder((root,), Path(place, "out")), 0.0)
        arrivals.look(never)
        bare, looks = [], []
        for _ in range(_LOOKS):
            begun = time.perf_counter()
            sum(os.stat(os.path.join(parent, name)).st_size for parent, _, names in os.walk(root) for name in names)  # noqa: PTH116, PTH118  # as fast as can be
            bare.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            arrivals.look(never)
            looks.append(time.perf_counter() - begun)
    print(f"{count} files: a look takes {min(looks) / min(bare):.1f} times a bare walk ({1000 * min(looks):.0f} ms); pause"
          f" between looks {arrivals.pause:.1f} s, so {min(looks) / arrivals.pause:.1%} of one processor")  # fmt: skip


if __name__ == "__main__":
    main()
