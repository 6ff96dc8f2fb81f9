"""Keeps the metrics beside the views in step: with the comparison of the session and with the slices on the screen."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from ctmri_core.geometry import Geometry
from ctmri_gui.session import Session
from ctmri_gui.translating.slice_runs import flagged_on
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.measure.measure_model import MeasureModel
from ctmri_gui.viewer.metric_kinds import CurveValues, Scores
from ctmri_gui.viewer.metric_place import Place, go_to, place_of
from ctmri_gui.viewer.metric_questions import Inside, OfEach, OfRegion, OfSlice, Question, Scope, lies_on
from ctmri_gui.viewer.metric_subjects import Subjects, subjects
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.metrics_follower import MetricsFollower
from ctmri_gui.viewer.piecewise import Piecewise
from ctmri_gui.viewer.roles import Pair, Role
from ctmri_gui.volume_metrics import VolumeMetrics

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison

_NOTHING_HERE = "No numbers for this slice: the body or the ground truth does not reach it."
_NOTHING_UNDER = "No numbers for this region: the ground truth does not reach it, or no voxel lies in it."
_APART = "No numbers: the synthetic image and the ground truth show different slices. Link their panes to compare them."
_BY_HAND = "No numbers: a pane was linked by hand with an offset, so what lies on one another there is not one place."
_NO_REGION = "Draw a rectangle, an ellipse or an outline, or select one, to compare inside it."
_OTHER_PLANE = "The selected region was drawn on slices of another plane; scroll in a pane of that plane."


class MetricsLink(QObject):
    """Numbers where the comparison allows them and the panes show the slice they are of; else the reason why not.

    The plane is that of the pane which was scrolled or made active last.
    """

    def __init__(self, session: Session, views: LinkedViews, dock: MetricsDock, measured: MeasureModel | None = None) -> None:
        super().__init__(dock)
        self._session, self._views, self._dock, self._measured = session, views, dock, measured
        self._subjects = Subjects()
        self._comparisons: dict[Pair, Comparison] = {}  # only those that allow numbers
        self._followed = views.active_pane
        self._asked: Question | None = None
        self._place: Place | None = None
        self._curves: dict[tuple[Pair, Geometry, Inside], CurveValues] = {}
        self._curve: CurveValues | None = None
        self._worst_wanted = False
        self.follower = MetricsFollower(self)
        self._curve_work, self.volume = Piecewise("metric curve", self), VolumeMetrics(dock)
        self._connect()
        self._follow_panes()
        self._look()

    def go_to_worst(self) -> None:
        """Shows the slice in which synthetic and truth are least alike, as soon as all are known."""
        if not self._comparisons or self._place is None:
            return
        self._worst_wanted = True
        self._follow_curve()
        self._go_when_known()

    def close(self) -> None:
        """No more numbers."""
        for work in (self.follower, self._curve_work, self.volume):
            work.close()

    def _connect(self) -> None:
        views, dock, session = self._views, self._dock, self._session
        self.follower.scored.connect(self._show_scores)
        views.model.posesChanged.connect(lambda _panes: self._move())
        views.model.volumesChanged.connect(self._follow)
        views.panesChanged.connect(self._follow_panes)
        session.comparisonChanged.connect(lambda _comparison: self._look())
        session.volumeChanged.connect(lambda _role, _volume: self._look())
        if self._measured is not None:
            self._measured.selectionChanged.connect(self._follow)
            self._measured.changed.connect(self._follow)
        dock.scopeChosen.connect(lambda _scope: self._follow())
        dock.sliceChosen.connect(self._go_to)
        dock.shown.connect(self._follow)
        dock.table.chosen.connect(self._go_to_model)
        dock.hidden.connect(self._leave_curve)
        self._curve_work.came.connect(self._take_curve)
        self._curve_work.ended.connect(lambda _result: self._go_when_known())

    # What is followed -------------------------------------------------------------------------------------------------

    def _follow_panes(self) -> None:
        """There may be other panes than before."""
        for name, pane in self._views.panes.items():
            if not pane.property("followed by metrics"):
                pane.setProperty("followed by metrics", True)
                pane.scrolled.connect(lambda _steps, name=name: self._follow_pane(name))
                pane.activated.connect(lambda name=name: self._follow_pane(name))
        self._look()
        self._follow()

    def _follow_pane(self, name: str) -> None:
        if name != self._followed:
            self._followed = name
            self._follow()

    def _move(self) -> None:
        """Panes show another place, and may soon show yet another."""
        self._curve_work.make_way()
        self.volume.make_way()
        self._follow()

    def _look(self) -> None:
        """What there is to compare may be something else by now."""
        known, volumes = self._session.comparisons, self._session.volumes
        found = subjects(known, volumes, {pane.role for pane in self._views.panes.values()})
        self._views.compare.model.set_compared(self._session.comparison, {frozenset(pair): one for pair, one in known.items()})
        verdict = found.verdict
        self._views.set_comparable(verdict.comparable if verdict is not None else None)
        if found == self._subjects and found.comparisons:
            return
        self._subjects = found
        self._comparisons = dict(found.comparisons)
        self._asked = None
        self._curves.clear()
        self._set_curve(None)
        self.volume.set_comparisons(self._comparisons)
        self.follower.set_comparison(self._comparisons or None)
        self._show_subjects(found)

    def _show_subjects(self, found: Subjects) -> None:
        verdict, dock = found.verdict, self._dock
        dock.set_comparable(bool(found.comparisons))
        dock.set_rows(found.rows, found.names)
        if verdict is None or not verdict.comparable:
            dock.set_alignment(None, None, found.reason if found.rows else "")  # else the reason tells it
        else:
            dock.set_alignment(verdict.outline_dice, verdict.mutual_information)
        if not found.comparisons:
            dock.set_reason(found.reason or self._waiting_for())
            return
        if not found.rows:
            dock.set_scores(None, "Computing …")
        self._follow()

    @property
    def _lead(self) -> Pair | None:
        """What curve and worst slice are of."""
        pane = self._views.model.panes.get(self._followed)
        return self._subjects.lead(Role.SYNTHETIC if pane is None else pane.role)

    def _follow(self) -> None:
        """Numbers for what is shown by now."""
        if not self._comparisons:
            return
        model, dock = self._views.model, self._dock
        if self._followed not in model.panes:
            self._followed = self._views.active_pane
        moved = any(model.offset(role) is not None for role in Role)
        self._place = None if moved else place_of(model, self._followed)
        self._follow_curve()
        whole = dock.scope is Scope.VOLUME
        dock.table.set_slice_shown(not whole)
        if whole or (dock.tabled and dock.isVisible()):
            self.volume.follow()
        if whole:
            self._asked = None
            return
        question = self._question()
        if isinstance(question, str):
            self._asked = None
            dock.table.show_slice("", {})
            dock.set_reason(_BY_HAND if moved else question)
        elif question != self._asked:
            self._asked = question
            self.follower.request(OfEach(question))

    def _question(self) -> Question | str:
        """What to ask, or why nothing."""
        scope, place = self._dock.scope, self._place
        if place is None:
            return _APART
        if scope is not Scope.REGION:
            return OfSlice(place.k, place.grid, _inside(scope), self._truth_at_hand(place))
        selected = None if self._measured is None else self._measured.selected
        if selected is None or not selected.shape.kind.is_region:
            return _NO_REGION
        if not lies_on(selected.shape, place.grid):
            return _OTHER_PLANE
        return OfRegion(place.k, place.grid, selected.shape, selected.measurement.name)

    def _truth_at_hand(self, place: Place) -> NDArray[np.float32] | None:
        """What a pane of the truth has had sampled for its picture need not be sampled again."""
        views = self._views
        if any(other is not Role.TRUTH for _, other in self._comparisons):
            return None
        volume, shown = views.model.volumes.get(Role.TRUTH), views.model.displayed(place.panes[0])
        of_session = volume is self._session.volumes[Role.TRUTH]
        return None if volume is None or shown is None or not of_session else views.contents.stacks.made(volume, shown, place.k)

    def _show_scores(self, asked: OfEach, found: dict[Pair, Scores | None]) -> None:
        question = asked.question
        if question != self._asked or self._place is None:
            return  # the panes have come apart since, or something else is wanted by now
        title = f"Slice {self._place.k + 1}, {self._place.plane}"
        if isinstance(question, OfRegion):
            title = f"{question.name} on {title.lower()}"
        if self._dock.tabled:
            self._dock.set_slice_scores(found, title)
        elif (scores := next(iter(found.values()))) is not None:
            self._dock.set_scores(scores, title)
        else:
            self._dock.set_reason(_NOTHING_UNDER if isinstance(question, OfRegion) else _NOTHING_HERE)

    # The curve --------------------------------------------------------------------------------------------------------

    def _follow_curve(self) -> None:
        """The curve of the plane that is followed, once somebody sees it."""
        place, lead = self._place, self._lead
        self._dock.show_slice(None if place is None else place.k)
        if place is None or lead is None or not (self._dock.isVisible() or self._worst_wanted):
            return
        inside = _inside(self._dock.scope)
        key = (lead, place.grid, inside)
        if key not in self._curves:
            made = self._session.volumes[lead[0]]
            self._curves[key] = CurveValues(place.grid.shape[0], flagged_on(place.grid, made))
        values = self._curves[key]
        if values is not self._curve:
            self._set_curve(values)
            if not values.complete:
                self._curve_work.run(_pieces(self._comparisons[lead], place.grid, inside))

    def _leave_curve(self) -> None:
        """Nobody sees it any more: what is not ready begins anew when it is seen again."""
        if self._curve is not None and not self._curve.complete and not self._worst_wanted:
            self._set_curve(None)

    def _set_curve(self, values: CurveValues | None) -> None:
        self._curve_work.run(None)
        self._curve = values
        self._dock.set_curve(values if values is not None and values.known else None, self._curve_name)

    def _take_curve(self, piece: tuple[range, tuple[Scores | None, ...]] | None) -> None:
        if self._curve is not None and piece is not None:
            self._curve.put(*piece)
            self._dock.set_curve(self._curve, self._curve_name)

    def _go_when_known(self) -> None:
        values = self._curve
        if self._worst_wanted and values is not None and values.complete:
            self._worst_wanted = False
            worst = values.worst(self._dock.curve_metric)
            if worst is not None:
                self._go_to(worst)

    @property
    def _curve_name(self) -> str:
        """Of several models, that of the one which the curve is of."""
        return next((row.name for row in self._subjects.rows if row.pair == self._lead), "")

    def _go_to_model(self, role: Role) -> None:
        """Its pane becomes the active one."""
        pane = next((name for name, view in self._views.panes.items() if view.role is role), None)
        if pane is not None:
            self._views.set_active(pane)
            self._follow_pane(pane)

    def _go_to(self, k: int) -> None:
        if self._place is not None:
            go_to(self._views.model, self._place, k)

    def _waiting_for(self) -> str:
        volumes = self._session.volumes
        if volumes[Role.SYNTHETIC] is None and volumes[Role.TRUTH] is None:
            return "Translate a scan and drop its real counterpart to compare them."
        if volumes[Role.SYNTHETIC] is None:
            return "Translate the scan to compare it with its real counterpart."
        if volumes[Role.TRUTH] is None:
            return "Drop the real counterpart on the window to compare it with the synthetic image."
        if self._session.cases.current.trying:
            return "Accept or undo the alignment to see numbers."
        return "Looking whether both show the same place …"


def _inside(scope: Scope) -> Inside:
    return "slice" if scope is Scope.SLICE else "body"


def _pieces(comparison: Comparison, grid: Geometry, inside: Inside) -> Iterator[Any]:
    """The curve; what draws it is brought into memory first, beside the interface thread."""
    importlib.import_module("ctmri_gui.viewer.metric_curve")
    yield None
    yield from comparison.curve(grid, inside=inside)
