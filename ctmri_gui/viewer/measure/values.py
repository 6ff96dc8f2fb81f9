"""The numbers under regions, worked out beside the interface thread and kept for as long as shape and volume stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from ctmri_core.measuring.export import Measurement
from ctmri_core.measuring.shapes import Shape
from ctmri_core.measuring.statistics import Statistics, region_statistics
from ctmri_core.volume import Volume
from ctmri_gui.viewer.background import Background
from ctmri_gui.viewer.measure.measure_model import MeasureModel
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel

_Found = dict[Role, tuple[Volume, Statistics | None]]


class Values(QObject):
    """Follows measurements and volumes. `changed` when numbers have come."""

    changed = Signal()

    def __init__(self, model: MeasureModel, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model, self._viewer = model, viewer
        self._background = Background("measure")
        self._known: dict[Shape, _Found] = {}
        self._sharing: dict[Role, frozenset[Role]] = {}
        self._then: list[Callable[[], None]] = []
        model.changed.connect(self._follow)
        viewer.volumesChanged.connect(self._follow_links)
        viewer.volumesChanged.connect(self._follow)
        viewer.posesChanged.connect(lambda _panes: self._follow_links())
        self._follow_links()

    def volumes_for(self, measurement: Measurement) -> dict[Role, Volume]:
        """The volumes as they lie on the screen, that share their space with what was drawn on."""
        sharing = self._sharing[Role(measurement.drawn_on)]
        return {role: volume for role, volume in self._viewer.placed.items() if role in sharing}

    def of(self, measurement: Measurement) -> Mapping[Role, Statistics | None] | None:
        """By volume; None until all are there. Nothing for what has no inside."""
        if not measurement.shape.kind.is_region:
            return {}
        volumes, known = self.volumes_for(measurement), self._known.get(measurement.shape, {})
        if any(role not in known or known[role][0] is not volume for role, volume in volumes.items()):
            return None
        return {role: known[role][1] for role in volumes}

    def when_ready(self, then: Callable[[], None]) -> None:
        """Calls `then` once the numbers of all measurements are there."""
        self._then.append(then)
        self._follow()

    def close(self) -> None:
        """No more numbers."""
        self._then.clear()
        self._background.close()

    def _wanted(self) -> list[Measurement]:
        draft = [] if self._model.draft is None else [self._model.draft]
        chosen = self._model.selected
        items = sorted(self._model.items, key=lambda item: item is not chosen)
        return [*draft, *(item.measurement for item in items)]

    def _follow_links(self) -> None:
        """Slices change far more often than what belongs together."""
        sharing = {one: frozenset(other for other in Role if self._viewer.share_space(one, other)) for one in Role}
        if sharing != self._sharing:
            self._sharing = sharing
            self._follow()
            self.changed.emit()

    def _follow(self) -> None:
        """One shape at a time, what is drawn now first; what nobody asks for any more is forgotten."""
        wanted = self._wanted()
        shapes = {measurement.shape for measurement in wanted}
        self._known = {shape: found for shape, found in self._known.items() if shape in shapes}
        missing = next((measurement for measurement in wanted if self.of(measurement) is None), None)
        if missing is None:
            waiting, self._then = self._then, []
            for then in waiting:
                then()
        elif not self._background.busy and not self._background.closed:
            volumes = self.volumes_for(missing)
            self._background.submit(partial(_work_out, missing.shape, volumes), partial(self._take, missing.shape))

    def _take(self, shape: Shape, found: _Found) -> None:
        self._known[shape] = {**self._known.get(shape, {}), **found}
        self.changed.emit()
        self._follow()


def _work_out(shape: Shape, volumes: Mapping[Role, Volume]) -> _Found:
    return {role: (volume, region_statistics(shape, volume)) for role, volume in volumes.items()}
