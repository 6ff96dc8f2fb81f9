"""Keeps the metrics beside the views in step: with the comparison of the session and with the slices on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ctmri_gui.session import Session
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.metrics_follower import MetricsFollower, Scores
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison

_NOTHING_HERE = "No numbers for this slice: the body or the ground truth does not reach it."
_APART = "No numbers: the synthetic image and the ground truth show different slices. Link their panes to compare them."


class MetricsLink(QObject):
    """Numbers where the comparison allows them and both panes show the slice they are of; else the reason why not."""

    def __init__(self, session: Session, views: LinkedViews, dock: MetricsDock) -> None:
        super().__init__(dock)
        self._session, self._views, self._dock = session, views, dock
        self._comparable = False
        self._asked: int | None = None  # the slice that both panes show
        self.follower = MetricsFollower(self)
        self.follower.scored.connect(self._show_scores)
        views.sliceChanged.connect(lambda _k: self._follow_slices())
        views.model.posesChanged.connect(lambda _roles: self._follow_slices())
        session.comparisonChanged.connect(self._show_comparison)
        session.volumeChanged.connect(lambda _role, _volume: self._show_comparison(session.comparison))
        self._show_comparison(session.comparison)

    def _show_comparison(self, comparison: Comparison | None) -> None:
        verdict = comparison.verdict if comparison is not None else None
        self._comparable = verdict is not None and verdict.comparable
        self._asked = None
        self.follower.set_comparison(comparison if self._comparable else None)
        self._views.set_comparable(verdict.comparable if verdict is not None else None)
        if verdict is None:
            self._dock.set_alignment(None, None)
            self._dock.set_reason(self._waiting_for())
            return
        self._dock.set_alignment(verdict.outline_dice, verdict.mutual_information)
        if self._comparable:
            self._dock.set_scores(None)
            self._follow_slices()
        else:
            self._dock.set_reason(verdict.message)

    def _follow_slices(self) -> None:
        """Panes show slices of the source's grid, which is the synthetic volume's wherever the two can be compared."""
        if not self._comparable:
            return
        model = self._views.model
        panes = model.acquired_panes(Role.SYNTHETIC, Role.TRUTH)
        shown = model.pose(panes[0]).k if panes else model.slice
        if any(not model.show_one_slice(panes[0], pane) for pane in panes[1:]):
            self._asked = None
            self._dock.set_reason(_APART)
        elif shown != self._asked:
            self._asked = shown
            self.follower.request(shown)

    def _show_scores(self, k: int, scores: Scores | None) -> None:
        if self._asked is None:
            return  # the panes have come apart since
        if scores is None:
            self._dock.set_reason(_NOTHING_HERE)
        else:
            self._dock.set_scores(scores, f"Slice {k + 1}")

    def _waiting_for(self) -> str:
        volumes = self._session.volumes
        if volumes[Role.SYNTHETIC] is None and volumes[Role.TRUTH] is None:
            return "Translate a scan and drop its real counterpart to compare them."
        if volumes[Role.SYNTHETIC] is None:
            return "Translate the scan to compare it with its real counterpart."
        if volumes[Role.TRUTH] is None:
            return "Drop the real counterpart on the window to compare it with the synthetic image."
        return "Looking whether both show the same place …"
