"""One pane: a slice in millimetres with its labels. It shows what it is told and says what the mouse wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctmri_gui.viewer import palette
from ctmri_gui.viewer.annotations import Annotations, EmptyText, PaneText
from ctmri_gui.viewer.banner import Banner
from ctmri_gui.viewer.camera import Camera, Frame, Projection
from ctmri_gui.viewer.canvas import Canvas
from ctmri_gui.viewer.gestures import Tool
from ctmri_gui.viewer.pane_frame import Bars, Header, Strip
from ctmri_gui.viewer.panes import PaneSpec

PlanePoint = tuple[float, float]

LEAST_HEIGHT = 180

_CURSORS: dict[Tool, Qt.CursorShape] = {
    "window": Qt.CursorShape.ArrowCursor,
    "crosshair": Qt.CursorShape.CrossCursor,
    "scroll": Qt.CursorShape.SizeVerCursor,
    "draw": Qt.CursorShape.CrossCursor,
}


class SliceView(QWidget):
    """A dumb pane. Points in signals are (u, v): mm right of and below the slice's top left corner on the screen.

    `bare`: the picture alone, without the bars that say what it is, and nothing can be dropped on it.
    """

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
    dropped = Signal(object, bool)  # tuple of Path; whether they are wanted in a case of their own, for Ctrl was held
    linkToggled = Signal(bool)
    resized = Signal()

    def __init__(self, spec: PaneSpec, name: str = "", parent: QWidget | None = None, *, bare: bool = False) -> None:
        super().__init__(parent)
        self.spec, self.role = spec, spec.role
        self.setObjectName(f"pane_{name or spec.role.value}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(not bare)
        self._active = False
        self._least_height = LEAST_HEIGHT
        self._under_mouse: QPointF | None = None
        self._camera, self._size_mm = Camera(), (1.0, 1.0)
        self._crosshair: PlanePoint | None = None
        self._fit, self._frame = (1, 1), Frame(0, 0, 1, 1)
        self.header, self.strip, self.banner, self.canvas = Header(spec.role, spec.plane), Strip(), Banner(), Canvas(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        self.bars = Bars(self.header, self.strip, self.banner)
        column.addWidget(self.bars)
        if bare:  # to show what has no parent yet would open a window of its own
            self.bars.hide()
        column.addWidget(self.canvas, 1)
        self._connect()
        self._follow_font()

    def _connect(self) -> None:
        gestures, canvas = self.canvas.gestures, self.canvas
        for signal, target in (
            (gestures.scrolled, self.scrolled),
            (gestures.windowDragged, self.windowDragged),
            (gestures.maximiseAsked, self.maximiseAsked),
            (gestures.windowResetAsked, self.windowResetAsked),
            (gestures.menuAsked, self.menuAsked),
            (self.header.linkToggled, self.linkToggled),
        ):
            signal.connect(target)
        gestures.pressed.connect(self.setFocus)
        gestures.zoomed.connect(lambda factor, at: self.zoomed.emit(factor, self._plane_point(at)))
        gestures.moved.connect(self._say_moved)
        gestures.hovered.connect(self._on_hovered)
        gestures.pointed.connect(lambda at: self.pointed.emit(self._plane_point(at)))
        gestures.jumped.connect(lambda at: self.jumped.emit(self._plane_point(at)))
        canvas.resized.connect(self._apply_camera)
        canvas.resized.connect(self.resized)

    def set_picture(self, picture: NDArray[Any] | None, size_mm: tuple[float, float]) -> None:
        """A slice in screen order (rows down, columns right), `size_mm` (width, height) edge to edge; None for nothing yet."""
        self.canvas.set_voxels(picture)
        if size_mm != self._size_mm:
            self._size_mm = size_mm
            self._apply_camera()

    def set_levels(self, black: float, white: float) -> None:
        """The values shown black and white; the larger first inverts."""
        self.canvas.set_levels(black, white)

    def set_smooth(self, smooth: bool) -> None:
        self.canvas.set_smooth(smooth)

    def set_camera(self, camera: Camera) -> None:
        if camera != self._camera:
            self._camera = camera
            self._apply_camera()

    def set_fit(self, pixels: QSize, frame: Frame) -> None:
        """What zoom 1 shows: `frame` of the slice fitted into so many pixels."""
        fit = pixels.width(), pixels.height()
        if (fit, frame) != (self._fit, self._frame):
            self._fit, self._frame = fit, frame
            self._apply_camera()

    def set_crosshair(self, point: PlanePoint | None) -> None:
        self._crosshair = point
        self._place_crosshair()

    def set_text(self, text: PaneText) -> None:
        self.canvas.set_text(text)

    def set_text_visible(self, visible: bool) -> None:
        self.canvas.set_text_visible(visible)

    def set_empty(self, empty: EmptyText | None) -> None:
        """What to say instead of a picture; None when there is one."""
        self.canvas.set_empty(empty)

    def set_active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            self.update()

    def set_tool(self, tool: Tool) -> None:
        self.canvas.gestures.tool = tool
        self.canvas.setCursor(_CURSORS[tool])

    @property
    def point_under_mouse(self) -> PlanePoint | None:
        """Where the mouse is on the picture as it lies now; None when it is elsewhere."""
        return self._plane_point(self._under_mouse)

    @property
    def projection(self) -> Projection:
        pane = self.canvas.width(), self.canvas.height()
        return Projection(self._camera, pane, self._fit, self._frame)

    def paint_elsewhere(
        self, painter: QPainter, size: tuple[int, int], frame: Frame, annotations: Annotations, *, overlaid: bool, crossed: bool
    ) -> None:
        """What the pane shows now, on (width, height) pixels right of and below the painter's origin, `frame` in them at zoom 1.

        Texts are those of `annotations`, which gets the crosshair when the picture is to be `crossed`; `overlaid`: with what lies
        over the slice.
        """
        projection = Projection(self._camera, size, size, frame)
        at = self._crosshair if crossed else None
        annotations.crosshair = None if at is None else QPointF(*projection.to_pixel(*at))
        self.canvas.paint_elsewhere(painter, projection, self._size_mm, annotations, overlaid=overlaid)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.activated.emit()
        super().focusInEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Shift:
            self.canvas.gestures.shift_released()
        super().keyReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The Menu key. The mouse's menu waits for the release, which may be that of a drag."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menuAsked.emit(self.canvas.mapToGlobal(self.canvas.rect().center()))
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        self.dropped.emit(paths, Qt.KeyboardModifier.ControlModifier in event.modifiers())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.banner.set_room(self.height())

    def changeEvent(self, event: QEvent) -> None:
        if palette.changes_text(event):
            self._follow_font()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), palette.FRAME)
        painter.setPen(QPen(palette.ACCENT if self._active else palette.OUTLINE, 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def set_least_height(self, pixels: int) -> None:
        """How low it may become."""
        self._least_height = pixels
        self._follow_font()

    def _follow_font(self) -> None:
        self.setMinimumSize(max(160, self.strip.narrowest + 2), self._least_height)
        self.canvas.set_font_size()

    def _on_hovered(self, at: QPointF | None) -> None:
        self._under_mouse = at
        self.hovered.emit(self._plane_point(at))

    def _apply_camera(self) -> None:
        self.canvas.place_picture(self.projection, self._size_mm)
        self._place_crosshair()

    def _place_crosshair(self) -> None:
        where = None if self._crosshair is None else QPointF(*self.projection.to_pixel(*self._crosshair))
        self.canvas.set_crosshair(where)

    def _plane_point(self, at: QPointF | None) -> PlanePoint | None:
        return None if at is None else self.projection.to_plane(at.x(), at.y())

    def _say_moved(self, right: float, down: float) -> None:
        scale = self.projection.mm_per_pixel
        self.moved.emit(right * scale, down * scale)
