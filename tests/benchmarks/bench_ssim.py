"""SSIM of a 512 x 512 slice against scikit-image: same value, how many times as fast.

One thread each; processor time, so that whatever else runs on the machine does not enter.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from skimage.metrics import structural_similarity

from ctmri_core.metrics.ssim import ssim


def _milliseconds(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def main() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(-1000, 2000, (512, 512)).astype(np.int16)
    synthetic = (truth + rng.normal(0, 100, truth.shape)).astype(np.int16)
    mask = np.hypot(*(np.indices(truth.shape) - 256)) < 200
    for dtype in (np.int16, np.float32):
        a, b = truth.astype(dtype), synthetic.astype(dtype)
        ours = _milliseconds(lambda a=a, b=b: ssim(a, b, data_range=4024), 200)
        masked = _milliseconds(lambda a=a, b=b: ssim(a, b, data_range=4024, mask=mask), 100)
        theirs = _milliseconds(lambda a=a, b=b: structural_similarity(a, b, data_range=4024), 20)
        apart = abs(ssim(a, b, data_range=4024) - structural_similarity(a, b, data_range=4024))
        print(
            f"{np.dtype(dtype).name:8}  ours {ours:6.3f} ms  in a mask {masked:6.3f} ms  scikit-image {theirs:6.2f} ms  "
            f"ratio {theirs / ours:5.1f}  values apart {apart:.1e}"
        )


if __name__ == "__main__":
    main()
