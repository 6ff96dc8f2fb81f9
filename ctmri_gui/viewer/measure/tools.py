"""The mouse and the keys that draw, select and change shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QObject, QPointF, Qt

from ctmri_core.geometry import FloatArray
from ctmri_core.measuring.export import Measurement
from ctmri_core.measuring.shapes import Kind, Shape
from ctmri_gui.viewer.measure.drawing import Drawing
from ctmri_gui.viewer.measure.editing import dragged, grown, handles, part_at
from ctmri_gui.viewer.measure.measure_model import Item, MeasureModel
from ctmri_gui.viewer.measure.places import PanePlaces, SlicePlaces
from ctmri_gui.viewer.slice_view import SliceView

_FINEST_PIXELS = 2.5
_PLACED_SHARE = 0.15  # of the pane's smaller side, from the middle
_CIRCLE = tuple((math.cos(turn * math.pi / 12), math.sin(turn * math.pi / 12)) for turn in range(24))
_PLACED = {
    Kind.LENGTH: ((-1.0, 0.0), (1.0, 0.0)),
    Kind.ANGLE: ((1.0, -1.0), (-1.0, 0.0), (1.0, 1.0)),
    Kind.FREEHAND: _CIRCLE,
}
_DIRECTIONS: Mapping[str, tuple[float, float]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


class PaneTools:
    """What the mouse does on one pane. A `Grabber`: with a measuring tool it takes every press, otherwise those on a shape."""

    def __init__(self, tools: MeasureTools, view: SliceView, places: PanePlaces) -> None:
        self._tools, self._view, self.places = tools, view, places
        self._held: tuple[Item, int, FloatArray, object] | None = None
        self._cursor: Qt.CursorShape | None = None  # the tool's, while the mouse is over a shape
        view.canvas.gestures.grabbers.append(self)
        view.canvas.gestures.hovered.connect(self._hovered)

    def takes(self, at: QPointF) -> bool:
        here = self.places.now()
        if here is None:
            return False
        model, mm, hit = self._tools.model, self._mm(here, at), self._hit(here, at)
        if hit is None or self._tools.drawing is not None:
            return self._tools.press(self, here, mm)
        item, part = hit
        model.select(item.number)
        self._held = item, part, mm, object()
        return True

    def pull(self, at: QPointF) -> None:
        here = self.places.now()
        if here is None:
            return
        if self._held is None:
            self._tools.move(self, here, self._mm(here, at))
        else:
            item, part, start, drag = self._held
            self._tools.model.reshape(item.number, dragged(item.shape, part, start, self._mm(here, at)), merge=drag)

    def let_go(self, at: QPointF, *, travelled: bool) -> None:
        held, self._held = self._held, None
        here = self.places.now()
        if held is None and here is not None:
            self._tools.release(self, here, self._mm(here, at), travelled=travelled)

    @property
    def finest(self) -> float:
        """mm below which two places on the screen are one."""
        return _FINEST_PIXELS * self._view.projection.mm_per_pixel

    def default(self, kind: Kind, here: SlicePlaces) -> Shape:
        """A shape in the middle of the pane, or about the crosshair where that lies in it."""
        projection, pane = self._view.projection, self.places.pane
        middle = self.places.model.crosshair_in(pane) or self.places.model.pose(pane).camera.centre
        reach = _PLACED_SHARE * min(projection.pane) * projection.mm_per_pixel
        drawing, mm = Drawing(kind, here.lattice(), 0.0), here.mm
        for u, v in _PLACED.get(kind, ((-1.0, -0.7), (1.0, 0.7))):
            drawing.press(mm((middle[0] + u * reach, middle[1] + v * reach)))
        made = drawing.shape
        assert made is not None
        return made

    def _mm(self, here: SlicePlaces, at: QPointF) -> FloatArray:
        return here.mm(self._view.projection.to_plane(at.x(), at.y()))

    def _hit(self, here: SlicePlaces, at: QPointF) -> tuple[Item, int] | None:
        """The shape under the mouse, the selected one first. While drawing with a tool only that one's handles count."""
        model = self._tools.model
        if not self._tools.visible:
            return None
        newest_first = model.items[::-1]
        for item in sorted(newest_first, key=lambda item: item is not model.selected):
            if not here.shows(item.shape, item.measurement.drawn_on):
                continue
            outline = here.line(item.shape, self._view.projection)
            grips = here.pixels(handles(item.shape), self._view.projection)
            part = part_at((at.x(), at.y()), outline, grips, closed=item.shape.kind.is_region)
            if part is not None and (self._tools.kind is None or (part >= 0 and item is model.selected)):
                return item, part
        return None

    def _hovered(self, at: QPointF | None) -> None:
        here = self.places.now()
        if at is None or self._held is not None or here is None:
            return
        if self._tools.drawing is not None:
            self._tools.move(self, here, self._mm(here, at))
            return
        hit, canvas = self._hit(here, at), self._view.canvas
        if hit is not None:
            self._cursor = self._cursor or canvas.cursor().shape()
            canvas.setCursor(Qt.CursorShape.SizeAllCursor if hit[1] < 0 else Qt.CursorShape.PointingHandCursor)
        elif self._cursor is not None:
            canvas.setCursor(self._cursor)
            self._cursor = None


class MeasureTools(QObject):
    """`kind`: what the tool in use draws. `drawing`: what is being drawn, on one pane."""

    def __init__(self, model: MeasureModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.kind: Kind | None = None
        self.drawing: Drawing | None = None
        self.visible = True
        self._pane: PaneTools | None = None

    def use(self, kind: Kind | None) -> None:
        """Another tool; a shape that is half drawn is given up."""
        self.give_up()
        self.kind = kind

    def give_up(self) -> bool:
        """Whether there was something to be given up."""
        was, self.drawing, self._pane = self.drawing is not None, None, None
        self.model.set_draft(None)
        return was

    def press(self, pane: PaneTools, here: SlicePlaces, mm: FloatArray) -> bool:
        if self.kind is None:
            return False
        if self.drawing is None or pane is not self._pane:
            self.drawing, self._pane = Drawing(self.kind, here.lattice(), pane.finest), pane
        self.drawing.press(mm)
        return True

    def move(self, pane: PaneTools, here: SlicePlaces, mm: FloatArray) -> None:
        if self.drawing is not None and pane is self._pane:
            self.drawing.move(mm)
            shape = self.drawing.shape
            self.model.set_draft(None if shape is None else Measurement("", shape, here.role.value))

    def release(self, pane: PaneTools, here: SlicePlaces, mm: FloatArray, *, travelled: bool) -> None:
        if self.drawing is None or pane is not self._pane or not self.drawing.release(mm, travelled=travelled):
            return
        shape = self.drawing.shape
        self.give_up()
        if shape is not None:
            self.model.add(shape, here.role.value)

    def place(self, pane: PaneTools) -> None:
        """Puts a shape of the tool's kind where it can be moved by keys."""
        here = pane.places.now()
        if self.kind is not None and here is not None:
            self.give_up()
            self.model.add(pane.default(self.kind, here), here.role.value)

    def nudge(self, way: str, *, size: bool) -> None:
        """Moves the selected shape by a voxel of the slice it was drawn on, or its last point."""
        item = self.model.selected
        if item is None:
            return
        lattice, (right, down) = item.shape.lattice, _DIRECTIONS[way]
        to_right, to_down = lattice.axes[2], lattice.axes[1]
        right, down = right * lattice.spacing[2], down * lattice.spacing[1]
        changed = (
            grown(item.shape, right, down, (to_right, to_down))
            if size
            else item.shape.moved(right * to_right + down * to_down)
        )
        self.model.reshape(item.number, changed, merge=("nudge", item.number, size))
