"""Shows the outline of the source's body over the panes, and changes it or another mask: by threshold, by hand, and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction

from ctmri_core.events import Finished
from ctmri_core.geometry import FloatArray
from ctmri_core.model_card import ModelEntry
from ctmri_core.preprocess.mask_brush import Brush
from ctmri_core.volume import Volume
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.bodies import Bodies, Body, Labels, find_body, outlined_body
from ctmri_gui.viewer.body.edited_mask import EditedMask
from ctmri_gui.viewer.body.mask_changes import MaskChanges
from ctmri_gui.viewer.body.new_labels import NewLabels
from ctmri_gui.viewer.body.pane_brush import PaneBrush
from ctmri_gui.viewer.compare.label_map import BODY
from ctmri_gui.viewer.compare.mask_model import MaskStyle
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

SMALLEST_MM, LARGEST_MM, _FIRST_MM = 1.0, 60.0, 6.0
_PAUSE_MS = 150  # a slider that is dragged on is not answered
_VALUES = {"body_add": 1, "body_erase": 0, "body_fill": 1}
_JOB = "Outline of the body"


class BodyEditor(QObject):
    """`changed`: of what the source's body is, how it is shown or what the brush is. `finding`: an outline is on its way."""

    changed = Signal()

    def __init__(self, views: LinkedViews, bodies: Bodies, history: History, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views, self._bodies, self._history = views, bodies, history
        self._masks = views.compare.masks
        self._finding = Latest(jobs)
        self._last: Volume | None = None
        self._outliners: tuple[ModelEntry, ...] = ()
        self.value: int | None = None
        """What the brush in use paints: 1 for the region, 0 for nothing; None when there is none."""
        self.filling = False
        """Whether the tool in use fills areas, and is no brush."""
        self.radius_mm = _FIRST_MM
        self.edited = EditedMask(self._masks, lambda: self.body, lambda: self.source is not None, self)
        self.new_labels = NewLabels(self._masks, self.edited, history, self)
        self.changes = MaskChanges(self.edited, self._masks, history, jobs, self._show_again, self)
        self._panes: dict[str, PaneBrush] = {}
        self._wish: tuple[float, object] | None = None
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._find_as_wished)
        self._connect()
        self._follow_panes()
        self._follow_volumes()

    # What is there ----------------------------------------------------------------------------------------------------

    @property
    def source(self) -> Volume | None:
        return self._views.model.volumes.get(Role.SOURCE)

    @property
    def body(self) -> Body | None:
        """Of the source, shown or not."""
        return self._bodies.of(self.source)

    @property
    def outliners(self) -> tuple[ModelEntry, ...]:
        """The models that could outline the source."""
        source = self.source
        fitting = (each for each in self._outliners if each.card is not None and source is not None)
        return tuple(each for each in fitting if each.card and source and each.card.takes(source.domain))

    @property
    def shown(self) -> bool:
        return self.body is not None and any(mask.map.name == BODY for mask in self._masks.masks)

    @property
    def finding(self) -> bool:
        return self._pause.isActive() or (self._finding.state is not None and self._finding.state.running)

    @property
    def ball(self) -> bool:
        """Whether the brush reaches into other slices."""
        return self.action("body_ball").isChecked()

    def action(self, name: str) -> QAction:
        return self._views.actions_by_name[name]

    # What may be wanted -----------------------------------------------------------------------------------------------

    def show(self, shown: bool) -> None:
        """Finds the body where that was not done before. What was painted stays while it is not shown."""
        source, body = self.source, self.body
        if not shown or source is None:
            self._finding.drop()
            self._masks.remove(BODY)
            if self.value is not None:
                self._views.use_tool("window_tool")
        elif body is not None:
            self._put_over(source, body)
        else:
            self._ask(source, None, listed=True)
        self.changed.emit()

    def set_only(self, only: bool) -> None:
        """Whether translations of the source leave out what is not in its body."""
        source, body = self.source, self.body
        if source is not None and body is not None and body.only is not only:
            body.only = only
            self._bodies.put(source, body)

    def set_threshold(self, threshold: float, merge: object = None) -> None:
        """Outlines the body anew with a threshold, soon. `merge`: thresholds of one drag are taken back together."""
        self._wish = threshold, merge
        self._pause.start()

    def find_anew(self) -> None:
        """As the program does by itself."""
        if self.source is not None:
            self._forget_wish()
            self._ask(self.source, None, listed=True)

    def find_by(self, model: ModelEntry) -> None:
        """As a model outlines it that learnt to."""
        source = self.source
        if source is None or model.card is None:
            return
        self._forget_wish()
        begin = partial(outlined_body, source, model.path, model.card.name)
        self._finding.ask(_JOB, begin, partial(self._take, source, None), ended=self._ended, listed=True)
        self.changed.emit()

    def offer(self, models: Sequence[ModelEntry]) -> None:
        """`models`: those at hand that outline."""
        self._outliners = tuple(models)
        self.changed.emit()

    def set_radius(self, radius_mm: float) -> None:
        self.radius_mm = min(max(radius_mm, SMALLEST_MM), LARGEST_MM)
        self._repaint()
        self.changed.emit()

    # Strokes ----------------------------------------------------------------------------------------------------------

    def begin(self) -> bool:
        """A stroke, if there is something to paint on."""
        if self.value is None or not self._brought_forward():
            return False
        self.changes.begin(adding=bool(self.value))
        return True

    def _brought_forward(self) -> bool:
        """Whether there is something to change, which is seen then."""
        source, body = self.source, self.body
        if self.edited.is_body:
            if source is None or body is None:
                return False
            self._forget_wish()
            self._finding.drop()
            if not any(mask.map.name == BODY for mask in self._masks.shown):
                self._put_over(source, body)
        elif not any(mask.map.name == self.edited.name for mask in self._masks.shown):
            self._masks.set_visible(True)
            self._masks.set_mask_visible(self.edited.name, True)
        return True

    def go(self, brush: Brush, start: FloatArray, end: FloatArray) -> None:
        """The stroke goes on (LPS mm)."""
        self.changes.go(brush, start, end)

    def end(self) -> None:
        """The stroke is one step, which can be taken back."""
        self.changes.end()

    def fill(self, role: Role, mm: FloatArray, normal: FloatArray) -> None:
        """From a point of the picture of `role`, in its slice."""
        volume = self._views.model.volumes.get(role)
        if volume is not None and self._brought_forward():
            self.changes.fill(volume, mm, normal, self._views.model.levels(role))

    def grow(self, sign: int) -> None:
        """By the set distance, or with -1 back by it."""
        if self._brought_forward():
            self.changes.grow(sign)

    # Finding ----------------------------------------------------------------------------------------------------------

    def _ask(self, source: Volume, threshold: float | None, *, listed: bool, merge: object = None) -> None:
        begin, take = partial(find_body, source, threshold), partial(self._take, source, merge)
        self._finding.ask(_JOB, begin, take, ended=self._ended, listed=listed)
        self.changed.emit()

    def _ended(self, _how: Finished) -> None:
        self._follow_masks()

    def _find_as_wished(self) -> None:
        wish, self._wish = self._wish, None
        if wish is not None and self.source is not None:
            self._ask(self.source, wish[0], listed=False, merge=wish[1])

    def _forget_wish(self) -> None:
        self._wish = None
        self._pause.stop()

    def _take(self, source: Volume, merge: object, found: Body) -> None:
        """`found` takes the place of what is there; the first one is simply shown."""
        self.changes.drop()
        body = self._bodies.of(source)
        if body is None:
            self._bodies.put(source, found)
            if source is self.source:
                if not self._masks.masks:
                    self._masks.set_style(MaskStyle.CONTOUR)  # nothing is hidden that the outline is judged by
                self._put_over(source, found)
            return
        before, after = _packed(body), _packed(found)
        self._history.record(
            "outline of the body", partial(self._replace, body, *before), partial(self._replace, body, *after), merge=merge
        )
        body.labels, body.threshold, body.by_hand, body.by = found.labels, found.threshold, False, found.by
        self._show_again(body)

    def _replace(self, body: Body, packed: NDArray[np.uint8], threshold: float, by_hand: bool, by: str) -> None:
        self.changes.drop()
        body.labels = np.unpackbits(packed, count=body.labels.size).reshape(body.geometry.shape)
        body.threshold, body.by_hand, body.by = threshold, by_hand, by
        self._show_again(body)

    # Showing ----------------------------------------------------------------------------------------------------------

    def _put_over(self, source: Volume, body: Body) -> None:
        self._masks.add(body.map, over=source)

    def _show_again(self, body: Body) -> None:
        """After a change of it; not where something else is on the screen by now."""
        source = self.source
        if source is not None and self.body is body and self.shown:
            self._put_over(source, body)
        self.changed.emit()

    def _connect(self) -> None:
        views = self._views
        views.panesChanged.connect(self._follow_panes)
        views.toolChanged.connect(self._follow_tool)
        views.model.volumesChanged.connect(self._follow_volumes)
        self._bodies.changed.connect(lambda _volume: self.changed.emit())
        self.edited.changed.connect(self._follow_masks)
        self.changes.changed.connect(self.changed)
        for name, handler in (
            ("body_mask", self.show),
            ("body_ball", lambda _on: self.changed.emit()),
            ("body_brush", lambda _on: self._next_brush()),
            ("body_smaller", lambda _on: self.set_radius(self.radius_mm - _step(self.radius_mm - 1))),
            ("body_larger", lambda _on: self.set_radius(self.radius_mm + _step(self.radius_mm))),
            ("body_anew", lambda _on: self.find_anew()),
            ("measure_place", lambda _on: self._panes[self._views.active_pane].place()),
            ("body_grow", lambda _on: self.grow(1)),
            ("body_shrink", lambda _on: self.grow(-1)),
        ):
            self.action(name).triggered.connect(handler)

    def _next_brush(self) -> None:
        """Add, erase, none."""
        name = {None: "body_add", 1: "body_erase"}.get(self.value, "window_tool")
        self._views.use_tool(name)

    def _follow_tool(self, name: str) -> None:
        self.value, self.filling = _VALUES.get(name), name == "body_fill"
        if self.value is not None and self.edited.is_body and not self.shown and self.source is not None:
            self.show(True)
        self._repaint()
        self.changed.emit()

    def _follow_panes(self) -> None:
        """Paints on the panes that there are now."""
        for name, view in self._views.panes.items():
            known = self._panes.get(name)
            if known is None or known.view is not view:
                self._panes[name] = PaneBrush(self, self._views.model, name, view)
        self._panes = {name: brush for name, brush in self._panes.items() if name in self._views.panes}

    def _follow_volumes(self) -> None:
        """Another reading of the same file keeps the body that it had."""
        source, before = self.source, self._last
        if source is before:
            return
        self._last = source
        self._forget_wish()
        self.changes.drop()
        had = self._bodies.of(before)
        if source is not None and had is not None and self.body is None and _same_file(before, source):
            self._bodies.put(source, had)
        self._follow_masks()

    def _follow_masks(self) -> None:
        there = self.source is not None
        for name in ("body_mask", "body_anew"):
            self.action(name).setEnabled(there)
        for name in ("body_add", "body_erase", "body_fill", "body_brush", "body_grow", "body_shrink"):
            self.action(name).setEnabled(there or not self.edited.is_body)
        self.action("mask_new").setEnabled(self._views.model.reference is not None)
        self.action("label_new").setEnabled(not self.edited.is_body)
        self.action("body_mask").setChecked(self.shown or (self.finding and self.body is None))
        self.changed.emit()

    def _repaint(self) -> None:
        for pane in self._panes.values():
            pane.view.canvas.update()


def _packed(body: Body) -> tuple[NDArray[np.uint8], float, bool, str]:
    """An eighth of what it takes otherwise."""
    labels: Labels = body.labels
    return np.packbits(labels), body.threshold, body.by_hand, body.by


def _step(radius_mm: float) -> float:
    return max(1.0, round(0.15 * radius_mm))


def _same_file(one: Volume | None, other: Volume) -> bool:
    return one is not None and one.path is not None and one.path == other.path and one.geometry.is_close(other.geometry)
