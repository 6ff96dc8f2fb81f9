"""The brush on one pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ctmri_core.geometry import FloatArray
from ctmri_core.preprocess.mask_brush import Brush
from ctmri_gui.viewer import palette
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.screen_layout import ScreenLayout
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel

if TYPE_CHECKING:
    from ctmri_gui.viewer.body.body_editor import BodyEditor

_RIM = QColor(0, 0, 0)


class PaneBrush:
    """A `Grabber` that takes presses before all others while a brush is in use, and an `Overlay` that shows how large it is."""

    def __init__(self, editor: BodyEditor, model: ViewerModel, pane: str, view: SliceView) -> None:
        self._editor, self._model, self._pane, self.view = editor, model, pane, view
        self._at: QPointF | None = None
        self._last: tuple[ScreenLayout, int, FloatArray] | None = None
        view.canvas.gestures.grabbers.insert(0, self)
        view.canvas.gestures.hovered.connect(self._hover)
        view.canvas.overlays.append(self)

    def takes(self, at: QPointF) -> bool:
        """No press goes to anything else, even where nothing can be painted."""
        if self._editor.value is None:
            return False
        self._last = None
        if not self._model.knows_places_of_reference(self._pane):
            return True
        if self._editor.filling:
            self._fill(at)
        elif self._editor.begin():
            self.pull(at)
        return True

    def place(self) -> None:
        """For whoever has keys alone: a dab of the brush, or a fill, in the middle of the pane."""
        middle = QPointF(self.view.canvas.rect().center())
        if self.takes(middle):
            self.let_go(middle, travelled=False)

    def _fill(self, at: QPointF) -> None:
        shown = self._model.displayed(self._pane)
        if shown is not None:
            mm = shown.layout.to_mm(*self.view.projection.to_plane(at.x(), at.y()), self._model.pose(self._pane).k)
            self._editor.fill(self._model.panes[self._pane].role, mm, np.asarray(shown.layout.geometry.direction[0]))

    def pull(self, at: QPointF) -> None:
        shown = self._model.displayed(self._pane)
        if shown is None or self._editor.filling:
            return
        layout, k = shown.layout, self._model.pose(self._pane).k
        mm = layout.to_mm(*self.view.projection.to_plane(at.x(), at.y()), k)
        on = self._last is not None and self._last[0] is layout and self._last[1] == k
        start = self._last[2] if self._last is not None and on else mm
        self._last = layout, k, mm
        self._editor.go(self._brush(layout), start, mm)

    def let_go(self, _at: QPointF, *, travelled: bool) -> None:  # noqa: ARG002  # as Gestures calls it
        self._last = None
        self._editor.end()

    def paint(self, painter: QPainter, projection: Projection) -> None:
        if self._at is None or self._editor.value is None or self._editor.filling:
            return
        radius = self._editor.radius_mm / projection.mm_per_pixel
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        line = Qt.PenStyle.SolidLine if self._editor.value else Qt.PenStyle.DashLine
        for colour, width, style in ((_RIM, 3.0, Qt.PenStyle.SolidLine), (palette.TEXT, 1.4, line)):
            painter.setPen(QPen(colour, width, style))
            painter.drawEllipse(self._at, radius, radius)

    def _brush(self, layout: ScreenLayout) -> Brush:
        if self._editor.ball:
            return Brush(self._editor.radius_mm)
        grid = layout.geometry
        return Brush(self._editor.radius_mm, grid.direction[0], grid.spacing[0])

    def _hover(self, at: QPointF | None) -> None:
        self._at = at
        if self._editor.value is not None:
            self.view.canvas.update()
