"""The SynthRAD scores of a 256 x 256 x 160 pair against scikit-image's calls: same values, how many times as fast.

One thread each; processor time, so that whatever else runs on the machine does not enter; medians of rounds that take turns.
scikit-image has no MS-SSIM: that of 2025 is made of its SSIM at every scale. Peak memory is what Python and numpy took besides
the images.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ctmri_core.metrics.catalogue import METRICS
from ctmri_core.metrics.ssim_scales import SCALE_WEIGHTS
from ctmri_core.metrics.synthrad import synthrad_2023, synthrad_2025

_SHAPE = (160, 256, 256)


def main() -> None:
    rng = np.random.default_rng(0)
    truth = ndimage.gaussian_filter(rng.normal(0, 4000, _SHAPE).astype(np.float32), 2)
    synthetic = (truth + rng.normal(0, 60, _SHAPE)).astype(np.float32)
    mask = sum(axis**2 for axis in np.ogrid[tuple(slice(-1, 1, n * 1j) for n in _SHAPE)]) < 0.9
    print(f"mask: {mask.mean():.0%} of {_SHAPE}; images {truth.nbytes / 2**20:.0f} MiB each as float32")
    for dtype in (np.int16, np.float32):
        pair = truth.astype(dtype), synthetic.astype(dtype), mask
        for name, ours, theirs in (
            ("SynthRAD2023", synthrad_2023, _reference_2023), ("SynthRAD2025", synthrad_2025, _reference_2025),
        ):  # fmt: skip
            found, expected = ours(*pair), theirs(*pair)
            apart = max(abs(a - b) for a, b in zip((getattr(found, key) for key in found.__slots__), expected, strict=True))
            works = [partial(ours, *pair), partial(theirs, *pair)]
            (fast, slow), (small, large) = _seconds(works, 3), map(_peak, works)
            print(
                f"{np.dtype(dtype).name:8} {name}  ours {fast:6.3f} s, {small:5.0f} MiB  "
                f"scikit-image {slow:6.2f} s, {large:5.0f} MiB  ratio {slow / fast:5.1f}  values apart {apart:.1e}"
            )
    for key, metric in METRICS.items():
        if metric.takes == "images" and not (key == "ms_ssim" and min(_SHAPE) < 176):
            score = partial(metric.of_images, truth, synthetic, mask=mask, data_range=4024.0)
            print(f"{key:30} {_seconds([score], 1)[0]:7.3f} s {_peak(score):6.0f} MiB")


def _reference_2023(truth, synthetic, mask) -> tuple[float, float, float]:
    a, b = (np.where(mask, image.astype(np.float64), -1024) + 1024 for image in (truth, synthetic))
    similarity = structural_similarity(a, b, data_range=4024, full=True)[1]
    inner = (slice(3, -3),) * 3
    return *_errors(truth, synthetic, mask), float(similarity[inner][mask[inner]].mean())


def _reference_2025(truth, synthetic, mask) -> tuple[float, float, float]:
    errors, product = _errors(truth, synthetic, mask), 1.0
    a, b = (np.where(mask, np.clip(image.astype(np.float64), -1024, 3000), -1024) + 1024 for image in (truth, synthetic))
    inner = (slice(3, -3),) * 3
    padding = [((97 - n) // 2, (98 - n) // 2) if n < 97 else (0, 0) for n in mask.shape]
    a, b, mask = (np.pad(image, padding, mode="edge") for image in (a, b, mask))
    for weight in SCALE_WEIGHTS:
        similarity = structural_similarity(a, b, data_range=4024, full=True)[1]
        product *= (similarity[inner][mask[inner]].clip(0) ** weight).mean()
        a, b = (ndimage.uniform_filter(image, 2, mode="constant")[::2, ::2, ::2] for image in (a, b))
        mask = mask[::2, ::2, ::2]
    return *errors, float(product)


def _errors(truth, synthetic, mask) -> tuple[float, float]:
    a, b = (image.astype(np.float64)[mask] for image in (truth, synthetic))
    clipped = (np.clip(image, -1024, 3000) for image in (a, b))
    return float(np.abs(a - b).mean()), float(peak_signal_noise_ratio(*clipped, data_range=4024))


def _seconds(works: list[Callable[[], object]], rounds: int) -> list[float]:
    times = [[] for _ in works]
    for _ in range(rounds):
        for taken, work in zip(times, works, strict=True):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    return [float(np.median(taken)) for taken in times]


def _peak(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


if __name__ == "__main__":
    main()
