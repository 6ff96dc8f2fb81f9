"""One pane: a slice in millimetres with its labels. It shows what it is told and says what the mouse wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctmri_gui.viewer import palette
from ctmri_gui.viewer.camera import Camera, Projection
from ctmri_gui.viewer.gestures import Gestures
from ctmri_gui.viewer.overlay import EmptyText, Overlay, PaneText
from ctmri_gui.viewer.pane_frame import Banner, Header, Strip
from ctmri_gui.viewer.roles import Role

PlanePoint = tuple[float, float]


class Canvas(QWidget):
    """Picture and overlay on top of each other; the overlay gets the mouse."""

    resized = Signal()
    dropped = Signal(object)  # Path
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.gestures = Gestures(self)
        self._view = pg.GraphicsView(self, background=palette.BACKGROUND)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = pg.ViewBox(enableMenu=False, enableMouse=False, invertY=True, defaultPadding=0)
        self._view.setCentralItem(self._box)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._box.addItem(self._image)
        self.overlay = Overlay(self)
        self.overlay.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.banner = Banner(self)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self._rect = QRectF()

    def set_picture(self, picture: NDArray[Any] | None, size_mm: tuple[float, float]) -> None:
        """(rows, columns), int16 or float32, shown over (0, 0)-`size_mm`."""
        if picture is None:
            self._image.clear()
            return
        self._image.setImage(picture, autoLevels=False)
        rect = QRectF(0, 0, *size_mm)
        if rect != self._rect or self._image_shape != picture.shape:
            self._image.setRect(rect)
            self._rect, self._image_shape = rect, picture.shape

    _image_shape: tuple[int, ...] = ()

    def set_levels(self, low: float, high: float) -> None:
        self._image.setLevels((low, high))

    def set_lookup(self, table: NDArray[np.uint8] | None) -> None:
        self._image.setLookupTable(table)

    def set_range(self, top_left: PlanePoint, bottom_right: PlanePoint) -> None:
        across, down = zip(top_left, bottom_right, strict=True)
        self._box.setRange(xRange=across, yRange=down, padding=0, disableAutoRange=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._view.setGeometry(self.rect())
        self.overlay.setGeometry(self.rect())
        self.place_banner()
        self.resized.emit()
        super().resizeEvent(event)

    def place_banner(self) -> None:
        width = self.width() - 24
        self.banner.setGeometry(12, 36, width, self.banner.heightForWidth(width))

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

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.dropped.emit(Path(url.toLocalFile()))


class SliceView(QWidget):
    """A dumb pane. Points in signals are (u, v): mm right of and below the slice's top left corner on the screen."""

    scrolled = Signal(int)
    windowDragged = Signal(float, float)
    zoomed = Signal(float, object)
    moved = Signal(float, float)
    hovered = Signal(object)
    pointed = Signal(object)
    jumped = Signal(object)
    maximiseAsked = Signal()
    windowResetAsked = Signal()
    menuAsked = Signal(object)  # QPoint on the screen
    activated = Signal()
    dropped = Signal(object)
    linkToggled = Signal(bool)
    resized = Signal()

    def __init__(self, role: Role, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.role = role
        self.setObjectName(f"pane_{role.value}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 180)
        self._active = self._inverted = False
        self._camera, self._size_mm, self._crosshair = Camera(), (1.0, 1.0), None
        self._fit: tuple[int, int] | None = None
        self.header, self.strip, self.canvas = Header(role), Strip(), Canvas(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.strip)
        column.addWidget(self.canvas, 1)
        self._connect()

    _crosshair: PlanePoint | None

    def _connect(self) -> None:
        gestures, canvas = self.canvas.gestures, self.canvas
        for signal, target in (
            (gestures.scrolled, self.scrolled),
            (gestures.windowDragged, self.windowDragged),
            (gestures.maximiseAsked, self.maximiseAsked),
            (gestures.windowResetAsked, self.windowResetAsked),
            (gestures.menuAsked, self.menuAsked),
            (canvas.dropped, self.dropped),
            (self.header.linkToggled, self.linkToggled),
        ):
            signal.connect(target)
        gestures.pressed.connect(self.setFocus)
        gestures.zoomed.connect(lambda factor, at: self.zoomed.emit(factor, self._plane_point(at)))
        gestures.moved.connect(self._say_moved)
        gestures.hovered.connect(lambda at: self.hovered.emit(self._plane_point(at)))
        gestures.pointed.connect(lambda at: self.pointed.emit(self._plane_point(at)))
        gestures.jumped.connect(lambda at: self.jumped.emit(self._plane_point(at)))
        canvas.resized.connect(self._apply_camera)
        canvas.resized.connect(self.resized)

    def set_picture(self, picture: NDArray[Any] | None, size_mm: tuple[float, float]) -> None:
        """A slice in screen order (rows down, columns right), `size_mm` (width, height) edge to edge; None for nothing yet."""
        self.canvas.set_picture(picture, size_mm)
        if size_mm != self._size_mm:
            self._size_mm = size_mm
            self._apply_camera()

    def set_levels(self, low: float, high: float) -> None:
        self.canvas.set_levels(low, high)

    def set_inverted(self, inverted: bool) -> None:
        self.canvas.set_lookup(np.arange(255, -1, -1, dtype=np.uint8) if inverted else None)

    def set_camera(self, camera: Camera) -> None:
        if camera != self._camera:
            self._camera = camera
            self._apply_camera()

    def set_fit(self, fit: QSize) -> None:
        """The pixels that the whole slice shall fit into at zoom 1."""
        if (fit.width(), fit.height()) != self._fit:
            self._fit = fit.width(), fit.height()
            self._apply_camera()

    def set_crosshair(self, point: PlanePoint | None) -> None:
        self._crosshair = point
        self._place_crosshair()

    def set_text(self, text: PaneText) -> None:
        self.canvas.overlay.set_text(text)

    def set_text_visible(self, visible: bool) -> None:
        self.canvas.overlay.set_text_visible(visible)

    def set_empty(self, empty: EmptyText | None) -> None:
        """What to say instead of a picture; None when there is one."""
        self.canvas.overlay.set_empty(empty)

    def set_messages(self, messages: tuple[str, ...]) -> None:
        self.canvas.banner.set_messages(messages)
        self.canvas.place_banner()

    def set_active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            self.update()

    def set_crosshair_tool(self, on: bool) -> None:
        self.canvas.gestures.crosshair_tool = on
        self.canvas.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)

    @property
    def projection(self) -> Projection:
        pane = self.canvas.width(), self.canvas.height()
        return Projection(self._camera, pane, self._fit or pane, self._size_mm)

    def focusInEvent(self, event: Any) -> None:
        self.activated.emit()
        super().focusInEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Shift:
            self.canvas.gestures.shift_released()
        super().keyReleaseEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), palette.BACKGROUND)
        painter.setPen(QPen(palette.ACCENT if self._active else palette.OUTLINE, 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _apply_camera(self) -> None:
        projection = self.projection
        width, height = projection.pane
        self.canvas.set_range(projection.to_plane(0, 0), projection.to_plane(width, height))
        self.canvas.overlay.set_mm_per_pixel(projection.mm_per_pixel)
        self._place_crosshair()

    def _place_crosshair(self) -> None:
        where = None if self._crosshair is None else QPointF(*self.projection.to_pixel(*self._crosshair))
        self.canvas.overlay.set_crosshair(where)

    def _plane_point(self, at: QPointF | None) -> PlanePoint | None:
        return None if at is None else self.projection.to_plane(at.x(), at.y())

    def _say_moved(self, right: float, down: float) -> None:
        scale = self.projection.mm_per_pixel
        self.moved.emit(right * scale, down * scale)
