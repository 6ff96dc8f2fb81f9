"""From the picture of a pane to the patient and back, for what is drawn there."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.measuring.shapes import Shape
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.screen_layout import ScreenLayout
from ctmri_gui.viewer.viewer_model import ViewerModel

_ON_THE_SLICE = 0.5 + 1e-6


@dataclass(frozen=True)
class _OnGrid:
    """A shape on the slices laid out by `layout`: its outline (n, 2) in (u, v) mm, and the slices it reaches from and to."""

    layout: ScreenLayout
    outline: FloatArray
    first: float
    last: float


class PanePlaces:
    """Of one pane, whatever it shows. Where shapes lie on its slices is worked out once: slices change more often."""

    def __init__(self, model: ViewerModel, pane: str) -> None:
        self.model, self.pane = model, pane
        self._known: WeakKeyDictionary[Shape, _OnGrid] = WeakKeyDictionary()

    def now(self) -> SlicePlaces | None:
        """For what the pane shows at this moment; None without a volume."""
        spec = self.model.panes.get(self.pane)
        shown = None if spec is None else self.model.displayed(self.pane)
        if spec is None or shown is None or spec.role not in self.model.volumes:
            return None
        return SlicePlaces(self.model, spec.role, shown.layout, self.model.pose(self.pane).k, self._known)


@dataclass(frozen=True)
class SlicePlaces:
    """Of the slice on a pane. Places are LPS mm as the linked panes have them, so that a shape and the volumes under it always
    mean the same place."""

    model: ViewerModel
    role: Role
    layout: ScreenLayout
    k: int
    known: WeakKeyDictionary[Shape, _OnGrid]

    def mm(self, point: tuple[float, float]) -> FloatArray:
        """Of a point (u, v) of the picture."""
        return self.layout.to_mm(*point, self.k)

    def lattice(self) -> Geometry:
        """The slice itself, rows down, columns to the right."""
        grid = self.layout.geometry
        _, rows, columns = grid.shape
        start = grid.index_to_mm((self.k, 0, 0))
        return Geometry((1, rows, columns), grid.spacing, tuple(start.tolist()), grid.direction)

    def on_picture(self, mm: FloatArray) -> FloatArray:
        """(n, 3): where points (n, 3) are on the picture, (u, v) mm, and how many slices away."""
        points = self._on_grid(mm)
        points[:, 2] -= self.k
        return points

    def pixels(self, mm: FloatArray, projection: Projection) -> NDArray[np.float64]:
        """(n, 2) on the canvas."""
        return _to_pixels(self._on_grid(mm)[:, :2], projection)

    def line(self, shape: Shape, projection: Projection) -> NDArray[np.float64]:
        """(n, 2) on the canvas: the outline of a shape."""
        return _to_pixels(self._of(shape).outline, projection)

    def shows(self, shape: Shape, drawn_on: str) -> bool:
        """Whether a shape lies in the slice."""
        lies = self._of(shape)
        inside = max(self.k - lies.first, lies.last - self.k) <= _ON_THE_SLICE
        return inside and self.model.share_space(Role(drawn_on), self.role)

    def _of(self, shape: Shape) -> _OnGrid:
        known = self.known.get(shape)
        if known is None or known.layout is not self.layout:
            points = self._on_grid(shape.outline)
            k = points[:, 2]
            known = _OnGrid(self.layout, points[:, :2], float(k.min()), float(k.max()))
            self.known[shape] = known
        return known

    def _on_grid(self, mm: FloatArray) -> FloatArray:
        """(n, 3): (u, v) mm and the slice of points (n, 3)."""
        grid = self.layout.geometry
        k, row, column = grid.mm_to_index(mm).T
        _, down, right = grid.spacing
        return np.stack(((column + 0.5) * right, (row + 0.5) * down, k), -1)


def _to_pixels(points: FloatArray, projection: Projection) -> NDArray[np.float64]:
    x, y = projection.to_pixel(0.0, 0.0)
    return points / projection.mm_per_pixel + (x, y)
