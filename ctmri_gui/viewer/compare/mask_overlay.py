"""Draws masks over the slice of a pane, whatever plane it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.resample import resample_array
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.compare import chips
from ctmri_gui.viewer.compare.mask_model import Mask, MaskModel, MaskStyle
from ctmri_gui.viewer.screen_layout import ScreenLayout

_LINE = 2.0
_ABOVE_LEGEND = 3.2  # lines of badges


class MaskOverlay:
    """An `Overlay`. Every pixel of the pane asks for the nearest voxel of the mask, so that borders are where the file has them
    and lines are equally thick at any zoom.

    `place`: the layout of the displayed slices and which of them is shown; None without a picture.
    """

    def __init__(self, model: MaskModel, place: Callable[[], tuple[ScreenLayout, int] | None]) -> None:
        self._model, self._place = model, place
        self._pictures: dict[Mask, _MaskPicture] = {}
        self.pointed: QPointF | None = None
        """Where the mouse is on the pane: the legend begins with what lies there."""

    def paint(self, painter: QPainter, projection: Projection) -> None:
        place, shown = self._place(), self._model.shown
        self._pictures = {mask: self._pictures.get(mask) or _MaskPicture(mask) for mask in shown}
        if place is None or not shown:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        under: list[tuple[str, str]] = []
        present: list[tuple[str, str]] = []
        for mask, picture in self._pictures.items():
            picture.follow(*place, projection, ratio)
            painter.drawImage(QPointF(0, 0), picture.image(self._model.style, self._model.opacity))
            here = picture.at(self.pointed)
            under += [(f"▸ {mask.map.region(here)}", mask.colour(here))] if here else []
            present += [(mask.map.region(index), mask.colour(index)) for index in picture.present if index != here]
        _draw_legend(painter, under + present, projection)


class _MaskPicture:
    """One mask on one pane, made anew when the place or the look changes."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._key: object = None
        self._look: object = None
        self._places: NDArray[np.uint16] = np.zeros((0, 0), np.uint16)
        self._argb: NDArray[np.uint32] = np.zeros((0, 0), np.uint32)
        self._image = QImage()
        self._ratio = 1.0
        self.present: tuple[int, ...] = ()
        """The regions that are seen, by their places."""

    def follow(self, layout: ScreenLayout, k: int, projection: Projection, ratio: float) -> None:
        """Which slice is seen where, on a screen of so many pixels to each pixel of the pane."""
        key = layout, k, projection, ratio
        if key == self._key:
            return
        self._key, self._look, self._ratio = key, None, ratio
        plane = pane_plane(layout, k, projection, ratio)
        labels = resample_array(self._mask.map.labels, self._mask.map.geometry, plane, order=0)[0]
        seen = np.flatnonzero(np.bincount(labels.ravel()))
        self.present = tuple(seen[seen > 0].tolist())
        self._places = labels.astype(np.uint16)
        self._places[borders(labels, max(1, round(_LINE * ratio)))] += 256

    def at(self, where: QPointF | None) -> int:
        """The place of the region at a pixel of the pane, 0 where there is none."""
        if where is None:
            return 0
        row, column = int(where.y() * self._ratio), int(where.x() * self._ratio)
        rows, columns = self._places.shape
        return int(self._places[row, column]) % 256 if 0 <= row < rows and 0 <= column < columns else 0

    def image(self, style: MaskStyle, opacity: float) -> QImage:
        if self._look != (style, opacity):
            self._look = style, opacity
            table = self._mask.table(opacity)
            if style is MaskStyle.FILL:
                table[256:] = table[:256]
            elif style is MaskStyle.CONTOUR:
                table[:256] = 0
            self._argb = np.take(table, self._places)
            rows, columns = self._argb.shape
            shown = QImage.Format.Format_ARGB32_Premultiplied
            self._image = QImage(self._argb.data, columns, rows, 4 * columns, shown)
            self._image.setDevicePixelRatio(self._ratio)
        return self._image


def pane_plane(layout: ScreenLayout, k: int, projection: Projection, ratio: float) -> Geometry:
    """The pixels of a pane as a plane of the patient: (1, rows, columns)."""
    width, height = (max(round(side * ratio), 1) for side in projection.pane)
    pixel = projection.mm_per_pixel / ratio
    corner = layout.to_mm(*projection.to_plane(0.5 / ratio, 0.5 / ratio), k)
    x, y, z = corner.tolist()
    return Geometry((1, height, width), (layout.geometry.spacing[0], pixel, pixel), (x, y, z), layout.geometry.direction)


def borders(labels: NDArray[np.uint8], thickness: int) -> NDArray[np.bool_]:
    """The pixels of regions that lie no further than `thickness` from another region or from nothing, along rows or columns."""
    border = np.zeros(labels.shape, np.bool_)
    for axis in (0, 1):
        along, marks = np.moveaxis(labels, axis, 0), np.moveaxis(border, axis, 0)
        differs = along[thickness:] != along[:-thickness]
        marks[thickness:] |= differs
        marks[:-thickness] |= differs
    border &= labels != 0
    return border


def _draw_legend(painter: QPainter, present: list[tuple[str, str]], projection: Projection) -> None:
    """Below the badges, down to the letter at the right edge; what has no room there is counted."""
    painter.setFont(palette.font(12))
    metrics = QFontMetricsF(palette.font(12))
    line = metrics.height() + 2
    top = chips.EDGE + _ABOVE_LEGEND * line
    room = int((projection.pane[1] / 2 - top - line) // line)
    if room < 1 or not present:
        return
    shown = present if len(present) <= room else present[: room - 1]
    rows = [*shown, *([(f"+{len(present) - len(shown)} more", "")] if len(shown) < len(present) else [])]
    swatch = metrics.ascent()
    widest = projection.pane[0] / 2 - chips.EDGE - swatch - 6 - chips.PADDING
    texts = [metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, widest) for text, _ in rows]
    width = max(metrics.horizontalAdvance(text) for text in texts) + swatch + 6 + 2 * chips.PADDING
    box = QRectF(projection.pane[0] - chips.EDGE - width, top, width, len(rows) * line + 6)
    chips.ground(painter, box)
    for number, (text, (_, colour)) in enumerate(zip(texts, rows, strict=True)):
        row = QRectF(box.left() + chips.PADDING, box.top() + 3 + number * line, box.width() - 2 * chips.PADDING, line)
        if colour:
            painter.setPen(QPen(QColor(0, 0, 0), 1))
            painter.setBrush(QColor(colour))
            painter.drawRect(QRectF(row.left(), row.top() + 2, swatch - 2, swatch - 2))
        painter.setPen(palette.TEXT)
        painter.drawText(row.adjusted(swatch + 6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
