"""Strokes of the brush on the body of a 512 x 512 x 240 volume, against looking at every voxel of it, and one move of the mouse
with three panes (axial, coronal, sagittal) painted anew, in milliseconds of the interface thread's processor time.

Run: QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_body.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Domain
from ctmri_core.events import finish, never
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.mask_brush import Brush
from ctmri_core.volume import Volume
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.bodies import Bodies, find_body
from ctmri_gui.viewer.body.body_editor import BodyEditor
from ctmri_gui.viewer.layouts import BUILT_IN
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

GRID = Geometry((240, 512, 512), (1.0, 0.5, 0.5), (-128.0, -128.0, -120.0))


def head() -> Volume:
    k, j, i = np.ogrid[-1.1:1.1:240j, -1.1:1.1:512j, -1.1:1.1:512j]
    return Volume(np.where(k**2 + j**2 + i**2 < 1, 40, -1000).astype(np.int16), GRID, Domain.CT)


def best(work: Callable[[], object], count: int = 5) -> float:
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return 1e3 * min(times)


def everywhere(labels: np.ndarray, centre: np.ndarray, radius: float) -> None:
    """The plain way: how far each voxel is."""
    away = [(n - c) * s for n, c, s in zip(np.ogrid[[slice(n) for n in GRID.shape]], centre, GRID.spacing, strict=True)]
    labels[sum(one**2 for one in away) <= radius**2] = 0


def main() -> None:
    app = QApplication([])
    volume, centre = head(), GRID.centre
    end = np.add(centre, (2, 2, 0))
    body = finish(find_body(volume, None, never))
    plain = best(lambda: everywhere(body.labels.copy(), GRID.mm_to_index(centre), 15.0), 2)
    for radius in (5.0, 15.0, 30.0):
        ball = best(lambda radius=radius: Brush(radius).stroke(body.labels, GRID, centre, end, 1))
        disc = best(lambda radius=radius: Brush(radius, (0, 0, 1)).stroke(body.labels, GRID, centre, end, 1))
        print(f"radius {radius:g} mm: ball {ball:.2f} ms, disc {disc:.2f} ms; every voxel takes {plain / ball:.0f} times a ball")
    views, bodies, jobs = LinkedViews(), Bodies(), Jobs()
    views.resize(1600, 900)
    views.set_volume(Role.SOURCE, volume)
    views.arrangement.show(BUILT_IN[3])
    views.show()
    bodies.put(volume, body)
    editor = BodyEditor(views, bodies, History(), jobs)
    editor.show(True)
    views.use_tool("body_erase")
    canvas = next(iter(views.panes.values())).canvas
    times = []
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 400))
    for n in range(100):
        begin = time.thread_time()
        QTest.mouseMove(canvas, QPoint(200 + n, 400 + n // 2))
        app.processEvents()
        times.append(1e3 * (time.thread_time() - begin))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(299, 449))
    print(f"one move, three panes: p50 {np.percentile(times, 50):.1f}, p99 {np.percentile(times, 99):.1f} ms")
    views.close_background()
    views.close()


if __name__ == "__main__":
    main()
