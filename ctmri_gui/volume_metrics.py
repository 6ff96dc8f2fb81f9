"""The metrics of whole volumes, worked out once for as long as the same images are compared."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from ctmri_core.events import Progress
from ctmri_gui.viewer.metric_kinds import Scores
from ctmri_gui.viewer.metric_questions import Scope
from ctmri_gui.viewer.metrics_dock import MetricsDock
from ctmri_gui.viewer.piecewise import Piecewise
from ctmri_gui.viewer.roles import Pair

if TYPE_CHECKING:
    from ctmri_core.comparison import Comparison

_NOTHING_AT_ALL = "No numbers: the ground truth shows nothing of the body."
_OF_ALL = "All slices, in the body"


class VolumeMetrics(QObject):
    """Tells `dock`: in its table, or as its figures where these are of all slices."""

    def __init__(self, dock: MetricsDock) -> None:
        super().__init__(dock)
        self._dock = dock
        self._comparisons: Mapping[Pair, Comparison] = {}
        self._found: Mapping[Pair, Scores | None] | None = None
        self._work = Piecewise("volume metrics", self)
        self._work.came.connect(self._take_progress)
        self._work.ended.connect(self._take)

    def set_comparisons(self, comparisons: Mapping[Pair, Comparison]) -> None:
        """Other ones than before: nothing is known of them yet."""
        self._comparisons, self._found = comparisons, None
        self._work.run(None)

    def follow(self) -> None:
        """Somebody sees them."""
        if self._found is not None:
            self._show(self._found)
        elif not self._work.running:
            self._tell("All slices …")
            self._work.run(_of_all(self._comparisons))

    def make_way(self) -> None:
        """Slices change, and their pictures and numbers come first."""
        self._work.make_way()

    def close(self) -> None:
        """No more numbers."""
        self._work.close()

    def _take_progress(self, progress: Progress) -> None:
        self._tell(f"All slices: {progress.done} of {progress.total} …")

    def _take(self, found: Mapping[Pair, Scores | None]) -> None:
        self._found = found
        self._show(found)

    def _tell(self, words: str) -> None:
        if self._dock.tabled:
            self._dock.table.show_volume(words, None)
        elif self._dock.scope is Scope.VOLUME:
            self._dock.set_scores(None, words)

    def _show(self, found: Mapping[Pair, Scores | None]) -> None:
        if self._dock.tabled:
            self._dock.set_volume_scores(found, _OF_ALL)
        elif self._dock.scope is Scope.VOLUME:
            scores = next(iter(found.values()), None)
            if scores is None:
                self._dock.set_reason(_NOTHING_AT_ALL)
            else:
                self._dock.set_scores(scores, "All slices")


def _of_all(comparisons: Mapping[Pair, Comparison]) -> Generator[Any, None, Mapping[Pair, Scores | None]]:
    from ctmri_core.comparison import volume_scores_of

    found = yield from volume_scores_of(tuple(comparisons.values()))
    return dict(zip(comparisons, found, strict=True))
