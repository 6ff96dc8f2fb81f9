"""The metric curve of a 256 x 256 x 160 pair against scikit-image slice by slice: same values, how many times as fast.

Both in one run, on the same masks; seconds on the clock and of the processor, the curve on one thread. The truth lies on the
grid of the source, and on an oblique one of its own, which scikit-image gets resampled for nothing.
Run: python tests/benchmarks/bench_metric_curve.py
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
from skimage.metrics import structural_similarity

from ctmri_core.comparison import Comparison, Scores
from ctmri_core.domain import Domain
from ctmri_core.events import finish
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.volume import Synthetic, Volume

_SHAPE = (160, 256, 256)
Result = TypeVar("Result")


def pair() -> tuple[Volume, Volume, Volume, Volume]:
    """(source, synthetic, truth on its grid, truth on an oblique grid) of a textured ellipsoid, CT of an MR."""
    rng = np.random.default_rng(0)
    grid = Geometry(_SHAPE, (1.0, 0.8, 0.8), (-102.0, -102.0, -80.0))
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, n) for n in _SHAPE], indexing="ij")
    head = sum(axis**2 for axis in axes) < 1
    structure = np.kron(rng.integers(0, 5, (20, 16, 16)), np.ones((8, 16, 16), int)) * 60
    source = Volume(np.where(head, 300 + structure, 0).astype(np.int16), grid, Domain.MR_T1)
    real = np.where(head, 900 - 2 * structure, -1000) + rng.integers(-20, 20, _SHAPE)
    truth = Volume(real.astype(np.int16), grid, Domain.CT)
    made = np.where(head, real + rng.normal(0, 60, _SHAPE), -1000).astype(np.int16)
    synthetic = Volume(made, grid, Domain.CT, synthetic=Synthetic("bench", "0"))
    tilted = Geometry.from_affine(_SHAPE, rigid_transform((3, 2, 4), (0.3, 0.6, 0.2)) @ grid.affine)
    return source, synthetic, truth, resample_to(truth, tilted)


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    clock, busy = time.perf_counter(), time.thread_time()
    result = work()
    return result, time.perf_counter() - clock, time.thread_time() - busy


def whole_curve(comparison: Comparison, axis: int) -> list[Scores | None]:
    return [each for _, scores in comparison.curve(axis, inside="slice") for each in scores]


def by_scikit_image(synthetic: Volume, truth: Volume, axis: int) -> list[tuple[float, float, float]]:
    """SSIM, PSNR and MAE of whole slices."""
    found = []
    for k in range(_SHAPE[axis]):
        x, y = (np.take(volume.voxels, k, axis).astype(np.float32) for volume in (synthetic, truth))
        a, b = (np.clip(image, -1024, 3000) + 1024 for image in (x, y))
        similarity = structural_similarity(a, b, data_range=4024.0)
        error = float(np.mean((a - b) ** 2, dtype=np.float64))
        found.append((similarity, 10 * math.log10(4024**2 / error), float(np.mean(np.abs(x - y), dtype=np.float64))))
    return found


def main() -> None:
    source, synthetic, truth, oblique = pair()
    same, apart = Comparison(source, synthetic, truth), Comparison(source, synthetic, oblique)
    print(same.verdict.message, apart.verdict.message)
    same.scores(80)
    apart.scores(80)
    for axis in range(3):
        curve, clock, busy = timed(lambda axis=axis: whole_curve(same, axis))
        theirs, their_clock, their_busy = timed(lambda axis=axis: by_scikit_image(synthetic, truth, axis))
        off = max(
            max(abs(one.ssim - other[0]), abs(one.psnr - other[1]), abs(one.mae - other[2]))
            for one, other in zip(curve, theirs, strict=True)
            if one is not None
        )
        print(
            f"axis {axis}: {clock:.2f} s ({busy:.2f} s of the processor); scikit-image {their_clock:.2f} s ({their_busy:.2f} s); "
            f"{their_busy / busy:.1f} times as fast; values apart by {off:.1e} at most"
        )
        _, clock, busy = timed(lambda axis=axis: whole_curve(apart, axis))
        print(f"        truth on an oblique grid {clock:.2f} s ({busy:.2f} s)")
        _, clock, busy = timed(lambda axis=axis: list(apart.curve(axis)))
        print(f"        the same inside the body {clock:.2f} s ({busy:.2f} s)")
    scores, clock, busy = timed(lambda: finish(apart.volume_scores()))
    print(f"volume inside the body, oblique truth: {clock:.2f} s ({busy:.2f} s): {scores}")
    k = replace(synthetic, synthetic=None).geometry.shape[0] // 2
    print("one slice:", apart.scores(k))


if __name__ == "__main__":
    main()
