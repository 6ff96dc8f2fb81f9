"""Where the body is in each volume, as it was found or changed by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.body_mask import body_mask, own_threshold
from ctmri_core.volume import Volume
from ctmri_gui.jobs import translate_work
from ctmri_gui.viewer.compare.label_map import BODY, LabelMap

Labels = NDArray[np.uint8]


@dataclass(eq=False)
class Body:
    """`labels`: (k, j, i) on `geometry`, C-contiguous, 1 in the body, changed in place; `threshold`: where it was outlined, in HU
    or as a share of the range; `own`: where the program would have; `by_hand`: whether somebody painted since; `only`: whether
    translations leave everything else out; `by`: the name of the model that outlined it, "" where none did."""

    labels: Labels = field(repr=False)
    geometry: Geometry
    threshold: float
    own: float
    by_hand: bool = False
    only: bool = False
    by: str = ""

    @property
    def map(self) -> LabelMap:
        """To be shown; it follows what is painted."""
        return LabelMap(self.labels, self.geometry, (1,), BODY)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """A copy of now."""
        return np.not_equal(self.labels, 0)


class Bodies(QObject):
    """Each belongs to its volume and goes with it."""

    changed = Signal(object)  # Volume

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._of: WeakKeyDictionary[Volume, Body] = WeakKeyDictionary()

    def of(self, volume: Volume | None) -> Body | None:
        return None if volume is None else self._of.get(volume)

    def put(self, volume: Volume, body: Body) -> None:
        self._of[volume] = body
        self.changed.emit(volume)

    def wanted(self, volume: Volume) -> NDArray[np.bool_] | None:
        """What a translation of `volume` is to use; None where it is to find the body itself. Later strokes do not change it."""
        body = self._of.get(volume)
        return body.mask if body is not None and body.only else None


def find_body(volume: Volume, threshold: float | None, stop: StopSignal) -> Work[Body | None]:
    """A job. With a `threshold` of a person's it may be empty. Raises `CtmriError` where nothing but air or noise is seen."""
    yield Progress(done=0, message="looking for the body")
    own = own_threshold(volume)
    found = np.array(body_mask(volume, threshold), order="C")  # a copy: what is found is shared, and this will be painted on
    if stop():
        return None
    if threshold is None and not found.any():
        raise CtmriError("No body is seen in the source.")
    return Body(found.view(np.uint8), volume.geometry, own if threshold is None else threshold, own)


def outlined_body(volume: Volume, model: Path, name: str, stop: StopSignal) -> Work[Body | None]:
    """A job: as the model in the file `model`, called `name`, outlines it. Raises `CtmriError` where it sees nothing."""
    mask = yield from translate_work.outline(volume, model, stop)
    if mask is None or stop():
        return None
    own = own_threshold(volume)
    return Body(np.array(mask, order="C").view(np.uint8), volume.geometry, own, own, by=name)
