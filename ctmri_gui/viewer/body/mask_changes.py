"""What is done to a mask by hand: strokes, fills, growing; each is one step that can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ctmri_core.domain import Domain
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import FloatArray
from ctmri_core.preprocess.mask_brush import Brush, Changed
from ctmri_core.preprocess.mask_regions import flooded, regrown
from ctmri_core.volume import Volume
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.undo import History
from ctmri_gui.viewer.body.bodies import Body, Labels
from ctmri_gui.viewer.body.edited_mask import EditedMask
from ctmri_gui.viewer.compare.label_map import LabelMap
from ctmri_gui.viewer.compare.mask_model import MaskModel

_FIRST_HU, _FIRST_SHARE, _FIRST_MM = 50.0, 10.0, 2.0
_JOB = "Grow the mask"


class MaskChanges(QObject):
    """Of the region that `edited` names. `show_body`: shows a body again that was changed."""

    changed = Signal()
    drawn = Signal(object)  # Body or LabelMap whose labels are others now

    def __init__(
        self,
        edited: EditedMask,
        masks: MaskModel,
        history: History,
        jobs: Jobs,
        show_body: Callable[[Body], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._edited, self._masks, self._history, self._show_body = edited, masks, history, show_body
        self._growing = Latest(jobs)
        self._stroke: _Stroke | None = None
        self.tolerance_hu, self.tolerance_share = _FIRST_HU, _FIRST_SHARE
        """Of fills: HU of a CT, of anything else percent of the window that is shown."""
        self.grow_mm = _FIRST_MM

    def begin(self, *, adding: bool) -> None:
        """A stroke; what grows meanwhile is given up."""
        self._growing.drop()
        target = self._edited.target
        self._stroke = None if target is None else _Stroke(target, self._edited.region, adding)

    def go(self, brush: Brush, start: FloatArray, end: FloatArray) -> None:
        """The stroke goes on (LPS mm)."""
        if self._stroke is not None and self._stroke.go(brush, start, end):
            self._masks.redraw(self._edited.name)

    def end(self) -> None:
        """The stroke is a step."""
        stroke, self._stroke = self._stroke, None
        if stroke is None or not stroke.parts:
            return
        places = np.concatenate(stroke.parts)
        self._record("add to" if stroke.adding else "take away from", stroke.target, places, stroke.before(places))

    def drop(self) -> None:
        """Ends what is under way."""
        self._stroke = None
        self._growing.drop()

    def fill(self, volume: Volume, mm: FloatArray, normal: FloatArray, levels: tuple[float, float]) -> None:
        """An area of alike values of `volume`, of which `levels` are black and white now."""
        target, region = self._edited.target, self._edited.region
        if target is None:
            return
        self._growing.drop()
        low, high = levels
        tolerance = self.tolerance_hu if volume.domain is Domain.CT else self.tolerance_share / 100 * (high - low)
        places = flooded(target.labels, target.geometry, volume, mm, normal, tolerance, region)
        self._change("fill in", target, places, region)

    def grow(self, sign: int) -> None:
        """In the background: a large mask takes seconds."""
        target, region = self._edited.target, self._edited.region
        if target is not None:
            begin = partial(_regrown, target, region, sign * self.grow_mm)
            take = partial(self._change, "grow" if sign > 0 else "shrink", target, value=region if sign > 0 else 0)
            self._growing.ask(_JOB, begin, take, listed=True)

    def _change(self, what: str, target: Body | LabelMap, places: Changed, value: int) -> None:
        if not places.size:
            return
        flat = target.labels.ravel()
        before = flat[places]
        flat[places] = value
        self._record(what, target, places, before)
        self._show(target)

    def _record(self, what: str, target: Body | LabelMap, places: Changed, before: Labels) -> None:
        after = target.labels.ravel()[places]
        by_hand = isinstance(target, Body) and target.by_hand
        forth = partial(self._paint, target, places, after, by_hand=True)
        back = partial(self._paint, target, places, before, by_hand=by_hand)
        if isinstance(target, Body):
            target.by_hand = True
        name = "the body" if isinstance(target, Body) else target.name
        self._history.record(f"{what} {name}", back, forth)
        self.drawn.emit(target)
        self.changed.emit()

    def _paint(self, target: Body | LabelMap, places: Changed, values: NDArray[np.uint8], *, by_hand: bool) -> None:
        target.labels.ravel()[places] = values
        if isinstance(target, Body):
            target.by_hand = by_hand
        self._growing.drop()
        self.drawn.emit(target)
        self._show(target)

    def _show(self, target: Body | LabelMap) -> None:
        if isinstance(target, Body):
            self._show_body(target)
        else:
            self._masks.redraw(target.name)
        self.changed.emit()


class _Stroke:
    """One drag. Of a mask of several regions the labels are kept as they were, for what is painted over may be any of them."""

    def __init__(self, target: Body | LabelMap, region: int, adding: bool) -> None:
        self.target, self.region, self.adding = target, region, adding
        self.parts: list[Changed] = []
        several = isinstance(target, LabelMap) and len(target.values) > 1
        self._kept = target.labels.copy() if several and adding else None

    def go(self, brush: Brush, start: FloatArray, end: FloatArray) -> bool:
        """Whether it changed anything."""
        value, only = (self.region, None) if self.adding else (0, self.region)
        changed = brush.stroke(self.target.labels, self.target.geometry, start, end, value, only)
        if changed.size:
            self.parts.append(changed)
        return bool(changed.size)

    def before(self, places: Changed) -> Labels:
        """What was there."""
        if self._kept is not None:
            return self._kept.ravel()[places]
        return np.full(places.size, 0 if self.adding else self.region, np.uint8)


def _regrown(target: Body | LabelMap, region: int, by_mm: float, stop: StopSignal) -> Work[Changed | None]:
    """A job on a copy: what is on the screen may be painted on meanwhile, which gives this up."""
    yield Progress(done=0, message="growing the mask" if by_mm > 0 else "shrinking the mask")
    places = regrown(target.labels.copy(), target.geometry, region, by_mm)
    return None if stop() else places
