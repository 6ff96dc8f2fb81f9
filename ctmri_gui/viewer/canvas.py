"""The picture area of a pane: paints a slice and its annotations in one go, passes the mouse on."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
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
from ctmri_gui.viewer.grey_picture import GreyLayer


class Overlay(Protocol):
    """Something drawn between the slice and its labels, in millimetres of the slice plane."""

    def paint(self, painter: QPainter, projection: Projection) -> None:
        """`projection` leads from (u, v) mm of the plane to pixels of the canvas and back."""


class Composition(Protocol):
    """What is painted in the place of the slice alone, such as two slices through one another."""

    def paint(self, painter: QPainter, target: QRectF, own: GreyLayer, projection: Projection) -> None:
        """`target`: where the slice lies, edge to edge; `own`: the slice that would be painted otherwise."""


class Canvas(QWidget):
    """Knows pixels only: where the slice lies on it is told by `place_picture`."""

    resized = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.gestures = Gestures(self)
        self.annotations = Annotations()
        self.overlays: list[Overlay] = []
        """Painted in this order; call `update` after a change."""
        self._own = GreyLayer()
        self._composition: Composition | None = None
        self._target = QRectF()
        self._projection: Projection | None = None
        self._smooth = True
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)

    def set_voxels(self, voxels: NDArray[Any] | None) -> None:
        """(rows, columns) in screen order, int16 or float32; None for no picture."""
        self._own.set_voxels(voxels)
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether the slice is there; it may be on its way."""
        return self._own.present

    def set_levels(self, black: float, white: float) -> None:
        if self._own.set_levels(black, white):
            self.update()

    def set_composition(self, composition: Composition | None) -> None:
        """What is painted instead of the slice alone; call `update` after a change of it."""
        self._composition = composition
        self.update()

    def set_smooth(self, smooth: bool) -> None:
        """Linear interpolation between pixels, or sharp pixel edges."""
        self._smooth = smooth
        self.update()

    def place_picture(self, projection: Projection, size_mm: tuple[float, float]) -> None:
        """Where the slice, so many mm wide and high, lies on the canvas, edge to edge."""
        self._target = _place_of(projection, size_mm)
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

    def paint_elsewhere(
        self,
        painter: QPainter,
        projection: Projection,
        size_mm: tuple[float, float],
        annotations: Annotations,
        *,
        overlaid: bool,
    ) -> None:
        """What the canvas shows now, on the pixels of another `projection`, right of and below the painter's origin. `overlaid`:
        with what lies over the slice."""
        width, height = projection.pane
        painter.save()
        painter.setClipRect(QRectF(0, 0, width, height), Qt.ClipOperation.IntersectClip)
        painter.fillRect(QRectF(0, 0, width, height), palette.BACKGROUND)
        self._paint(painter, _place_of(projection, size_mm), projection, overlaid=overlaid)
        annotations.mm_per_pixel = projection.mm_per_pixel
        annotations.draw(painter, width, height)
        painter.restore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), palette.BACKGROUND)
        if self._projection is not None:
            self._paint(painter, self._target, self._projection)
        self.annotations.draw(painter, self.width(), self.height())
        painter.end()

    def _paint(self, painter: QPainter, target: QRectF, projection: Projection, *, overlaid: bool = True) -> None:
        if not self._own.present:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
        if self._composition is not None:
            painter.save()
            self._composition.paint(painter, target, self._own, projection)
            painter.restore()
        elif self._own.image is not None:
            painter.drawImage(target, self._own.image)
        for overlay in self.overlays if overlaid else ():
            painter.save()
            overlay.paint(painter, projection)
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


def _place_of(projection: Projection, size_mm: tuple[float, float]) -> QRectF:
    """Where a slice of so many mm lies, in pixels."""
    return QRectF(QPointF(*projection.to_pixel(0, 0)), QPointF(*projection.to_pixel(*size_mm)))
