"""Frames per second of three linked 512 x 512 panes while scrolling, with and without live metrics.

A frame is one slice step with all three panes painted. The truth lies on another, oblique grid, so that its slices are
resampled as they come. Run: QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_scroll.py [seconds]
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

SHAPE = (160, 512, 512)


def volumes() -> dict[Role, Volume]:
    rng = np.random.default_rng(0)
    grid = Geometry(SHAPE, (1.0, 0.5, 0.5), (-128.0, -128.0, -80.0))
    head = np.linalg.norm((np.indices(SHAPE).T - np.array(SHAPE) / 2).T / np.array([[[[90]]], [[[220]]], [[[190]]]]), axis=0) < 1
    ct = np.where(head, 40, -1000).astype(np.int16) + rng.integers(-30, 30, SHAPE, dtype=np.int16)
    source = Volume(ct, grid, Domain.CT, "ct")
    synthetic = Volume((ct + 1024).astype(np.float32) / 2, grid, Domain.MR_T1, "t1", synthetic=Synthetic("bench", "0"))
    tilted = Geometry.from_affine(SHAPE, rigid_transform((3, 2, 4), (1, 2, 3)) @ grid.affine)
    return {Role.SOURCE: source, Role.SYNTHETIC: synthetic, Role.TRUTH: replace(synthetic, geometry=tilted, synthetic=None)}


def settle(app: QApplication, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        app.processEvents()


def scroll(app: QApplication, views: LinkedViews, seconds: float) -> np.ndarray:
    """(frames, 2): wall-clock and interface-thread processor milliseconds of every frame."""
    times, k, step = [], SHAPE[0] // 2, 1
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start, busy = time.perf_counter(), time.thread_time()
        k += step
        if k in (20, SHAPE[0] - 20):
            step = -step
        views.set_slice(k)
        app.processEvents()
        times.append((time.perf_counter() - start, time.thread_time() - busy))
    return np.asarray(times) * 1000


def report(name: str, times: np.ndarray) -> None:
    p50, p99 = np.percentile(times[:, 0], (50, 99))
    wall, busy = 1000 / times.mean(0)
    print(f"{name}: {wall:.0f} frames/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms; {busy:.0f} frames per processor second of the thread")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    app = QApplication([])
    views = LinkedViews()
    views.resize(1600, 620)
    views.show()
    shown = volumes()
    for role, volume in shown.items():
        views.set_volume(role, volume)
    settle(app, 2.0)
    print("canvas", [(pane.canvas.width(), pane.canvas.height()) for pane in views.panes.values()])
    report("three panes, truth resampled", scroll(app, views, seconds))
    views.set_volume(Role.TRUTH, replace(shown[Role.TRUTH], geometry=shown[Role.SOURCE].geometry))
    settle(app, 0.5)
    report("three panes, one grid", scroll(app, views, seconds))


if __name__ == "__main__":
    main()
