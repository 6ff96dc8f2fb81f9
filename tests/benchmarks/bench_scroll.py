"""Frames per second of three linked 512 x 512 panes while scrolling, with and without live metrics.

A frame is one slice step with all three panes painted. The truth lies on another, oblique grid, so that its slices are
resampled as they come. Run: QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_scroll.py [seconds]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.metrics_link import MetricsLink
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.layouts import SIDE_BY_SIDE
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.metrics_dock import MetricsDock
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


class Followed:
    """The metrics as the window runs them, curve included. `updates`: how often figures came."""

    def __init__(self, app: QApplication, views: LinkedViews, shown: dict[Role, Volume]) -> None:
        settings = Settings(Path(self.folder.name) / "settings.json")
        settings["translate_after_open"] = False
        self.session, self.dock, self.updates = Session(settings, []), MetricsDock(), 0
        self.link = MetricsLink(self.session, views, self.dock)
        self.link.follower.scored.connect(self._count)
        self.dock.resize(320, 560)
        self.dock.show()
        for role, volume in shown.items():
            self.session.place(volume, role)
        end = time.perf_counter() + 60
        while (self.session.comparison is None or self.dock.curve is None) and time.perf_counter() < end:
            settle(app, 0.1)
        assert self.session.comparison is not None
        print("verdict:", self.session.comparison.verdict.message)

    folder = TemporaryDirectory()

    def close(self) -> None:
        self.link.close()
        self.session.close()
        self.dock.close()

    def _count(self) -> None:
        self.updates += 1


def several_models(app: QApplication, views: LinkedViews, shown: dict[Role, Volume], seconds: float) -> None:
    """Three models, the truth and the source in five panes, with the table of the metrics and the curve."""
    rng, made = np.random.default_rng(1), shown[Role.SYNTHETIC]
    noisy = [made.voxels + rng.normal(0, spread, (1, *SHAPE[1:])).astype(np.float32) for spread in (20, 60)]
    further = [replace(made, voxels=voxels, synthetic=Synthetic(f"bench {n}", str(n))) for n, voxels in enumerate(noisy)]
    present = shown | dict(zip((Role.SYNTHETIC_B, Role.SYNTHETIC_C), further, strict=True))
    for role, volume in present.items():
        views.set_volume(role, volume)
    views.show_models((Role.SOURCE, Role.SYNTHETIC, Role.SYNTHETIC_B, Role.SYNTHETIC_C, Role.TRUTH))
    followed = Followed(app, views, present)
    settle(app, 4.0)
    assert followed.dock.tabled
    before = followed.updates
    report("three models in five panes, truth on an oblique grid, live table and curve", scroll(app, views.set_slice, seconds))
    print(f"    {(followed.updates - before) / seconds:.0f} updates of the whole table/s")
    followed.close()


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
        followed = Followed(app, views, present)
        settle(app, 4.0)
        before = followed.updates
        report(f"{name}, live metrics and curve", scroll(app, views.set_slice, seconds))
        print(f"    {(followed.updates - before) / seconds:.0f} updates of the metrics/s")
        followed.close()
    several_models(app, views, shown, seconds)
    for role in (Role.SYNTHETIC_B, Role.SYNTHETIC_C):
        views.set_volume(role, None)
    views.arrangement.show(SIDE_BY_SIDE)
    for role, volume in one_grid.items():
        views.set_volume(role, volume)
    settle(app, 2.0)
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
