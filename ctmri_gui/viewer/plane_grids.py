"""The slices along which a volume is shown in a plane: its own lattice, turned, or a new one along the patient's axes."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np

from ctmri_core.geometry import Geometry
from ctmri_gui.viewer.panes import Plane

Order = tuple[int, int, int]

_NORMALS = {Plane.SAGITTAL: 0, Plane.CORONAL: 1, Plane.AXIAL: 2}
_STRAIGHT = 1e-3  # what the cosine between an axis of the lattice and one of the patient may lack


def nearest_plane(geometry: Geometry) -> Plane:
    """Whose normal is nearest to that of the slices."""
    return list(_NORMALS)[int(np.argmax(np.abs(geometry.axes[0])))]


def native_plane(geometry: Geometry) -> Plane:
    """What the stored slices are nearest to."""
    nearest = _nearest_axes(geometry)
    return next(plane for plane, normal in _NORMALS.items() if nearest[normal] == 0)


def is_straight(geometry: Geometry) -> bool:
    """Whether the lattice runs along the patient's axes."""
    return bool((np.abs(geometry.axes).max(axis=1) > 1 - _STRAIGHT).all())


def own_order(geometry: Geometry, plane: Plane) -> Order:
    """The array axes in the order in which `voxels.transpose(order)` has the slices of `plane` first."""
    normal = 0 if plane is Plane.ACQUIRED else _nearest_axes(geometry)[_NORMALS[plane]]
    first, second = (axis for axis in range(3) if axis != normal)
    return normal, first, second


def turned(geometry: Geometry, plane: Plane) -> Geometry:
    """The same lattice with the axis nearest to the plane's normal first."""
    order = own_order(geometry, plane)
    return geometry if order == (0, 1, 2) else geometry.permuted(order, (False, False, False))


def straightened(geometry: Geometry, plane: Plane) -> Geometry:
    """A lattice along the patient's axes, as fine as the volume's nearest axis each, around the whole volume."""
    nearest = _nearest_axes(geometry)
    normal = _NORMALS[native_plane(geometry) if plane is Plane.ACQUIRED else plane]
    order = [normal, *(axis for axis in (2, 1, 0) if axis != normal)]  # rows down before columns to the right
    spacing = [geometry.spacing[nearest[axis]] for axis in order]
    ends = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in geometry.shape], indexing="ij"), -1).reshape(8, 3)
    corners = geometry.index_to_mm(ends)
    low, high = corners.min(axis=0), corners.max(axis=0)
    shape = [max(round((high[axis] - low[axis]) / step), 1) for axis, step in zip(order, spacing, strict=True)]
    origin = (low + high) / 2
    for axis, count, step in zip(order, shape, spacing, strict=True):
        origin[axis] -= (count - 1) / 2 * step
    return Geometry(tuple(shape), tuple(spacing), tuple(origin), tuple(map(tuple, np.eye(3)[order])))  # type: ignore[arg-type]  # three each


@lru_cache(maxsize=64)  # asked for every pane at every move
def _nearest_axes(geometry: Geometry) -> Order:
    """Which array axis is nearest to the patient's x, y and z, each taken once."""
    share = np.abs(geometry.axes)
    return max(permutations(range(3)), key=lambda order: sum(share[order[axis], axis] for axis in range(3)))  # type: ignore[return-value]  # three
