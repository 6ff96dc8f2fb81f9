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


class Handle(Protocol):
    """Something drawn on the canvas that the left button drags."""

    def cursor_at(self, at: QPointF, projection: Projection) -> Qt.CursorShape | None:
        """The mouse's shape where the handle can be taken, None elsewhere."""

    def drag_to(self, at: QPointF, projection: Projection) -> None:
        """The mouse that holds the handle is there now; asked first where it takes it."""

    def let_go(self) -> None:
        """The button was released."""


class Canvas(QWidget):
    """Knows pixels only: where the slice lies on it is told by `place_picture`."""

    resized = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.gestures = Gestures(self)
        self.annotations = Annotations()
        self.overlays: list[Overlay] = []
        """Painted in this order; call `update` after a change."""
        self.handles: list[Handle] = []
        """The first that can be taken where the left button goes down gets the drag; the tools get the others."""
        self._own = GreyLayer()
        self._composition: Composition | None = None
        self._dragged: Handle | None = None
        self._other_cursor: Qt.CursorShape | None = None  # the tool's, while the mouse is over a handle
        self._target = QRectF()
        self._projection: Projection | None = None
        self._smooth = True
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)

    def set_voxels(self, voxels: NDArray[Any] | None) -> None:
        """(rows, columns) in screen order, int16 or float32; None for no picture."""
        self._own.set_voxels(voxels)
        self.update()

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
        if self._own.present:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
            self._paint_picture(painter)
            self._paint_overlays(painter)
        self.annotations.draw(painter, self.width(), self.height())
        painter.end()

    def _paint_picture(self, painter: QPainter) -> None:
        if self._composition is not None and self._projection is not None:
            painter.save()
            self._composition.paint(painter, self._target, self._own, self._projection)
            painter.restore()
        elif self._own.image is not None:
            painter.drawImage(self._target, self._own.image)

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
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        self._dragged = self._handle_at(event.position()) if plain else None
        if self._dragged is None:
            self.gestures.press(event)
        else:
            self.gestures.pressed.emit()
            self._drag(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            self._drag(event.position())
            self.gestures.hovered.emit(event.position())
            return
        if not event.buttons():
            self._show_cursor(event.position())
        self.gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragged, self._dragged = self._dragged, None
        if dragged is None:
            self.gestures.release(event)
        else:
            dragged.let_go()
            self.gestures.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.gestures.double_click(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.gestures.leave()
        super().leaveEvent(event)

    def _drag(self, at: QPointF) -> None:
        if self._dragged is not None and self._projection is not None:
            self._dragged.drag_to(at, self._projection)

    def _handle_at(self, at: QPointF) -> Handle | None:
        where = self._projection
        if where is None or not self._own.present:
            return None
        return next((handle for handle in self.handles if handle.cursor_at(at, where) is not None), None)

    def _show_cursor(self, at: QPointF) -> None:
        """A handle's shape over a handle, the tool's elsewhere."""
        handle = self._handle_at(at)
        shape = None if handle is None or self._projection is None else handle.cursor_at(at, self._projection)
        if shape is not None:
            self._other_cursor = self._other_cursor or self.cursor().shape()
            self.setCursor(shape)
        elif self._other_cursor is not None:
            self.setCursor(self._other_cursor)
            self._other_cursor = None
