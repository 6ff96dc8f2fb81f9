"""How a volume's own slices (array axis 0) are turned for people to look at, whatever order they were stored in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import Geometry

# Where right and down of a picture should point in LPS, per dominant axis of the slice normal (x, y, z): sagittal with the nose
# to the left, coronal and axial as seen from the front and from the feet (radiological).
_RIGHT = np.array([[0.0, 1, 0], [1, 0, 0], [1, 0, 0]])
_DOWN = np.array([[0.0, 0, -1], [0, 0, -1], [0, 1, 0]])


@dataclass(frozen=True, slots=True)
class Turn:
    """`transposed`: array columns run down; `flips`: (rows, columns) reversed, named after the transposition. `normal`: 0, 1 or 2
    for sagittal, coronal or axial slices."""

    transposed: bool
    flips: tuple[bool, bool]
    normal: int

    def __bool__(self) -> bool:
        """Whether anything is turned at all."""
        return self.transposed or any(self.flips)

    def arranged(self, plane: NDArray[Any]) -> NDArray[Any]:
        """A view of one slice (j, i), of any sampling density, as (rows down, columns to the right)."""
        picture = plane.T if self.transposed else plane
        return picture[:: -1 if self.flips[0] else 1, :: -1 if self.flips[1] else 1]

    def stored(self, picture: NDArray[Any]) -> NDArray[Any]:
        """The inverse of `arranged`, a view too."""
        plane = picture[:: -1 if self.flips[0] else 1, :: -1 if self.flips[1] else 1]
        return plane.T if self.transposed else plane


AS_STORED = Turn(transposed=False, flips=(False, False), normal=2)


def turn_of(geometry: Geometry, *, mirrored: bool = False) -> Turn:
    """The turn nearest to the radiological display (patient's right on the left, front up), or to its mirror image."""
    axes = geometry.axes
    normal = int(np.argmax(np.abs(axes[0])))
    right, down = -_RIGHT[normal] if mirrored else _RIGHT[normal], _DOWN[normal]
    straight = abs(axes[1] @ down) + abs(axes[2] @ right)
    turned = abs(axes[2] @ down) + abs(axes[1] @ right)
    rows, columns = (1, 2) if straight >= turned else (2, 1)
    return Turn(rows == 2, (bool(axes[rows] @ down < 0), bool(axes[columns] @ right < 0)), normal)
