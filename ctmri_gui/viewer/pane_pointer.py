"""The mouse over the panes: what lies under it, the crosshair that it points with, and the one that it places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from ctmri_gui.viewer.readout import read_out
from ctmri_gui.viewer.slice_view import PlanePoint, SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel


class PanePointer(QObject):
    """`comparable`: whether synthetic and truth show the same thing, as far as is known."""

    moved = Signal(object)  # Readout, or None when the mouse is over no volume

    def __init__(self, model: ViewerModel, comparable: Callable[[], bool | None], parent: QObject) -> None:
        super().__init__(parent)
        self._model, self._comparable = model, comparable
        self._panes: Mapping[str, SliceView] = {}
        self._hovered: str | None = None
        model.posesChanged.connect(self.say)

    def follow(self, name: str, pane: SliceView) -> None:
        """Listens to a pane, which `set_panes` will tell of."""
        pane.hovered.connect(partial(self._hover, name))
        pane.pointed.connect(partial(self._point, name))
        pane.jumped.connect(partial(self._jump, name))

    def set_panes(self, panes: Mapping[str, SliceView]) -> None:
        """Other panes; the mouse is over none of them before it moves."""
        self._panes, self._hovered = panes, None

    def say(self) -> None:
        """Under a mouse that stands still the volumes move."""
        if self._hovered is None:
            return
        point = self._panes[self._hovered].point_under_mouse
        mm = None if point is None else self._model.point_mm(self._hovered, point)
        same_thing, here = self._comparable() is not False, self._model.panes[self._hovered].role
        volumes = {role: volume for role, volume in self._model.placed.items() if self._model.share_space(here, role)}
        self.moved.emit(None if mm is None else read_out(volumes, mm, comparable=same_thing))

    def _hover(self, pane: str, point: PlanePoint | None) -> None:
        self._hovered = None if point is None else pane
        if point is None:
            self.moved.emit(None)
        else:
            self.say()

    def _point(self, pane: str, point: PlanePoint | None) -> None:
        self._model.point_at(None if point is None else self._model.point_mm(pane, point), self._model.panes[pane].role)

    def _jump(self, pane: str, point: PlanePoint | None) -> None:
        mm = None if point is None else self._model.point_mm(pane, point)
        self._model.set_crosshair(mm, go=True, of=self._model.panes[pane].role)
