"""Changes of a mask that are no strokes: areas of alike grey values are filled, a region grows or shrinks by millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.preprocess.mask_brush import Changed, Labels
from ctmri_core.preprocess.resample import sample_plane
from ctmri_core.volume import Volume

_ROUNDING = 1e-6


def flooded(
    labels: Labels, geometry: Geometry, volume: Volume, mm: FloatArray, normal: FloatArray, tolerance: float, value: int
) -> Changed:
    """The places that a fill from the point `mm` (LPS) would change to `value`: in the slice of the mask that lies most across
    `normal`, whatever hangs together there (pixels that share an edge) and differs in `volume` from the point by no more than
    `tolerance`. None where the point lies outside of the mask's grid or has no grey value.

    `labels`: (k, j, i) on `geometry`, C-contiguous; left as they are.
    """
    from scipy.ndimage import label

    at = np.rint(geometry.mm_to_index(mm)).astype(int)
    if (at < 0).any() or (at >= geometry.shape).any():
        return np.zeros(0, np.int64)
    axis = int(np.abs(geometry.axes @ normal).argmax())
    grey = _slice_of(volume, geometry, axis, int(at[axis]))
    seed = tuple(np.delete(at, axis).tolist())
    alike = np.abs(grey - grey[seed]) <= tolerance
    pieces, _ = label(alike)
    if not pieces[seed]:  # NaN
        return np.zeros(0, np.int64)
    wanted = (pieces == pieces[seed]) & (np.take(labels, at[axis], axis) != value)
    rows, columns = np.nonzero(wanted)
    index = np.insert(np.stack([rows, columns]), axis, at[axis], 0)
    places: Changed = np.ravel_multi_index(tuple(index), labels.shape)
    return places


def regrown(labels: Labels, geometry: Geometry, value: int, by_mm: float) -> Changed:
    """The places that change when the region `value` grows by `by_mm`, or shrinks where that is negative: those become `value`
    or 0. Other regions are not grown over; at the edge of the grid nothing is taken away. Measured between centres of voxels.
    """
    from scipy.ndimage import distance_transform_edt

    box = _box_of(labels == value, geometry, max(by_mm, 0.0) + max(geometry.spacing))
    if box is None or not by_mm:
        return np.zeros(0, np.int64)
    part = labels[box]
    inside = part == value
    if by_mm < 0 and inside.all():
        return np.zeros(0, np.int64)
    away = distance_transform_edt(inside if by_mm < 0 else ~inside, sampling=geometry.spacing)
    reached = (away > 0) & (away <= abs(by_mm) * (1 + _ROUNDING)) & (inside if by_mm < 0 else part == 0)
    index = [found + side.start for found, side in zip(np.nonzero(reached), box, strict=True)]
    places: Changed = np.ravel_multi_index(tuple(index), labels.shape)
    return places


def _slice_of(volume: Volume, geometry: Geometry, axis: int, place: int) -> NDArray[np.float32]:
    """(rows, columns) of the other two axes: grey values where the slice `place` along `axis` has its voxels, NaN beyond."""
    start, shape = [0, 0, 0], list(geometry.shape)
    start[axis], shape[axis] = place, 1
    x, y, z = geometry.index_to_mm(start).tolist()
    plane = Geometry((shape[0], shape[1], shape[2]), geometry.spacing, (x, y, z), geometry.direction)
    others = [other for other in range(3) if other != axis]
    return sample_plane(volume, plane.permuted((axis, *others), (False, False, False)), outside=np.nan)


def _box_of(mask: NDArray[np.bool_], geometry: Geometry, margin_mm: float) -> tuple[slice, slice, slice] | None:
    """What encloses a mask, with a margin as far as there is grid."""
    sides = []
    for axis in range(3):
        found = np.flatnonzero(mask.any(tuple(other for other in range(3) if other != axis)))
        if not found.size:
            return None
        steps = int(np.ceil(margin_mm / geometry.spacing[axis]))
        sides.append(slice(max(int(found[0]) - steps, 0), min(int(found[-1]) + steps + 1, geometry.shape[axis])))
    return sides[0], sides[1], sides[2]
