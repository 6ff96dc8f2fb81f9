"""The pictures of a trial beside one another, on the viewer's own panes, and how the reader went through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from ctmri_core.studies.pictures import Int16Array
from ctmri_core.studies.protocol import Display
from ctmri_core.studies.trials import Viewing
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.reading.grey_windows import windows_for
from ctmri_gui.studies.reading.marks import MarkGrabber, Point, Spacing
from ctmri_gui.viewer.annotations import EmptyText, PaneText
from ctmri_gui.viewer.camera import Camera, Frame
from ctmri_gui.viewer.gestures import Tool
from ctmri_gui.viewer.panes import PaneSpec
from ctmri_gui.viewer.presets import Preset, Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView

_LETTERS = ("R", "L", "A", "P")
"""Of the common form, whose axes are the patient's: seen from the feet."""
_IN_A_ROW = 3
_WAITING = EmptyText("…")


@dataclass
class _Picture:
    """One pane and what it shows. `seen`: its slices so far."""

    pane: SliceView
    column: QWidget
    voxels: Int16Array | None = None
    k: int = 0
    camera: Camera = field(default_factory=Camera)
    window: Window = field(default_factory=lambda: Window(0.0, 1.0))
    seen: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class ShownSlice:
    """Slice `k` of a picture; mm (u, v): `size_mm` of it, `middle` of the pane."""

    k: int
    spacing: Spacing
    size_mm: Point
    middle: Point
    mm_per_pixel: float


class PictureArea(QWidget):
    """Shows pictures of one shape. What one pane does all do where the display links them; windows go together in any case.

    Signals: `acted()` for whatever the reader does to a picture; `renewed()` when others are there, `stood()` once after it, when
    they are painted; `clicked(int, object)`: pane and (u, v) mm, while clicks are asked for; `activated()`: another pane has the
    keys.
    """

    acted = Signal()
    renewed = Signal()
    stood = Signal()
    clicked = Signal(int, object)
    activated = Signal()

    def __init__(self, display: Display, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self._pictures: list[_Picture] = []
        self._active = 0
        self._spacing: Spacing = (1.0, 1.0, 1.0)
        self._presets: tuple[Preset, ...] = ()
        self._windows, self._zoom_max, self._dragging = 0, 1.0, False
        self._unpainted = set[QObject]()
        self._clicks = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)

    # What is shown ----------------------------------------------------------------------------------------------------

    @property
    def panes(self) -> tuple[SliceView, ...]:
        return tuple(one.pane for one in self._pictures)

    @property
    def panes_wait(self) -> bool:
        """Whether pictures were given that are not painted yet."""
        return bool(self._unpainted)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """Known from the first picture on; one where the protocol lets no one window."""
        return self._presets if self._display.may_window else self._presets[:1]

    def show_pictures(self, voxels: Sequence[Int16Array], spacing: Spacing, captions: Sequence[str]) -> None:
        """Every trial begins alike: slice, window and zoom as the protocol says. `stood` follows when they are on the screen."""
        self._make_panes(captions)
        self._spacing = spacing
        self._presets = self._presets or windows_for(voxels[0], self._display.window)
        self._windows, self._zoom_max = 0, 1.0
        for one, content in zip(self._pictures, voxels, strict=True):
            one.voxels, one.seen = content, set()
            one.k = round(self._display.start * (len(content) - 1))
            one.camera, one.window = Camera.on(self._frame), self._presets[0].window or one.window
            one.pane.set_empty(None)
            self._render(one)
        self._fit()
        self.renewed.emit()
        self._unpainted = {one.pane.canvas for one in self._pictures}
        self.activate(0)

    def clear(self, words: str = "") -> None:
        """Takes the pictures away. `words`: what the panes say instead."""
        self._unpainted.clear()
        for one in self._pictures:
            one.voxels = None
            one.pane.set_empty(EmptyText(words) if words else _WAITING)
            one.pane.set_picture(None, (1.0, 1.0))
            one.pane.set_crosshair(None)
            one.pane.canvas.overlays.clear()

    @property
    def viewing(self) -> Viewing:
        """How the pictures were looked at since they came."""
        return Viewing(slices=tuple(len(one.seen) for one in self._pictures), windows=self._windows, zoom_max=self._zoom_max)

    def place(self, index: int = 0) -> int:
        """The slice shown in a pane."""
        return self._pictures[index].k

    def window_of(self, index: int = 0) -> Window:
        return self._pictures[index].window

    def zoom_of(self, index: int = 0) -> float:
        return self._pictures[index].camera.zoom

    # What the reader does ---------------------------------------------------------------------------------------------

    def activate(self, index: int) -> None:
        """Which pane the keys move where they are not linked, and where the keyboard's mark is set."""
        if index < len(self._pictures):
            self._active = index
            for number, one in enumerate(self._pictures):
                one.pane.set_active(number == index and len(self._pictures) > 1)
            self.activated.emit()

    def activate_next(self) -> None:
        """The pane after this one."""
        if self._pictures:
            self.activate((self._active + 1) % len(self._pictures))
            self.acted.emit()

    def step(self, slices: int, index: int | None = None) -> None:
        """Towards the head."""
        for one in self._moved(index):
            one.k = min(max(one.k + slices, 0), len(one.voxels) - 1) if one.voxels is not None else 0
            self._render(one)
        self.acted.emit()

    def zoom(self, factor: float, anchor: tuple[float, float] | None = None, index: int | None = None) -> None:
        if self._display.may_zoom:
            for one in self._moved(index):
                one.camera = one.camera.zoomed(factor, anchor)
                self._zoom_max = max(self._zoom_max, one.camera.zoom)
                one.pane.set_camera(one.camera)
            self.acted.emit()

    def pan(self, right: float, down: float, index: int | None = None) -> None:
        """By mm."""
        if self._display.may_zoom:
            for one in self._moved(index):
                one.camera = one.camera.moved(right, down)
                one.pane.set_camera(one.camera)
            self.acted.emit()

    def pan_step(self, right: int, down: int) -> None:
        """By a tenth of what is seen."""
        if self._pictures:
            frame, zoom = self._frame, self._pictures[self._active].camera.zoom
            self.pan(right * frame.width / zoom / 10, down * frame.height / zoom / 10)

    def apply_preset(self, number: int) -> None:
        if number < len(self.presets):
            window = self.presets[number].window
            if window is not None:
                self._set_window(window)
                self._windows += 1

    def drag_window(self, right: float, up: float, *, counted: bool = True) -> None:
        """By so many pixels. `counted`: a change of its own, and not the next step of a drag."""
        if self._display.may_window and self._pictures:
            self._set_window(self._pictures[self._active].window.dragged(right, up))
            self._windows += counted

    def reset(self) -> None:
        """Zoom, position and window as the trial began."""
        for one in self._pictures:
            one.camera = Camera.on(self._frame)
            one.pane.set_camera(one.camera)
        self.apply_preset(0)
        self.acted.emit()

    def set_clicks(self, asked: bool) -> None:
        """Whether a plain click is told, instead of dragging the window."""
        self._clicks = asked
        tool: Tool = "draw" if asked else "window" if self._display.may_window else "scroll"
        for one in self._pictures:
            one.pane.set_tool(tool)

    def show_cross(self, point: Point | None) -> None:
        """In the pane that has the keys."""
        for number, one in enumerate(self._pictures):
            one.pane.set_crosshair(point if number == self._active else None)

    @property
    def active(self) -> int:
        """The pane that has the keys."""
        return self._active

    def shown(self, index: int) -> ShownSlice | None:
        """What a pane shows; None while it shows nothing."""
        if index >= len(self._pictures) or (one := self._pictures[index]).voxels is None:
            return None
        size = self._frame.width, self._frame.height
        return ShownSlice(one.k, self._spacing, size, one.camera.centre, one.pane.projection.mm_per_pixel)

    # Panes ------------------------------------------------------------------------------------------------------------

    @property
    def _frame(self) -> Frame:
        shown = next((one.voxels for one in self._pictures if one.voxels is not None), None)
        if shown is None:
            return Frame(0, 0, 1, 1)
        return Frame(0, 0, shown.shape[2] * self._spacing[2], shown.shape[1] * self._spacing[1])

    def _moved(self, index: int | None) -> list[_Picture]:
        which = self._active if index is None else index
        return self._pictures if self._display.linked else self._pictures[which : which + 1]

    def _make_panes(self, captions: Sequence[str]) -> None:
        if len(captions) != len(self._pictures):
            for one in self._pictures:
                one.column.hide()
                one.column.deleteLater()
            self._pictures = []
            columns = len(captions) if len(captions) <= _IN_A_ROW else -(-len(captions) // 2)
            for number, caption in enumerate(captions):
                made = self._make_pane(number, caption)
                self._pictures.append(made)
                self._grid.addWidget(made.column, number // columns, number % columns)

    def _make_pane(self, number: int, caption: str) -> _Picture:
        pane = SliceView(PaneSpec(Role.SOURCE), f"picture_{number + 1}", bare=True)
        pane.setAccessibleName(caption or "Picture")
        column = QWidget()
        rows = QVBoxLayout(column)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        if caption:
            rows.addWidget(label(caption, "heading"))
        rows.addWidget(pane, 1)
        pane.scrolled.connect(lambda notches: self.step(notches, number))
        pane.zoomed.connect(lambda factor, at: self.zoom(factor, at, number))
        pane.moved.connect(lambda right, down: self.pan(right, down, number))
        pane.windowDragged.connect(self._drag)
        pane.windowResetAsked.connect(self.reset)
        pane.activated.connect(partial(self.activate, number))
        pane.resized.connect(self._fit)
        pane.canvas.gestures.pressed.connect(self._press)
        pane.canvas.gestures.grabbers.append(
            MarkGrabber(lambda: self._clicks, lambda at: self._click(number, at))
        )  # fmt: skip
        pane.canvas.installEventFilter(self)
        return _Picture(pane, column)

    def _click(self, number: int, at: QPointF) -> None:
        self.clicked.emit(number, self._pictures[number].pane.projection.to_plane(at.x(), at.y()))

    def _press(self) -> None:
        self._dragging = False

    def _drag(self, right: float, up: float) -> None:
        self.drag_window(right, up, counted=not self._dragging)
        self._dragging = True

    def _set_window(self, window: Window) -> None:
        for one in self._pictures:
            one.window = window
            self._render(one)
        self.acted.emit()

    def _render(self, one: _Picture) -> None:
        if one.voxels is None:
            return
        one.seen.add(one.k)
        frame, count = self._frame, len(one.voxels)
        one.pane.set_levels(*one.window.levels(dicom=False))
        one.pane.set_picture(one.voxels[one.k], (frame.width, frame.height))
        one.pane.set_camera(one.camera)
        position = f"{one.k + 1} / {count}" if count > 1 else ""
        told = (_LETTERS, "RADIOLOGICAL") if self._display.oriented else (("", "", "", ""), "")
        one.pane.set_text(PaneText(told[0], position, one.window.label, told[1]))

    def _fit(self) -> None:
        """One scale for all panes."""
        if self._pictures:
            sizes = [one.pane.canvas.size() for one in self._pictures]
            least = QSize(min(size.width() for size in sizes), min(size.height() for size in sizes))
            for one in self._pictures:
                one.pane.set_fit(least, self._frame)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched in self._unpainted:
            self._unpainted.discard(watched)
            if not self._unpainted:
                QTimer.singleShot(0, self, self.stood.emit)  # after this painting
        return super().eventFilter(watched, event)
