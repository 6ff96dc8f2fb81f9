"""Voxels on another grid: one oblique plane, a whole volume, or separable matrices for a network's input.

One convention throughout: a sample less than half a voxel beyond the outermost voxel centres takes the edge's value
(the voxel's own extent, as in ITK), anything further out is background.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import GeometryMismatch
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.volume import Volume

_SNAP_VOXELS = 1e-3
Scalar = TypeVar("Scalar", bound=np.number[Any] | np.bool_)
_Axes = tuple[tuple[int | None, int, int], ...]


def sample_plane(volume: Volume, plane: Geometry, outside: float | None = None) -> NDArray[np.float32]:
    """float32 (rows, cols): `volume` on a plane of any position and tilt.

    `plane.shape` is (1, rows, cols). Trilinear; beyond the volume `outside`, by default its background. Where the plane
    coincides with stored slices (along any axis, mirrored or not) voxels are copied, not interpolated.
    Raises `GeometryMismatch` when `plane` has more than one slice.
    """
    if plane.shape[0] != 1:
        raise GeometryMismatch(f"A plane has one slice; this one has {plane.shape[0]}.")
    result: NDArray[np.float32] = sample_lattice(volume, plane, outside)[0]
    return result


def sample_lattice(volume: Volume, lattice: Geometry, outside: float | None = None) -> NDArray[np.float32]:
    """float32 of the lattice's shape: the same on any number of slices."""
    out = np.full(lattice.shape, volume.background if outside is None else outside, np.float32)
    _fill(out, volume.voxels, volume.geometry, lattice, order=1)
    return out


def resample_to(volume: Volume, geometry: Geometry, order: int = 1) -> Volume:
    """`volume` on `geometry`: same dtype (int16 rounded to nearest), background outside.

    `order`: 1 trilinear, 0 nearest. No antialiasing: shrink with `in_plane_matrix` where that matters.
    A volume that lies on `geometry` already comes back unchanged.
    """
    if volume.geometry.is_close(geometry):
        return volume
    voxels = resample_array(volume.voxels, volume.geometry, geometry, order=order, background=volume.background)
    return volume.with_history(f"resampled, {'trilinear' if order else 'nearest'}", voxels=voxels, geometry=geometry)


def coarsened(volume: Volume, cell_mm: float) -> Volume:
    """float32 means of blocks of whole voxels about `cell_mm` wide: a quick small copy for masks and statistics.

    Axes whose voxels are that large already stay as they are.
    """
    size = [max(1, round(cell_mm / spacing)) for spacing in volume.geometry.spacing]
    shape = [-(-n // step) for n, step in zip(volume.voxels.shape, size, strict=True)]
    size = [-(-n // count) for n, count in zip(volume.voxels.shape, shape, strict=True)]
    from ctmri_core.preprocess import resample_kernels

    means = np.empty(shape, np.float32)
    resample_kernels.block_mean(np.ascontiguousarray(volume.voxels), means)
    spacing = tuple(s * step for s, step in zip(volume.geometry.spacing, size, strict=True))
    origin = volume.geometry.index_to_mm((np.asarray(size) - 1) / 2)
    geometry = Geometry(means.shape, spacing, tuple(origin), volume.geometry.direction)  # type: ignore[arg-type]  # lengths are checked there
    return volume.with_history(f"averaged in blocks of {size}", voxels=means, geometry=geometry)


def resample_array(
    array: NDArray[Scalar], source: Geometry, target: Geometry, *, order: int = 1, background: float = 0.0
) -> NDArray[Scalar]:
    """`array` (int16, float32, uint8 or bool on `source`) on `target`, same dtype. Bool masks take the nearest voxel.

    Raises `ValueError` for another order or dtype and `GeometryMismatch` when the array is not on `source`.
    """
    if order not in (0, 1):
        raise ValueError(f"Interpolation order is 0 or 1, not {order}.")
    if array.shape != source.shape:
        raise GeometryMismatch(f"The array is {array.shape}, its grid {source.shape}.")
    if array.dtype not in (np.int16, np.float32, np.uint8, np.bool_):
        raise ValueError(f"Only int16, float32, uint8 and bool arrays are resampled, not {array.dtype}.")
    out = np.full(target.shape, background, array.dtype)
    _fill(out, array, source, target, order=0 if array.dtype == np.bool_ else order)
    return out


def in_plane_matrix(n_in: int, spacing_in: float, n_out: int, spacing_out: float) -> NDArray[np.float32]:
    """(n_out, n_in): linear resampling of one axis between two grids that share their centre.

    Sample o lies at (o - (n_out - 1) / 2) * spacing_out mm from the middle of the field of view, likewise for the input,
    so that `rows @ slice_ @ columns.T` keeps the centre and the way back is the matrix with the two grids exchanged.
    Weights form a triangle as wide as the larger spacing: plain linear interpolation when growing, an antialiasing
    average when shrinking. Rows sum to 1 inside the input's field of view and are all zero outside it.
    """
    if min(n_in, n_out) < 1 or not min(spacing_in, spacing_out) > 0:
        raise ValueError(f"Sizes and spacings must be positive: {n_in} x {spacing_in} mm to {n_out} x {spacing_out} mm.")
    position = (np.arange(n_out) - (n_out - 1) / 2) * (spacing_out / spacing_in) + (n_in - 1) / 2
    inside = (position >= -0.5 - _SNAP_VOXELS) & (position < n_in - 0.5 + _SNAP_VOXELS)
    width = max(1.0, spacing_out / spacing_in)
    distance = np.abs(np.clip(position, 0, n_in - 1)[:, None] - np.arange(n_in))
    weights = np.maximum(0.0, 1.0 - distance / width)
    weights /= weights.sum(1, keepdims=True)
    result: NDArray[np.float32] = (weights * inside[:, None]).astype(np.float32)
    return result


def lattices_coincide(source: Geometry, target: Geometry) -> bool:
    """Whether `target`'s voxels fall on `source`'s or outside, so that values are copied, not interpolated."""
    return _coinciding_axes(source.inverse_affine @ target.affine, target.shape) is not None


def _fill(out: NDArray[Any], array: NDArray[Any], source: Geometry, target: Geometry, *, order: int) -> None:
    """Writes `array` on `target` into `out`, which holds the background."""
    transform = source.inverse_affine @ target.affine
    axes = _coinciding_axes(transform, target.shape)
    if axes is not None:
        _copy_lattice(out, array, axes)
        return
    from ctmri_core.preprocess import resample_kernels  # numba costs 0.2 s, and the first window rarely needs it

    matrix, offset = np.ascontiguousarray(transform[:3, :3]), np.ascontiguousarray(transform[:3, 3])
    plain = np.ascontiguousarray(array.view(np.uint8) if array.dtype == np.bool_ else array)
    if order == 0:
        resample_kernels.nearest(plain, matrix, offset, out.view(plain.dtype))
    elif out.dtype == np.float32:
        resample_kernels.linear(plain, matrix, offset, out)
    else:
        _fill_rounded(out, plain, matrix, offset)


def _fill_rounded(out: NDArray[Any], array: NDArray[Any], matrix: FloatArray, offset: FloatArray) -> None:
    """Integers slice by slice, so that the float32 copy stays small."""
    from ctmri_core.preprocess import resample_kernels

    for k in range(out.shape[0]):
        plane = out[k : k + 1].astype(np.float32)
        resample_kernels.linear(array, matrix, matrix[:, 0] * k + offset, plane)
        out[k] = np.rint(plane[0])


def _coinciding_axes(transform: FloatArray, shape: tuple[int, int, int]) -> _Axes | None:
    """How target voxels fall on source voxels, or None when they do not within a thousandth of a voxel.

    Per source axis: (target axis or None, +1 or -1, source index at target index 0).
    """
    rounded = np.rint(transform[:3, :3])
    rounded[:, np.asarray(shape) == 1] = 0
    moving = np.asarray(shape) > 1
    if (np.abs(rounded).sum(0)[moving] != 1).any() or (np.abs(rounded).sum(1) > 1).any():
        return None
    offset = np.rint(transform[:3, 3])
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij"), -1).reshape(8, 3)
    error = corners @ (transform[:3, :3] - rounded).T + (transform[:3, 3] - offset)
    if np.abs(error).max() > _SNAP_VOXELS:
        return None
    axes = []
    for row, start in zip(rounded, offset, strict=True):
        target = int(np.abs(row).argmax()) if row.any() else None
        axes.append((target, 1 if target is None else int(row[target]), int(start)))
    return tuple(axes)


def _copy_lattice(out: NDArray[Any], array: NDArray[Any], axes: _Axes) -> None:
    """Copies the common part of two lattices that coincide."""
    source_slices: list[slice] = []
    target_slices = [slice(0, 1)] * 3
    order = [target for target, _, _ in axes if target is not None]
    spare = [axis for axis in range(3) if axis not in order]
    source_of = [0, 0, 0]
    for axis, (target, sign, start) in enumerate(axes):
        size = array.shape[axis]
        count = 1 if target is None else out.shape[target]
        low, high = (-start, size - start) if sign > 0 else (start - size + 1, start + 1)
        low, high = max(low, 0), min(high, count)
        if low >= high:
            return
        first, last = start + sign * low, start + sign * (high - 1)
        stop = last + sign
        source_slices.append(slice(first, stop if stop >= 0 else None, sign))
        destination = spare.pop() if target is None else target
        target_slices[destination] = slice(low, high)
        source_of[destination] = axis
    out[tuple(target_slices)] = array[tuple(source_slices)].transpose(source_of)
