"""From the picture of a pane to the patient and back, for what is drawn there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.measuring.shapes import Shape
from ctmri_gui.viewer.camera import Projection
from ctmri_gui.viewer.pane_poses import frames_apart
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel

_ON_THE_SLICE = 0.5 + 1e-6


class PanePlaces:
    """Of one pane. Places are LPS mm as the linked panes have them: those of a volume that was linked by hand are moved, on its
    unlinked pane too, so that a shape and the volumes under it always mean the same place."""

    def __init__(self, model: ViewerModel, pane: str) -> None:
        self.model, self.pane = model, pane

    @property
    def role(self) -> Role:
        return self.model.panes[self.pane].role

    @property
    def there(self) -> bool:
        """Whether the pane exists and shows something."""
        panes = self.model.panes
        return self.pane in panes and self.role in self.model.volumes and self.model.displayed(self.pane) is not None

    def mm(self, point: tuple[float, float]) -> FloatArray:
        """Of a point (u, v) of the picture."""
        found = self.model.point_mm(self.pane, point)
        assert found is not None
        return found - self._shift

    def lattice(self) -> Geometry:
        """The slice on the screen, rows down, columns to the right."""
        shown = self.model.displayed(self.pane)
        assert shown is not None
        grid = shown.layout.geometry
        _, rows, columns = grid.shape
        start = grid.index_to_mm((self.model.pose(self.pane).k, 0, 0)) - self._shift
        return Geometry((1, rows, columns), grid.spacing, tuple(start.tolist()), grid.direction)

    def on_picture(self, mm: FloatArray) -> FloatArray:
        """(n, 3): where points (n, 3) are on the picture, (u, v) mm, and how many slices away."""
        shown = self.model.displayed(self.pane)
        assert shown is not None
        grid = shown.layout.geometry
        k, row, column = grid.mm_to_index(mm + self._shift).T
        _, down, right = grid.spacing
        return np.stack(((column + 0.5) * right, (row + 0.5) * down, k - self.model.pose(self.pane).k), -1)

    def pixels(self, mm: FloatArray, projection: Projection) -> NDArray[np.float64]:
        """(n, 2) on the canvas."""
        points = self.on_picture(mm)[:, :2]
        x, y = projection.to_pixel(0.0, 0.0)
        return points / projection.mm_per_pixel + (x, y)

    def shows(self, shape: Shape, drawn_on: str) -> bool:
        """Whether a shape lies in the slice on the screen."""
        if not self.there or not share_space(self.model, Role(drawn_on), self.role):
            return False
        return bool(np.abs(self.on_picture(shape.array)[:, 2]).max() <= _ON_THE_SLICE)

    @property
    def _shift(self) -> FloatArray:
        """The offset of a volume linked by hand, where the pane goes through the volume's own slices, which do not know it."""
        offset = self.model.offset(self.role)
        return np.zeros(3) if offset is None or not self.model.can_link_as_shown(self.pane) else offset


def share_space(model: ViewerModel, one: Role, other: Role) -> bool:
    """Whether a place of one volume means something in the other: they have one frame of reference, as far as is known, or are
    linked all the same."""
    if one is other or frames_apart(model.volumes.get(one), model.volumes.get(other)) is None:
        return True
    return all(model.is_linked(pane) for pane, spec in model.panes.items() if spec.role in (one, other))
