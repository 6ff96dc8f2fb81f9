"""The picture area of a pane: paints a slice and its annotations in one go, passes the mouse on."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from ctmri_gui.viewer import palette
from ctmri_gui.viewer.annotations import Annotations, EmptyText, PaneText
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.gestures import Gestures
from ctmri_gui.viewer.grey_picture import GreyPicture


class Overlay(Protocol):
    """Something drawn between the slice and its labels, in millimetres of the slice plane."""

    def paint(self, painter: QPainter, projection: Projection) -> None:
        """`projection` leads from (u, v) mm of the plane to pixels of the canvas and back."""


class Canvas(QWidget):
    """Knows pixels only: where the slice lies on it is told by `place_picture`."""

    resized = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.gestures = Gestures(self)
        self.annotations = Annotations()
        self.overlays: list[Overlay] = []
        """Painted in this order; call `update` after a change."""
        self._grey = GreyPicture()
        self._voxels: NDArray[Any] | None = None
        self._picture: QImage | None = None
        self._levels = (0.0, 1.0)
        self._target = QRectF()
        self._projection: Projection | None = None
        self._smooth = True
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)

    def set_voxels(self, voxels: NDArray[Any] | None) -> None:
        """(rows, columns) in screen order, int16 or float32; None for no picture."""
        self._voxels, self._picture = voxels, None
        self.update()

    def set_levels(self, black: float, white: float) -> None:
        if (black, white) != self._levels:
            self._levels, self._picture = (black, white), None
            self.update()

    def set_smooth(self, smooth: bool) -> None:
        """Linear interpolation between pixels, or sharp pixel edges."""
        self._smooth = smooth
        self.update()

    def place_picture(self, projection: Projection, size_mm: tuple[float, float]) -> None:
        """Where the slice, so many mm wide and high, lies on the canvas, edge to edge."""
        self._target = QRectF(QPointF(*projection.to_pixel(0, 0)), QPointF(*projection.to_pixel(*size_mm)))
        self._projection = projection
        self.annotations.mm_per_pixel = projection.mm_per_pixel
        self.update()

    def set_text(self, text: PaneText) -> None:
        self.annotations.text = text
        self.update()

    def set_text_visible(self, visible: bool) -> None:
        self.annotations.text_visible = visible
        self.update()

    def set_empty(self, empty: EmptyText | None) -> None:
        if empty != self.annotations.empty:
            self.annotations.empty = empty
            self.update()

    def set_crosshair(self, where: QPointF | None) -> None:
        if where != self.annotations.crosshair:
            self.annotations.crosshair = where
            self.update()

    def set_font_size(self) -> None:
        """Takes over the size of the application's text."""
        self.annotations.forget_layout()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), palette.BACKGROUND)
        if self._picture is None and self._voxels is not None:
            self._picture = self._grey.render(self._voxels, *self._levels)
        if self._picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
            painter.drawImage(self._target, self._picture)
            self._paint_overlays(painter)
        self.annotations.draw(painter, self.width(), self.height())
        painter.end()

    def _paint_overlays(self, painter: QPainter) -> None:
        if self._projection is not None:
            for overlay in self.overlays:
                painter.save()
                overlay.paint(painter, self._projection)
                painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.gestures.wheel(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.gestures.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.gestures.double_click(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.gestures.leave()
        super().leaveEvent(event)
