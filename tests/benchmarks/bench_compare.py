"""Pictures of comparing, against plain ways of making them, and frames of three linked 512 x 512 panes that all compare.

The difference is held against matplotlib's normalisation and colour map, contours against scikit-image's drawn as paths; a frame
is one slice step with all three panes painted, in milliseconds of the interface thread's processor time.
Run: QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_compare.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import CenteredNorm
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QApplication
from skimage.measure import find_contours

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.volume import Synthetic, Volume
from ctmri_gui.viewer.camera import Camera, Frame, Projection
from ctmri_gui.viewer.compare.difference import DifferencePicture, Scale
from ctmri_gui.viewer.compare.label_map import LabelMap
from ctmri_gui.viewer.compare.mask_model import MaskModel
from ctmri_gui.viewer.compare.mask_overlay import MaskOverlay
from ctmri_gui.viewer.compare.modes import Mode
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.screen_layout import screen_layout

SHAPE = (120, 512, 512)
GRID = Geometry(SHAPE, (1.0, 0.5, 0.5), (-128.0, -128.0, -60.0))


@dataclass(frozen=True)
class _Verdict:
    comparable: bool = True
    message: str = ""
    aligned: bool = True


@dataclass(frozen=True)
class _Compared:
    verdict: _Verdict = _Verdict()
    ranges: None = None


def milliseconds(work: Callable[[], object], times: int = 40) -> float:
    """The median."""
    work()
    taken = []
    for _ in range(times):
        start = time.thread_time()
        work()
        taken.append(1e3 * (time.thread_time() - start))
    return float(np.median(taken))


def difference() -> None:
    rng = np.random.default_rng(0)
    synthetic = rng.normal(0, 300, (512, 512)).astype(np.int16)
    truth = (synthetic + rng.normal(0, 100, synthetic.shape)).astype(np.float32)
    truth[:40] = np.nan
    maker, scale = DifferencePicture(), Scale("HU", "")
    ours = milliseconds(lambda: maker.render(synthetic, truth, scale, 200, "white"))
    plain = milliseconds(lambda: colormaps["bwr"](CenteredNorm(0, 200)(synthetic - truth), bytes=True))
    print(f"difference 512 x 512: {ours:.2f} ms; matplotlib {plain:.2f} ms, {plain / ours:.1f} times as long")


def regions() -> np.ndarray:
    """Twelve discs."""
    rows, columns = np.indices((512, 512))
    labels = np.zeros((512, 512), np.uint8)
    for n in range(12):
        labels[np.hypot(rows - 100 - 100 * (n // 3), columns - 120 - 130 * (n % 3)) < 45] = n + 1
    return labels


def masks() -> None:
    labels = np.repeat(regions()[None], SHAPE[0], axis=0)
    model, layout = MaskModel(), screen_layout(GRID)
    model.add(LabelMap(labels, GRID, tuple(range(1, 13)), "Mask 1"))
    projection = Projection(Camera((128.0, 128.0)), (640, 700), (640, 700), Frame(0, 0, 256, 256))
    canvas, shown = QImage(640, 700, QImage.Format.Format_RGB32), [0]
    overlay = MaskOverlay(model, lambda: (layout, shown[0]))

    def ours() -> None:
        shown[0] = (shown[0] + 1) % SHAPE[0]
        painter = QPainter(canvas)
        overlay.paint(painter, projection)
        painter.end()

    def plain() -> None:
        painter = QPainter(canvas)
        painter.setPen(QPen(painter.pen().color(), 2))
        for value in range(1, 13):
            path = QPainterPath()
            for contour in find_contours(labels[0] == value, 0.5):
                points = [QPointF(*projection.to_pixel(column * 0.5, row * 0.5)) for row, column in contour]
                path.moveTo(points[0])
                for point in points[1:]:
                    path.lineTo(point)
            painter.drawPath(path)
        painter.end()

    fast, slow = milliseconds(ours), milliseconds(plain, 5)
    print(f"mask of 12 regions, filled with contours: {fast:.2f} ms; as paths {slow:.2f} ms, {slow / fast:.0f} times as long")


def volumes() -> dict[Role, Volume]:
    rng = np.random.default_rng(0)
    values = rng.integers(-200, 200, SHAPE, dtype=np.int16)
    finer = Geometry((120, 480, 480), (1.0, 0.53, 0.53), (-127.0, -127.0, -59.6))
    truth = rng.integers(-200, 200, finer.shape, dtype=np.int16)
    return {
        Role.SOURCE: Volume(values.astype(np.float32), GRID, Domain.MR_T1, "source"),
        Role.SYNTHETIC: Volume(values, GRID, Domain.CT, "synthetic", synthetic=Synthetic("bench", "0")),
        Role.TRUTH: Volume(truth, finer, Domain.CT, "truth"),
    }


def frames(app: QApplication) -> None:
    views = LinkedViews()
    views.resize(1920, 760)
    views.show()
    for role, volume in volumes().items():
        views.set_volume(role, volume)
    views.compare.model.set_compared(_Compared())
    for mode in Mode:
        for pane in views.panes:
            views.compare.model.set_mode(pane, mode)
        end = time.perf_counter() + 2
        while time.perf_counter() < end:
            app.processEvents()
        taken = []
        for k in (*range(20, 100), *range(100, 20, -1)):
            start = time.thread_time()
            views.set_slice(k)
            app.processEvents()
            taken.append(1e3 * (time.thread_time() - start))
            time.sleep(0.004)
        print(f"frame, {mode.value}: median {np.median(taken):.1f} ms, p99 {np.percentile(taken, 99):.1f} ms")
    views.close_background()
    views.close()


def main() -> None:
    app = QApplication([])
    difference()
    masks()
    frames(app)


if __name__ == "__main__":
    main()
