"""How long a gzipped NIfTI takes to open, with every check, against nibabel without them. Give the file as the argument."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import nibabel as nib
import numpy as np

from ctmri_core.io.opening import open_volume


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    path = sys.argv[1]
    ours = median_seconds(lambda: open_volume(path))
    theirs = median_seconds(lambda: np.asanyarray(nib.load(path).dataobj))
    print(f"ours {ours:.3f} s, nibabel {theirs:.3f} s, nibabel / ours = {theirs / ours:.2f}")
