"""A voxel grid in the patient, without voxels.

Coordinates are LPS millimetres as in DICOM and ITK (x to the patient's left, y to posterior, z to superior).
Array order is (k, j, i) = (slice, row, column). All arithmetic is float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctmri_core.errors import GeometryMismatch

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]

_ORTHONORMAL_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Geometry:
    """An orthogonal lattice of voxel centres.

    `shape`: voxels along (k, j, i).
    `spacing`: mm along (k, j, i), positive.
    `origin`: LPS mm of the centre of voxel (0, 0, 0).
    `direction`: three unit vectors in LPS, one per array axis: `direction[0]` is where k grows, `direction[2]` where i
    grows (ITK's direction matrix has the same vectors as columns, i first). Left-handed lattices are allowed.

    Raises `GeometryMismatch` when the numbers are not finite, a spacing is not positive, or the axes are not orthonormal.
    """

    shape: tuple[int, int, int]
    spacing: Triple
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[Triple, Triple, Triple] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "spacing", tuple(float(s) for s in self.spacing))
        object.__setattr__(self, "origin", tuple(float(o) for o in self.origin))
        object.__setattr__(self, "direction", tuple(tuple(float(c) for c in axis) for axis in self.direction))
        if len(self.shape) != 3 or any(n < 1 for n in self.shape):
            raise GeometryMismatch(f"A grid needs three sizes of at least one voxel; got {self.shape}.")
        if len(self.spacing) != 3 or not all(np.isfinite(s) and 1e-4 < s < 1e4 for s in self.spacing):
            raise GeometryMismatch(f"Voxel spacing must be positive millimetres; got {self.spacing}.")
        if len(self.origin) != 3 or not np.isfinite(self.origin).all():
            raise GeometryMismatch(f"The position of the first voxel is not finite: {self.origin}.")
        self._check_axes()

    def _check_axes(self) -> None:
        axes = np.asarray(self.direction, float)
        if axes.shape != (3, 3) or not np.isfinite(axes).all():
            raise GeometryMismatch("The direction matrix is not a finite 3 x 3 matrix.")
        if np.abs(axes @ axes.T - np.eye(3)).max() > _ORTHONORMAL_TOLERANCE:
            raise GeometryMismatch("The voxel axes are not at right angles to each other (a sheared or tilted grid).")

    @cached_property
    def axes(self) -> FloatArray:
        """(3, 3): row n is the LPS unit vector of array axis n."""
        return np.asarray(self.direction, np.float64)

    @cached_property
    def affine(self) -> FloatArray:
        """(4, 4): homogeneous (k, j, i) -> LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = (self.axes * np.asarray(self.spacing)[:, None]).T
        matrix[:3, 3] = self.origin
        return matrix

    @cached_property
    def inverse_affine(self) -> FloatArray:
        """(4, 4): homogeneous LPS mm -> (k, j, i)."""
        return np.asarray(np.linalg.inv(self.affine), np.float64)

    @classmethod
    def from_affine(cls, shape: Sequence[int], affine: ArrayLike) -> Self:
        """From a (4, 4) matrix (k, j, i) -> LPS mm. Raises `GeometryMismatch` on shear."""
        matrix = np.asarray(affine, np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise GeometryMismatch("The affine is not a finite 4 x 4 matrix.")
        columns = matrix[:3, :3]
        spacing = np.linalg.norm(columns, axis=0)
        if (spacing <= 0).any():
            raise GeometryMismatch("The affine maps an axis to nothing (zero spacing).")
        axes = (columns / spacing).T
        return cls(tuple(shape), tuple(spacing), tuple(matrix[:3, 3]), tuple(map(tuple, axes)))  # type: ignore[arg-type]  # lengths are checked in __post_init__

    @classmethod
    def from_itk(cls, size: Sequence[int], spacing: Sequence[float], origin: Sequence[float], direction: Sequence[float]) -> Self:
        """From SimpleITK's `GetSize`, `GetSpacing`, `GetOrigin`, `GetDirection` (i, j, k order, row-major matrix)."""
        columns = np.asarray(direction, np.float64).reshape(3, 3)
        axes = tuple(map(tuple, columns.T[::-1]))
        return cls(tuple(size[::-1]), tuple(spacing[::-1]), tuple(origin), axes)  # type: ignore[arg-type]  # as above

    def to_itk(self) -> tuple[Triple, Triple, tuple[float, ...]]:
        """(spacing, origin, direction) as SimpleITK's setters take them."""
        spacing = self.spacing[::-1]
        return spacing, self.origin, tuple(self.axes[::-1].T.ravel().tolist())

    def index_to_mm(self, index: ArrayLike) -> FloatArray:
        """(..., 3) fractional (k, j, i) -> (..., 3) LPS mm."""
        result: FloatArray = np.asarray(index, np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return result

    def mm_to_index(self, mm: ArrayLike) -> FloatArray:
        """(..., 3) LPS mm -> (..., 3) fractional (k, j, i)."""
        result: FloatArray = np.asarray(mm, np.float64) @ self.inverse_affine[:3, :3].T + self.inverse_affine[:3, 3]
        return result

    @property
    def centre(self) -> FloatArray:
        """LPS mm of the middle of the grid."""
        return self.index_to_mm((np.asarray(self.shape) - 1) / 2)

    @property
    def corners(self) -> FloatArray:
        """(8, 3): LPS mm of the eight corner voxels' centres."""
        index = np.stack(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij"), -1).reshape(8, 3)
        return self.index_to_mm(index)

    @property
    def extent(self) -> Triple:
        """mm covered along (k, j, i), voxel edges included."""
        k, j, i = (n * s for n, s in zip(self.shape, self.spacing, strict=True))
        return k, j, i

    def is_close(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same shape and their corners agree within `tolerance_mm`."""
        return self.shape == other.shape and bool(np.abs(self.corners - other.corners).max() <= tolerance_mm)

    def axis_letters(self, axis: int) -> tuple[str, str]:
        """Where an array axis comes from and goes to, e.g. `("R", "L")`; obliques list further letters by dominance (`"LA"`)."""
        return letters(-self.axes[axis]), letters(self.axes[axis])

    @property
    def orientation(self) -> str:
        """Three letters, where k, j and i grow: axial slices from feet to head, rows to the back, columns to the left = `SPL`."""
        return "".join(letters(axis)[0] for axis in self.axes)

    @property
    def plane(self) -> str:
        """Of the slices (j, i): `axial`, `coronal` or `sagittal`, `oblique axial` and so on from 10 degrees off."""
        normal = np.abs(self.axes[0])
        name = ("sagittal", "coronal", "axial")[int(np.argmax(normal))]
        return name if normal.max() > np.cos(np.deg2rad(10.0)) else f"oblique {name}"

    def permuted(self, order: Sequence[int], flips: Sequence[bool]) -> Geometry:
        """The geometry of `voxels.transpose(order)` with the axes in `flips` (named after the transposition) reversed."""
        start = np.zeros(3)
        for new_axis, old_axis in enumerate(order):
            if flips[new_axis]:
                start[old_axis] = self.shape[old_axis] - 1
        axes = [self.axes[old] * (-1 if flip else 1) for old, flip in zip(order, flips, strict=True)]
        shape = tuple(self.shape[old] for old in order)
        spacing = tuple(self.spacing[old] for old in order)
        return Geometry(shape, spacing, tuple(self.index_to_mm(start)), tuple(map(tuple, axes)))  # type: ignore[arg-type]  # as above

    def cropped(self, start: Sequence[int], shape: Sequence[int]) -> Geometry:
        """The sub-grid (or, with negative starts or larger shapes, the padded grid) beginning at voxel `start`."""
        return Geometry(tuple(shape), self.spacing, tuple(self.index_to_mm(start)), self.direction)  # type: ignore[arg-type]  # as above


def letters(vector: ArrayLike, tolerance: float = 0.2) -> str:
    """Patient letters of an LPS direction, dominant first, components below `tolerance` left out: `"L"`, `"LA"`."""
    components = np.asarray(vector, np.float64)
    names = [("R", "L"), ("A", "P"), ("I", "S")]
    order = [axis for axis in np.argsort(-np.abs(components), kind="stable") if abs(components[axis]) > tolerance]
    return "".join(names[axis][int(components[axis] > 0)] for axis in order)


def rigid_transform(rotation_degrees: Triple, translation_mm: Triple, centre_mm: Triple = (0.0, 0.0, 0.0)) -> FloatArray:
    """(4, 4) LPS -> LPS: rotates about x, then y, then z through `centre_mm`, then translates."""
    x, y, z = np.deg2rad(rotation_degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y @ about_x
    matrix[:3, 3] = np.asarray(centre_mm) - matrix[:3, :3] @ np.asarray(centre_mm) + np.asarray(translation_mm)
    return matrix
