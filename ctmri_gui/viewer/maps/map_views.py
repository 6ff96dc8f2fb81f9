"""Maps in the panes of the viewer: over every pane of the synthetic volume, whatever plane it shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from ctmri_core.geometry import FloatArray
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.maps.map_model import MapModel
from ctmri_gui.viewer.maps.map_overlay import MapOverlay
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_stack import SliceStack
from ctmri_gui.viewer.slice_view import SliceView

if TYPE_CHECKING:
    from ctmri_gui.viewer.linked_views import LinkedViews

_OWNER = "maps"


class MapViews(QObject):
    """Belongs to `views`, whose actions it connects. A pane that compares shows no map: colours would mean two things."""

    def __init__(self, views: LinkedViews) -> None:
        super().__init__(views)
        self._views = views
        self.model = MapModel(self)
        self.overlays: dict[str, MapOverlay] = {}
        self._panes: dict[str, SliceView] = {}
        self._needed: dict[str, SliceStack] = {}
        views.panesChanged.connect(self._follow_panes)
        views.model.volumesChanged.connect(self._show_all)
        views.model.posesChanged.connect(self._show)
        views.compare.model.changed.connect(self._show)
        views.contents.stacks.listeners.append(self._show_first)
        self.model.changed.connect(self._show_all)
        self.model.changed.connect(self._follow_model)
        views.actions_by_name["map_shown"].triggered.connect(self.model.set_visible)
        views.actions_by_name["map_worst"].triggered.connect(lambda _checked=False: self.go_to_worst())
        views.compare.steppers.append(self._step)
        views.actions_by_name["map_next"].triggered.connect(lambda _checked=False: self.model.choose_next())
        self._follow_panes()
        self._follow_model()

    def words_at(self, mm: FloatArray) -> str:
        """What the map that is seen says of a place on the screen."""
        layer = self.model.shown
        return "" if layer is None else layer.words_at(mm, self._views.model.offset(Role.SYNTHETIC))

    def go_to_worst(self) -> None:
        """Shows the place that the chosen map tells to look at first."""
        layer, viewer = self.model.chosen, self._views.model
        if layer is not None and layer.worst is not None:
            offset = viewer.offset(Role.SYNTHETIC)
            viewer.show_place(layer.worst if offset is None else layer.worst + offset, Role.SYNTHETIC)

    def _picture(self, stack: SliceStack, displayed: DisplayedGrid, k: int) -> NDArray[Any] | None:
        """A slice of the map in screen order, not a number outside of the body; None while it is being made."""
        found, inside = stack.picture(k), self.model.inside
        if found is not None and inside is not None and found.shape == displayed.grid.shape[1:]:
            found = np.where(inside.on(displayed.grid, k, self._views.model.offset(Role.SYNTHETIC)), found, np.float32(np.nan))
        return None if found is None else displayed.layout.arrange(found)

    def _step(self, more: int) -> bool:
        """A key for more or less: of the map where it is all that lies over the active pane."""
        overlay = self.overlays.get(self._views.active_pane)
        taken = overlay is not None and overlay.present and not self._views.compare.masks.shown
        if taken:
            self.model.step(more)
        return taken

    def _follow_panes(self) -> None:
        before, self._panes = self._panes, dict(self._views.panes)
        self._needed.clear()
        self.overlays = {name: one for name, one in self.overlays.items() if self._panes.get(name) is before.get(name)}
        for name, pane in self._panes.items():
            if name not in self.overlays:
                self.overlays[name] = MapOverlay()
                pane.canvas.overlays.insert(0, self.overlays[name])  # under masks and words
        self._show_all()

    def _follow_model(self) -> None:
        there, action = bool(self.model.layers), self._views.actions_by_name["map_shown"]
        action.setEnabled(there)
        action.setChecked(there and self.model.visible)
        self._views.actions_by_name["map_next"].setEnabled(len(self.model.layers) > 1)
        self._views.actions_by_name["map_worst"].setEnabled(there)

    def _show_all(self) -> None:
        self._show(tuple(self._panes))

    def _show_first(self, stack: SliceStack) -> None:
        self._show(name for name, one in self._needed.items() if one is stack)

    def _show(self, names: Iterable[str]) -> None:
        for name in tuple(names):
            if name in self._panes:
                self._show_in(name, self._panes[name])
        self._views.contents.stacks.keep(_OWNER, self._needed.values())

    def _show_in(self, name: str, pane: SliceView) -> None:
        viewer, compare = self._views.model, self._views.compare.model
        volume, displayed = viewer.placed.get(Role.SYNTHETIC), viewer.displayed(name)
        compares = (compare.of(name).active or compare.held == name) and compare.partner(name) is not None
        wanted = pane.role is Role.SYNTHETIC and not compares
        placed = self.model.placed(volume.geometry) if wanted and volume is not None else None
        overlay = self.overlays[name]
        if placed is None or displayed is None:
            self._needed.pop(name, None)
            if overlay.present:
                overlay.show(None, None, (1.0, 1.0), 1.0)
                pane.canvas.update()
            return
        stack = self._needed[name] = self._views.contents.stacks.of(placed, displayed)
        picture = self._picture(stack, displayed, viewer.pose(name).k)
        overlay.show(self.model.shown, picture, displayed.layout.size_mm, self.model.opacity)
        pane.canvas.update()
