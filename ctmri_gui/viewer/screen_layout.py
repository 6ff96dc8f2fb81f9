"""How a volume's own slices (array axis 0) lie on the screen, whatever orientation they were stored in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry, letters
from ctmri_core.preprocess.shown_slices import Turn, turn_of

_PLANES = ("sagittal", "coronal", "axial")
_FORWARD_SIGN = (1.0, -1.0, 1.0)  # the wheel pushed forward goes to the left, the front, the head


@dataclass(frozen=True)
class ScreenLayout:
    """The transposition and flips that bring slices to the screen.

    `geometry`: the lattice in screen order: axis 0 the slices, axis 1 down the screen, axis 2 to the right. `plane`: `axial`,
    `coronal` or `sagittal`, by the dominant axis. `forward`: +1 or -1, the slice step of a wheel notch away from the user.
    """

    geometry: Geometry
    turn: Turn
    plane: str
    forward: int

    def arrange(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """A view of one slice (j, i), of any sampling density, as (rows down, columns to the right)."""
        return self.turn.arranged(voxels)

    @property
    def size_mm(self) -> tuple[float, float]:
        """(width, height) of a slice, voxel edges included."""
        _, height, width = self.geometry.extent
        return width, height

    @cached_property
    def edge_letters(self) -> tuple[str, str, str, str]:
        """Patient letters at the left, right, top and bottom edge."""
        return (*self.geometry.axis_letters(2), *self.geometry.axis_letters(1))

    def to_mm(self, u: float, v: float, k: float) -> FloatArray:
        """LPS mm of the point `u` mm right of the left edge and `v` mm below the top edge of slice `k`."""
        _, down, right = self.geometry.spacing
        return self.geometry.index_to_mm((k, v / down - 0.5, u / right - 0.5))

    def from_mm(self, mm: FloatArray) -> tuple[float, float, float]:
        """(u, v, k) of a point, the inverse of `to_mm`."""
        k, row, column = self.geometry.mm_to_index(mm)
        _, down, right = self.geometry.spacing
        return float((column + 0.5) * right), float((row + 0.5) * down), float(k)


def screen_layout(geometry: Geometry, *, neurological: bool = False, nose_right: bool = False) -> ScreenLayout:
    """The layout nearest to the radiological display (patient's right on screen left, front up), or its mirror image.
    `nose_right`: of sagittal slices the mirror image, which look to the left else."""
    sagittal = int(np.argmax(np.abs(geometry.axes[0]))) == 0
    turn = turn_of(geometry, mirrored=nose_right if sagittal else neurological)
    order = (0, 2, 1) if turn.transposed else (0, 1, 2)
    forward = 1 if geometry.axes[0][turn.normal] * _FORWARD_SIGN[turn.normal] > 0 else -1
    return ScreenLayout(geometry.permuted(order, (False, *turn.flips)), turn, _PLANES[turn.normal], forward)


def position_text(geometry: Geometry, k: float) -> str:
    """`S 12.1 mm`: the letter says on which side of the origin the centre of slice `k` lies."""
    _, rows, columns = geometry.shape
    normal = int(np.argmax(np.abs(geometry.axes[0])))
    millimetres = float(geometry.index_to_mm((k, (rows - 1) / 2, (columns - 1) / 2))[normal])
    side = np.zeros(3)
    side[normal] = 1.0 if millimetres >= 0 else -1.0
    return f"{letters(side)} {abs(millimetres):.1f} mm"
