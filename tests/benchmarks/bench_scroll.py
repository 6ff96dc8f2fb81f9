"""Frames per second of three linked 512 x 512 panes while scrolling, with and without live metrics.

A frame is one slice step with all three panes painted. The truth lies on another, oblique grid, so that its slices are
resampled as they come. Run: QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_scroll.py [seconds]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from ctmri_core.comparison import Comparison
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.metrics_follower import MetricsFollower, Scores
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
    truth = replace(resample_to(synthetic, tilted), synthetic=None, name="truth")
    return {Role.SOURCE: source, Role.SYNTHETIC: synthetic, Role.TRUTH: truth}


def settle(app: QApplication, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        app.processEvents()


def scroll(app: QApplication, show: Callable[[int], None], seconds: float) -> np.ndarray:
    """(frames, 2): wall-clock and interface-thread processor milliseconds of every frame."""
    times, k, step = [], SHAPE[0] // 2, 1
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start, busy = time.perf_counter(), time.thread_time()
        k += step
        if k in (20, SHAPE[0] - 20):
            step = -step
        show(k)
        app.processEvents()
        times.append((time.perf_counter() - start, time.thread_time() - busy))
    return np.asarray(times) * 1000


def pyqtgraph_panes(app: QApplication, shown: dict[Role, Volume], seconds: float) -> np.ndarray:
    """The alternative: three bare pyqtgraph views of the same size, one ImageItem each, without any label."""
    box = QWidget()
    row = QHBoxLayout(box)
    items = []
    for volume in shown.values():
        view = pg.GraphicsView()
        area = pg.ViewBox(enableMenu=False, enableMouse=False, invertY=True, lockAspect=True)
        view.setCentralItem(area)
        items.append((pg.ImageItem(axisOrder="row-major"), volume.voxels))
        area.addItem(items[-1][0])
        row.addWidget(view)
    box.resize(1600, 620)
    box.show()

    def show(k: int) -> None:
        for item, voxels in items:
            item.setImage(voxels[k], autoLevels=False, levels=(0, 1000))

    times = scroll(app, show, seconds)
    box.close()
    return times


def report(name: str, times: np.ndarray) -> None:
    p50, p99 = np.percentile(times[:, 0], (50, 99))
    wall, busy = 1000 / times.mean(0)
    print(f"{name}: {wall:.0f} frames/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms; {busy:.0f} per processor second of the thread")


def follow(views: LinkedViews, shown: dict[Role, Volume]) -> tuple[MetricsFollower, MetricsDock, list[int]]:
    """The metrics as the window runs them; the list grows by one slice number per update of the dock."""
    comparison = Comparison(shown[Role.SOURCE], shown[Role.SYNTHETIC], shown[Role.TRUTH])
    print("verdict:", comparison.verdict.message)
    follower, dock, updated = MetricsFollower(), MetricsDock(), []

    def show(k: int, scores: Scores | None) -> None:
        dock.set_scores(scores, str(k))
        dock.repaint()
        updated.append(k)

    follower.scored.connect(show)
    follower.set_comparison(comparison)
    views.sliceChanged.connect(follower.request)
    dock.resize(300, 400)
    dock.show()
    return follower, dock, updated


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    app = QApplication([])
    views = LinkedViews()
    views.resize(1600, 620)
    views.show()
    shown = volumes()
    one_grid = shown | {Role.TRUTH: replace(shown[Role.SYNTHETIC], synthetic=None)}
    for name, present in (("truth on an oblique grid", shown), ("all on one grid", one_grid)):
        for role, volume in present.items():
            views.set_volume(role, volume)
        settle(app, 2.0)
        report(name, scroll(app, views.set_slice, seconds))
        follower, dock, updated = follow(views, present)
        follower.request(views.slice)
        settle(app, 2.0)
        updated.clear()
        report(f"{name}, live metrics", scroll(app, views.set_slice, seconds))
        print(f"    {len(updated) / seconds:.0f} updates of the metrics/s")
        follower.close()
        dock.close()
    views.actions_by_name["toggle_text"].trigger()
    plain = scroll(app, views.set_slice, seconds)
    report("all on one grid, no labels", plain)
    bare = pyqtgraph_panes(app, one_grid, seconds)
    report("pyqtgraph's ImageItem, no labels", bare)
    print(f"    ours takes {plain[:, 1].mean() / bare[:, 1].mean():.2f} of its processor time per frame")
    print("canvas", views.panes[Role.SOURCE].canvas.size().toTuple())
    views.close_background()


if __name__ == "__main__":
    main()
