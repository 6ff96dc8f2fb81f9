"""Measuring as the window uses it: everything of it, put together over the panes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from ctmri_core.errors import WriteFailed
from ctmri_core.geometry import Geometry
from ctmri_core.measuring.export import Measured, write_measurements
from ctmri_core.measuring.shapes import Kind
from ctmri_core.measuring.statistics import Values as RegionValues
from ctmri_core.measuring.statistics import region_values
from ctmri_gui.undo import History
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.measure.histogram_page import REGION, SLICE, HistogramPage
from ctmri_gui.viewer.measure.measure_dock import MeasureDock
from ctmri_gui.viewer.measure.measure_model import Item, MeasureModel
from ctmri_gui.viewer.measure.newest import Newest
from ctmri_gui.viewer.measure.overlay import MeasureOverlay
from ctmri_gui.viewer.measure.places import PanePlaces
from ctmri_gui.viewer.measure.plot_dialog import PlotDialog
from ctmri_gui.viewer.measure.profile_page import ProfilePage
from ctmri_gui.viewer.measure.tools import MeasureTools, PaneTools
from ctmri_gui.viewer.measure.values import Values
from ctmri_gui.viewer.panes import PaneSpec
from ctmri_gui.viewer.plane_grids import nearest_plane
from ctmri_gui.viewer.presets import Window
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView

_REGIONS = ("measure_rectangle", "measure_ellipse", "measure_freehand")
_KINDS = {f"measure_{kind.value}": kind for kind in Kind}
_WINDOW_PERCENTILES = (1.0, 99.0)
_NARROWEST = 1e-3
OTHER_SLICES = "{name} lies on slices that no pane shows: they run another way, or their image is not open."
NO_REGION = "Select a region first: draw one with O or click the line of one."


class Measuring(QObject):
    """`palette`: the name of the colours that the window has now."""

    failed = Signal(str)
    noted = Signal(str)
    written = Signal(object)  # Path

    def __init__(self, views: LinkedViews, history: History, palette: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views, self._viewer, self._palette = views, views.model, palette
        self.model = MeasureModel(history, self)
        self.values = Values(self.model, self._viewer, self)
        self.tools = MeasureTools(self.model, self)
        self.dock = MeasureDock(self.model, self.values, views.actions_by_name)
        self._windows = Newest("window from region")
        self._plots: PlotDialog | None = None
        self._panes: dict[str, tuple[SliceView, PaneTools, MeasureOverlay]] = {}
        self._connect()
        self._follow_panes()

    def close(self) -> None:
        """No more numbers."""
        self.values.close()
        self._windows.close()
        if self._plots is not None:
            self._plots.profile.close_background()
            self._plots.histogram.close_background()

    def dress(self) -> None:
        """Colours or the size of text have changed."""
        if self._plots is not None:
            self._plots.profile.dress()
            self._plots.histogram.dress()

    def write(self, path: Path) -> None:
        """All measurements as CSV or JSON, by the suffix, once their numbers are there."""
        self.values.when_ready(partial(self._write, path))

    def go_to(self, number: int) -> None:
        """Selects a measurement and shows the slice it lies in; a place beyond the edge of the panes comes to their middle. Where
        no pane cuts that way, one is made to."""
        item = self.model.item(number)
        if item is None:
            return
        self.model.select(number)
        self._go(item)
        if not self._is_seen(item):
            self._show_plane_of(item)

    def _is_seen(self, item: Item) -> bool:
        """Whether a pane on the screen shows it; one that is hidden by a maximised pane takes its place."""
        panes = ((name, view, tools.places.now()) for name, (view, tools, _) in self._panes.items())
        showing = [(name, view) for name, view, here in panes if here and here.shows(item.shape, item.measurement.drawn_on)]
        if showing and all(view.isHidden() for _, view in showing):
            self._views.arrangement.maximise(showing[0][0])
        return bool(showing)

    def _show_plane_of(self, item: Item) -> None:
        """Turns a pane of the volume that it was drawn on into its plane, and says so; else says that there is none."""
        drawn_on, name = Role(item.measurement.drawn_on), item.measurement.name
        if drawn_on in self._viewer.volumes:
            plane, active = nearest_plane(item.shape.lattice), self._views.active_pane
            panes = [one for one, view in self._views.panes.items() if view.role is drawn_on and not view.isHidden()]
            pane = active if active in panes or not panes else panes[0]
            before = self._views.pane_layout
            self._views.arrangement.show_in(pane, PaneSpec(drawn_on, plane))
            self._go(item)
            if self._is_seen(item):
                self.noted.emit(f"No pane showed the {plane} plane of {name}. One does now; Undo brings the panes back.")
                return
            self._views.arrangement.show(before)
        self.noted.emit(OTHER_SLICES.format(name=name))

    def _go(self, item: Item) -> None:
        """In the panes that there are."""
        centre, drawn_on = item.shape.centre, Role(item.measurement.drawn_on)
        self._viewer.show_place(centre, drawn_on)
        for name, (view, tools, _) in self._panes.items():
            here = tools.places.now()
            if here is None:
                continue
            u, v, away = here.on_picture(centre[None])[0].tolist()
            if here.role is drawn_on and not self._viewer.is_linked(name):
                self._viewer.set_slice(here.k + round(away), name)
                here = tools.places.now() or here
            x, y = view.projection.to_pixel(u, v)
            if here.shows(item.shape, drawn_on.value) and not view.canvas.rect().contains(round(x), round(y)):
                middle = self._viewer.pose(name).camera.centre
                self._viewer.move(middle[0] - u, middle[1] - v, name)

    def window_from_region(self) -> None:
        """The window of the active pane: from the 1st to the 99th percentile of its values in the selected region."""
        item, role = self.model.selected, self._views.active
        if item is None or not item.shape.kind.is_region:
            self.noted.emit(NO_REGION)
            return
        volume = self.values.volumes_for(item.measurement).get(role)
        if volume is not None:
            self._windows.ask(partial(region_values, item.shape, volume), partial(self._set_window, role))

    def show_plots(self, page: str = "") -> None:
        """`profile`, `histogram`, or whichever fits what is selected."""
        if self._plots is None:
            profile = ProfilePage(self.model, self.values, self._palette, self._viewer.point_at)
            histogram = HistogramPage(self.model, self._viewer, self._palette, self._plane)
            self._plots = PlotDialog(profile, histogram, self._views.window())
            self._viewer.volumesChanged.connect(profile.follow)
        item = self.model.selected
        region = item is not None and item.shape.kind.is_region
        if page == "profile" or (not page and not region):
            self._plots.show_page(self._plots.profile)
        else:
            self._plots.histogram.use(REGION if region else SLICE)
            self._plots.show_page(self._plots.histogram)

    # Putting it together ----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        views = self._views
        views.panesChanged.connect(self._follow_panes)
        views.toolChanged.connect(lambda name: self.tools.use(_KINDS.get(name)))
        views.cancels.append(self.tools.give_up)
        self.model.changed.connect(self._repaint)
        self.values.changed.connect(self._repaint)
        self._viewer.volumesChanged.connect(self._repaint)
        self.dock.goAsked.connect(self.go_to)
        self.dock.plotsAsked.connect(self.show_plots)
        handlers: dict[str, Callable[[], object]] = {
            "measure_region": self._next_region_tool,
            "measure_place": self._place,
            "measure_next": partial(self._step, 1),
            "measure_previous": partial(self._step, -1),
            "measure_delete": self._delete,
            "measure_window": self.window_from_region,
            "measure_profile": self._profile,
            "measure_histogram": partial(self.show_plots, "histogram"),
            **{
                f"measure_{word}_{way}": partial(self.tools.nudge, way, size=word == "size")
                for word in ("move", "size")
                for way in ("left", "right", "up", "down")
            },
        }
        for name, handler in handlers.items():
            views.actions_by_name[name].triggered.connect(partial(_call, handler))
        views.actions_by_name["measure_shown"].toggled.connect(self._set_visible)

    def _follow_panes(self) -> None:
        """Draws on the panes that there are now."""
        self.tools.give_up()
        for name, view in self._views.panes.items():
            known = self._panes.get(name)
            if known is None or known[0] is not view:
                places = PanePlaces(self._viewer, name)
                overlay = MeasureOverlay(self.model, self.values, places, view.canvas.annotations.places)
                overlay.visible = self.tools.visible
                view.canvas.overlays.append(overlay)
                self._panes[name] = view, PaneTools(self.tools, view, places), overlay
        self._panes = {name: known for name, known in self._panes.items() if name in self._views.panes}

    def _repaint(self) -> None:
        for view, _, _ in self._panes.values():
            view.canvas.update()

    def _set_visible(self, visible: bool) -> None:
        self.tools.visible = visible
        for _, _, overlay in self._panes.values():
            overlay.visible = visible
        self._repaint()

    def _next_region_tool(self) -> None:
        """Rectangle, ellipse, freehand, none."""
        now = next((place for place, name in enumerate(_REGIONS) if self.tools.kind is _KINDS[name]), -1)
        off = now == len(_REGIONS) - 1
        self._views.use_tool(_REGIONS[now if off else now + 1], on=not off)

    def _place(self) -> None:
        self.tools.place(self._panes[self._views.active_pane][1])

    def _step(self, step: int) -> None:
        self.model.select_next(step)
        if self.model.selected is not None:
            self.go_to(self.model.selected.number)

    def _delete(self) -> None:
        if self.model.selected is not None:
            self.model.remove(self.model.selected.number)

    def _profile(self) -> None:
        """Without a line there is the tool that draws one."""
        item = self.model.selected
        if item is None or item.shape.kind is not Kind.LENGTH:
            self._views.use_tool("measure_length")
        self.show_plots("profile")

    def _plane(self) -> Geometry | None:
        here = self._panes[self._views.active_pane][1].places.now()
        return None if here is None else here.lattice()

    def _set_window(self, role: Role, found: RegionValues) -> None:
        if found.values.size and role in self._viewer.windows:
            low, high = np.percentile(found.values, _WINDOW_PERCENTILES).tolist()
            self._viewer.set_window(role, Window((low + high) / 2, max(high - low, _NARROWEST)))

    def _write(self, path: Path) -> None:
        measured = [
            Measured(item.measurement, {role.value: one for role, one in (self.values.of(item.measurement) or {}).items()})
            for item in self.model.items
        ]
        try:
            write_measurements(path, measured, {role.value: volume for role, volume in self._viewer.placed.items()})
        except WriteFailed as error:
            self.failed.emit(str(error))
        else:
            self.written.emit(path)


def _call(handler: Callable[[], object], _checked: bool = False) -> None:
    handler()

