"""Slices of a volume on the grid of a network, and the way back to the volume's own grid.

Nothing is interpolated between slices: axes are permuted and flipped to (superior, posterior, left), for axial slices, then every
slice is resampled in plane by two matrices. Both ways are linear maps with a known field, so what lies outside is background.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import WrongInput
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.resample import in_plane_matrix

Slices = NDArray[np.float32]
Plane = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
Scalar = TypeVar("Scalar", bound=np.generic)

LARGEST_SLICE = 2048
_SMALLEST_SLICE = 8
"""Pixels. Networks halve twice and more, and norm or mirror what is left; one pixel has no variance and no neighbour."""
_NARROWEST_MM = 32.0
"""Nothing that a model was made for is narrower; a stack of a few sagittal or coronal slices is."""


# Unit vectors (LPS) along which slices, rows and columns are counted. Heads are upright in pictures that are not axial.
_AXES: dict[Plane, tuple[tuple[float, float, float], ...]] = {
    "axial": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    "coronal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    "sagittal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
}


class Window(NamedTuple):
    """Pixels from the first to before the second of rows (to posterior) and columns (to the patient's left)."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Axis:
    """One in-plane axis: `source_size` pixels of `source_spacing` mm <-> `size` pixels of `spacing` mm.

    `first`: where these pixels begin in the volume's axis, which is longer where the network sees a window of it. The two grids
    share their centre. The network's pixels `start` to `stop` hold data, the others are padding; `offset` is
    where the resampled axis begins in the network's (negative when it is cropped).
    """

    source_size: int
    source_spacing: float
    size: int
    spacing: float
    resampled_size: int
    offset: int
    first: int = 0

    @classmethod
    def plan(
        cls, source_size: int, source_spacing: float, spacing: float | None, size: int | None, multiple: int, first: int = 0
    ) -> Axis:  # fmt: skip
        """The network's axis: resampled to `spacing`, then padded or cropped to `size`, or else padded to a `multiple`."""
        spacing = source_spacing if spacing is None else spacing
        # Rounded up, so that every pixel centre of either grid lies in the other's field of view.
        resampled = max(1, int(np.ceil(source_size * source_spacing / spacing - 1e-6)))
        if resampled > LARGEST_SLICE:
            raise WrongInput(
                f"A slice is {source_size * source_spacing:.0f} mm wide, {resampled} pixels of {spacing:g} mm: too large to "
                f"translate. Check the pixel spacing of the file."
            )
        least = _SMALLEST_SLICE if multiple > 1 else 1
        padded = size if size is not None else -(-max(resampled, least) // multiple) * multiple
        return cls(source_size, source_spacing, padded, spacing, resampled, (padded - resampled) // 2, first)

    @property
    def seen(self) -> slice:
        """The network's part of the volume's axis."""
        return slice(self.first, self.first + self.source_size)

    @property
    def start(self) -> int:
        return max(self.offset, 0)

    @property
    def stop(self) -> int:
        return min(self.offset + self.resampled_size, self.size)

    @property
    def is_identity(self) -> bool:
        return self.size == self.source_size and self.spacing == self.source_spacing and self.offset == 0

    @cached_property
    def forward_matrix(self) -> Slices:
        """(size, source_size): rows sum to 1 where there is data and to 0 in the padding."""
        matrix = np.zeros((self.size, self.source_size), np.float32)
        resample = in_plane_matrix(self.source_size, self.source_spacing, self.resampled_size, self.spacing)
        matrix[self.start : self.stop] = resample[self.start - self.offset : self.stop - self.offset]
        return matrix

    @cached_property
    def undo_matrix(self) -> Slices:
        """(source_size, size): rows sum to 1 for source pixels in the network's field and to 0 for cropped ones."""
        matrix = np.zeros((self.source_size, self.size), np.float32)
        resample = in_plane_matrix(self.resampled_size, self.spacing, self.source_size, self.source_spacing)
        matrix[:, self.start : self.stop] = resample[:, self.start - self.offset : self.stop - self.offset]
        return matrix


@dataclass(frozen=True)
class SliceGrid:
    """How a volume's voxels became slices: `voxels.transpose(order)`, axes in `flips` reversed, cropped to a window where there
    is one, rows and columns resampled."""

    source: Geometry
    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    rows: Axis
    columns: Axis

    @classmethod
    def plan(
        cls, source: Geometry, spacing: float | None, size: tuple[int, int] | None, multiple: int,
        window: Window | None = None, plane: Plane = "axial",
    ) -> SliceGrid:  # fmt: skip
        """`window`: what is used of the slices, None for all.

        Raises `WrongInput` when the volume's slices along `plane` would be no pictures, or absurdly large ones.
        """
        order, flips = plane_order(source, plane)
        oriented = source.permuted(order, flips)
        _check_width(oriented, plane)
        rows, columns = size if size is not None else (None, None)
        top, bottom = window.rows if window else (0, oriented.shape[1])
        left, right = window.columns if window else (0, oriented.shape[2])
        return cls(
            source, order, flips,
            Axis.plan(bottom - top, oriented.spacing[1], spacing, rows, multiple, top),
            Axis.plan(right - left, oriented.spacing[2], spacing, columns, multiple, left),
        )  # fmt: skip

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.source.shape[self.order[0]]

    @property
    def slice_mm(self) -> float:
        """How far apart the slices are."""
        return self.source.spacing[self.order[0]]

    @property
    def source_shape(self) -> tuple[int, int]:
        """(rows, columns) of the volume's own slices."""
        return self.source.shape[self.order[1]], self.source.shape[self.order[2]]

    @property
    def is_window(self) -> bool:
        """Whether the network is shown a part of the slices."""
        return (self.rows.source_size, self.columns.source_size) != self.source_shape

    @property
    def slice_shape(self) -> tuple[int, int]:
        return self.rows.size, self.columns.size

    def oriented(self, voxels: NDArray[Scalar]) -> NDArray[Scalar]:
        """A view of an array on the source's grid with axes (superior, posterior, left); writing to it writes to the array."""
        steps = tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flips)
        return voxels.transpose(self.order)[steps]

    def forward(self, oriented: NDArray[Any], background: float) -> Slices:
        """(n, source rows, source columns) -> (n, rows, columns) on the network's grid, `background` outside the field."""
        oriented = oriented[:, self.rows.seen, self.columns.seen]
        if self.rows.is_identity and self.columns.is_identity:
            return np.ascontiguousarray(oriented, np.float32)
        return _apply(oriented, self.rows.forward_matrix, self.columns.forward_matrix, background)

    def undo(self, slices: NDArray[Any], background: float) -> Slices:
        """(n, rows, columns) on the network's grid -> (n, source rows, source columns), `background` where it saw nothing."""
        if self.rows.is_identity and self.columns.is_identity:
            seen = np.ascontiguousarray(slices, np.float32)
        else:
            seen = _apply(slices, self.rows.undo_matrix, self.columns.undo_matrix, background)
        if not self.is_window:
            return seen
        whole = np.full((len(slices), *self.source_shape), background, np.float32)
        whole[:, self.rows.seen, self.columns.seen] = seen
        return whole


def own_plane(geometry: Geometry) -> Plane:
    """That of a single slice; of whatever else axial, along which most is known."""
    for plane in PLANES:
        across, *within = plane_order(geometry, plane)[0]
        if geometry.shape[across] == 1 and all(geometry.shape[axis] > 1 for axis in within):
            return plane
    return "axial"


def slice_order(geometry: Geometry) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """(order, flips) that turn the array's axes to (superior, posterior, left), the nearest ones when oblique; those of a single
    coronal or sagittal slice as `plane_order` of that."""
    return plane_order(geometry, own_plane(geometry))


def plane_order(geometry: Geometry, plane: Plane) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """(order, flips) that turn the array's axes to those of slices along `plane`, the nearest ones when oblique.

    Coronal: (posterior, inferior, left); sagittal: (left, inferior, posterior).
    """
    along = np.array(_AXES[plane]) @ geometry.axes.T
    best = max(permutations(range(3)), key=lambda order: sum(abs(along[new, old]) for new, old in enumerate(order)))
    k, j, i = best
    return (k, j, i), (bool(along[0, k] < 0), bool(along[1, j] < 0), bool(along[2, i] < 0))


def _check_width(oriented: Geometry, plane: Plane) -> None:
    """Raises `WrongInput` for one slice across `plane`, or a stack of them too thin to be cut along it."""
    names = [next(other for other in PLANES if _AXES[other][0] == tuple(np.abs(axis).tolist())) for axis in _AXES[plane]]
    ways = {"axial": "top to bottom", "coronal": "front to back", "sagittal": "left to right"}
    for axis in (1, 2):
        across, count, width = names[axis], oriented.shape[axis], oriented.extent[axis]
        wanted = f"{plane.capitalize()} slices are wanted; this scan is"
        if count == 1:
            raise WrongInput(f"{wanted} a single {across} slice.")
        if width < _NARROWEST_MM:
            raise WrongInput(f"{wanted} only {width:.0f} mm wide from {ways[across]}.")


def _apply(slices: NDArray[Any], rows: Slices, columns: Slices, background: float) -> Slices:
    """rows @ slice @ columns.T around `background`, so that weight missing from a row or column is made up with that."""
    shifted = slices.astype(np.float32)
    shifted -= np.float32(background)
    result: Slices = np.matmul(np.matmul(rows, shifted), columns.T)
    result += np.float32(background)
    return result
