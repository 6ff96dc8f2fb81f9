"""Which map lies over the synthetic pictures, and how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume
from ctmri_gui.viewer.readout import number_text, value_at
from ctmri_gui.viewer.slice_stack import plane_through

_OPACITY_STEP = 0.1
LEAST_OPACITY = 0.1
_HALF = 128
_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)


@dataclass(frozen=True, eq=False)
class MapLayer:
    """`title`: `Uncertainty`; `what`: how it was found; `volume`: float32, not negative, in `unit`; `limit`: the value that has
    the end colour; `sentence`: its figures; `worst`: LPS mm of the place to look at first, None where there is no body."""

    title: str
    what: str
    volume: Volume
    unit: str
    limit: float
    sentence: str
    worst: FloatArray | None

    def words_at(self, mm: FloatArray, offset: FloatArray | None) -> str:
        """`Uncertainty 23 HU`; empty outside. `offset`: how far the volume was moved on the screen."""
        value = value_at(self.volume, mm if offset is None else mm - offset)
        return "" if value is None else f"{self.title} {number_text(value)} {self.unit}"


@dataclass(frozen=True, eq=False)
class Inside:
    """Where the body is, 255 there and 0 elsewhere, (k, j, i) on a `grid` of coarse cells: colours of what is around it would
    hide what they are for."""

    cells: NDArray[np.uint8]
    grid: Geometry

    def on(self, shown: Geometry, k: int, offset: FloatArray | None) -> NDArray[np.bool_]:
        """(rows, columns) of slice `k` of a displayed grid; `offset`: how far the volume was moved on the screen."""
        plane = plane_through(shown, k, np.inf)
        if offset is not None:
            x, y, z = (np.asarray(plane.origin) - offset).tolist()
            plane = replace(plane, origin=(x, y, z))
        found: NDArray[np.bool_] = resample_array(self.cells, self.grid, plane, order=1)[0] >= _HALF
        return found


class MapModel(QObject):
    """Maps belong to the synthetic volume that is shown; whether one is seen, and how strongly, stays when they change."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layers: tuple[MapLayer, ...] = ()
        self.inside: Inside | None = None
        self.visible = True
        self.opacity = 0.7
        self._chosen = ""
        self._placed: tuple[MapLayer, Geometry, Volume] | None = None

    @property
    def chosen(self) -> MapLayer | None:
        """The one that is seen while any is."""
        return next((layer for layer in self.layers if layer.title == self._chosen), next(iter(self.layers), None))

    @property
    def shown(self) -> MapLayer | None:
        return self.chosen if self.visible else None

    def placed(self, geometry: Geometry) -> Volume | None:
        """The map that is seen, as it lies on the screen: where its synthetic volume lies."""
        layer = self.shown
        if layer is None or layer.volume.geometry is geometry:
            return None if layer is None else layer.volume
        if self._placed is None or self._placed[0] is not layer or self._placed[1] is not geometry:
            self._placed = layer, geometry, replace(layer.volume, geometry=geometry)
        return self._placed[2]

    def set_layers(self, layers: Sequence[MapLayer], inside: Inside | None = None) -> None:
        """`inside`: where they are coloured; None for everywhere."""
        if tuple(layers) != self.layers:
            self.layers, self.inside, self._placed = tuple(layers), inside, None
            self.changed.emit()

    def choose(self, title: str) -> None:
        """Shows that map."""
        self._chosen, self.visible = title, True
        self.changed.emit()

    def choose_next(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.choose(self.layers[(self.layers.index(chosen) + 1) % len(self.layers)].title)

    def set_visible(self, visible: bool) -> None:
        self.visible = visible
        self.changed.emit()

    def set_opacity(self, opacity: float) -> None:
        opacity = min(max(opacity, LEAST_OPACITY), 1.0)
        if opacity != self.opacity:
            self.opacity = opacity
            self.changed.emit()

    def step(self, more: int) -> None:
        """Stronger (+1) or weaker (-1) colours."""
        self.set_opacity(round(self.opacity + more * _OPACITY_STEP, 2))

    def set_limit(self, limit: float) -> None:
        """The value with the end colour, of the map that is chosen."""
        chosen = self.chosen
        if chosen is not None and limit != chosen.limit and limit > 0:
            self.layers = tuple(replace(layer, limit=limit) if layer is chosen else layer for layer in self.layers)
            self._placed = None
            self.changed.emit()


def round_limit(value: float) -> float:
    """The next round number (1, 1.5, 2, 3, 5, 7, 10, 15 ...) that is not below `value`; 1 for 0."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _STEPS if step * power >= value * (1 - 1e-9)), 10 * power)
