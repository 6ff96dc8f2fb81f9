"""Milliseconds from a turn of the wheel, or a pull of the mouse, to the painted picture, in the real window.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_viewer.py [--turns 300] [--slices 400]

Three volumes of `--slices` x 512 x 512: a CT, its synthetic MR on the same grid, and a truth on an oblique grid of its own. The
mouse stands over a pane, so that the read-out is told; the metrics dock is open. Side by side: wheel, window drag. Three planes
of each: wheel in each plane, crosshair dragged through all nine panes. Beside them, in the same run, what it costs to bring the
same slices to the screen with pyqtgraph's ImageItem. At the end: the memory of the program over what the voxels need.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry, rigid_transform
from ctmri_core.preprocess.resample import resample_to
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.app import build_window
from ctmri_gui.main_window import MainWindow
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.panes import Plane
from ctmri_gui.viewer.roles import MAIN, Role
from ctmri_gui.viewer.slice_view import SliceView

PROMISED = {"wheel": 16.0, "window": 16.0, "planes": 33.0}


def volumes(slices: int) -> list[Volume]:
    shape = (slices, 512, 512)
    random = np.random.default_rng(0)
    grid = Geometry(shape, (0.6, 0.45, 0.45), (-115.0, -115.0, -120.0))
    axes = np.meshgrid(*[np.linspace(-1.15, 1.15, n, dtype=np.float32) for n in shape], indexing="ij", sparse=True)
    head = sum(axis**2 for axis in axes) < 1
    ct = np.where(head, np.int16(40), np.int16(-1000))
    for part in ct:
        part += random.integers(-30, 30, part.shape, dtype=np.int16)
    source = Volume(ct, grid, Domain.CT, "ct")
    synthetic = Volume((ct + np.int16(1024)), grid, Domain.MR_T1, "t1", synthetic=Synthetic("bench", "0"))
    tilted = Geometry.from_affine(shape, rigid_transform((3, 2, 4), (1, 2, 3)) @ grid.affine)
    truth = replace(resample_to(synthetic, tilted), synthetic=None, name="truth")
    return [source, synthetic, truth]


def settle(app: QApplication, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        app.processEvents()
        time.sleep(0.002)


def wheel(pane: SliceView, notches: int) -> None:
    at = QPointF(pane.canvas.rect().center())
    turned = QPoint(0, 120 * notches)
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at, pane.canvas.mapToGlobal(at), QPoint(), turned, Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(pane.canvas, event)


def mouse(pane: SliceView, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, held: Qt.KeyboardModifier) -> None:
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    QApplication.sendEvent(pane.canvas, QMouseEvent(kind, at, pane.canvas.mapToGlobal(at), button, pressed, held))


def timed(app: QApplication, action: Callable[[int], None], turns: int) -> np.ndarray:
    """(turns, 2): wall-clock and processor milliseconds of the interface thread until all is painted."""
    taken = []
    for turn in range(turns):
        start, busy = time.perf_counter(), time.thread_time()
        action(turn)
        app.processEvents()
        taken.append((time.perf_counter() - start, time.thread_time() - busy))
        time.sleep(0.004)  # hands do not turn faster; what is made ahead gets its turn
    return np.asarray(taken) * 1000


def report(name: str, taken: np.ndarray, kind: str) -> None:
    (wall_50, busy_50), (wall_99, busy_99) = np.percentile(taken, (50, 99), axis=0)
    print(
        f"{name:44s} p50 {wall_50:5.1f} ms, p99 {wall_99:5.1f} ms (promised {PROMISED[kind]:.0f}); "
        f"processor time p50 {busy_50:5.1f}, p99 {busy_99:5.1f}"
    )


def there_and_back(turn: int, span: int = 60) -> int:
    return 1 if turn // span % 2 == 0 else -1


def drag(app: QApplication, pane: SliceView, turns: int, held: Qt.KeyboardModifier) -> np.ndarray:
    middle = QPointF(pane.canvas.rect().center())
    left = Qt.MouseButton.LeftButton

    def pull(turn: int) -> None:
        angle = turn / 20
        at = middle + QPointF(60 * np.cos(angle), 40 * np.sin(angle))
        mouse(pane, QEvent.Type.MouseMove, at, left, held)

    mouse(pane, QEvent.Type.MouseButtonPress, middle, left, held)
    taken = timed(app, pull, turns)
    mouse(pane, QEvent.Type.MouseButtonRelease, middle, left, held)
    return taken


def pyqtgraph_slices(app: QApplication, shown: list[Volume], turns: int) -> np.ndarray:
    import pyqtgraph as pg

    box = pg.GraphicsLayoutWidget()
    items = []
    for column in range(3):
        area = box.addViewBox(0, column, enableMenu=False, invertY=True, lockAspect=True)
        items.append(pg.ImageItem(axisOrder="row-major"))
        area.addItem(items[-1])
    box.resize(1500, 600)
    box.show()
    state = [shown[0].voxels.shape[0] // 2]

    def show(turn: int) -> None:
        state[0] += there_and_back(turn)
        for item, volume in zip(items, shown, strict=True):
            item.setImage(volume.voxels[state[0]], autoLevels=False, levels=(0, 1000))

    taken = timed(app, show, turns)
    box.close()
    return taken


def side_by_side(app: QApplication, window: MainWindow, turns: int) -> None:
    pane = window.views.panes[Role.SYNTHETIC]
    mouse(pane, QEvent.Type.MouseMove, QPointF(pane.canvas.rect().center()), Qt.MouseButton.NoButton, _NONE)
    for _ in range(40):
        wheel(pane, 1)
    settle(app, 1.0)
    report("wheel, three panes, read-out and metrics", timed(app, lambda turn: wheel(pane, there_and_back(turn)), turns), "wheel")
    report("window drag", drag(app, pane, turns, _NONE), "window")


def three_planes(app: QApplication, window: MainWindow, turns: int) -> None:
    views = window.views
    views.actions_by_name["layout_2"].trigger()
    settle(app, 3.0)
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        pane = next(each for each in views.panes.values() if each.spec.plane is plane and each.role is Role.SOURCE)
        taken = timed(app, lambda turn, pane=pane: wheel(pane, there_and_back(turn)), turns)
        report(f"wheel, three planes of each, {plane.value}", taken, "planes")
    pane = views.panes[Role.SOURCE]
    report("crosshair dragged, nine panes", drag(app, pane, turns, Qt.KeyboardModifier.ControlModifier), "planes")


_NONE = Qt.KeyboardModifier.NoModifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--slices", type=int, default=400)
    asked = parser.parse_args()
    app = QApplication([])
    settings = Settings()
    settings["translate_after_open"] = False
    window = build_window(settings=settings, models=[])
    window.resize(1900, 1150)
    window.show()
    settle(app, 2.0)
    before = psutil.Process().memory_info().rss
    shown = volumes(asked.slices)
    own = sum(volume.voxels.nbytes for volume in shown)
    for volume, role in zip(shown, MAIN, strict=True):
        window.session.place(volume, role)
    settle(app, 8.0)
    side_by_side(app, window, asked.turns)
    three_planes(app, window, asked.turns)
    used = psutil.Process().memory_info().rss - before
    print(f"memory: {used / own:.2f} times the voxels of the three volumes (at most 2.5)")
    report("pyqtgraph's ImageItem, three panes, alone", pyqtgraph_slices(app, shown, asked.turns), "wheel")
    window.close()


if __name__ == "__main__":
    main()
