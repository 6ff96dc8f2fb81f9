"""Draws the map over the slice of a pane, and what its colours mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.compare.colour_bar import ColourBar
from ctmri_gui.viewer.compare.colour_maps import HEAT, NONE, rgb_table
from ctmri_gui.viewer.maps.map_model import MapLayer

_STEPS = 254
_FULL_FROM = 0.3
"""Share of the limit from which on colours are as strong as is wanted: below, the picture shines through."""


class MapOverlay:
    """An `Overlay`, told what to paint by `show`."""

    def __init__(self) -> None:
        self.bar: ColourBar | None = None
        self._image = QImage()
        self._argb: NDArray[np.uint32] = np.zeros((0, 0), np.uint32)
        self._size_mm = (1.0, 1.0)

    def show(
        self, layer: MapLayer | None, picture: NDArray[Any] | None, size_mm: tuple[float, float], opacity: float
    ) -> None:  # fmt: skip
        """`picture`: (rows, columns) in screen order, `size_mm` (width, height) edge to edge; None where there is none."""
        self._image, self._size_mm = QImage(), size_mm
        self.bar = None
        if layer is not None:
            self.bar = ColourBar(layer.limit, layer.unit, f"{layer.title}: {layer.what}", HEAT, signed=False)
        if layer is not None and picture is not None:
            self._argb = np.take(table_of(opacity), indices(picture, layer.limit))
            rows, columns = self._argb.shape
            self._image = QImage(self._argb.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)

    @property
    def present(self) -> bool:
        return not self._image.isNull()

    def paint(self, painter: QPainter, projection: Projection) -> None:
        if not self.present:
            return
        corner, end = projection.to_pixel(0, 0), projection.to_pixel(*self._size_mm)
        painter.drawImage(QRectF(QPointF(*corner), QPointF(*end)), self._image)
        if self.bar is not None:
            self.bar.draw(painter, projection.pane)


def indices(picture: NDArray[Any], limit: float) -> NDArray[np.uint8]:
    """Which colour each value has, 1 for nothing to 255 for `limit` and more; `NONE` for what is no number."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.clip(picture.astype(np.float32) * np.float32(_STEPS / limit) + np.float32(1.5), 1, 255)
        scaled[~np.isfinite(picture)] = NONE
        found: NDArray[np.uint8] = scaled.astype(np.uint8)
        return found


def table_of(opacity: float) -> NDArray[np.uint32]:
    """(256,): 0xAARRGGBB, premultiplied; nothing is transparent."""
    share = np.clip((np.arange(256) - 1) / (_FULL_FROM * _STEPS), 0, 1) * opacity
    share[NONE] = 0
    channels = np.rint(np.concatenate([share[:, None] * 255, rgb_table(HEAT) * share[:, None]], axis=1)).astype(np.uint32)
    alpha, red, green, blue = channels.T
    table: NDArray[np.uint32] = alpha << np.uint32(24) | red << np.uint32(16) | green << np.uint32(8) | blue
    return table
