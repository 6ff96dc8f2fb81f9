"""A change of place between two volumes: a matrix and, after an elastic registration, a field of cubic B-splines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.volume import Volume, Voxels

_RIGID_ERROR = 1e-4
_FIELD_CELLS = 24  # along each axis, where the field is looked at


@dataclass(frozen=True, eq=False)
class Spline:
    """Displacements in mm at the control points of a cubic B-spline: `coefficients` is (3, k, j, i), x, y and z, on `grid`."""

    grid: Geometry
    coefficients: FloatArray


@dataclass(frozen=True, eq=False)
class SpatialTransform:
    """Carries a point of the fixed volume's space to the same place in the moving one's, as ITK's transforms for resampling do:
    first along the `spline`, where there is one, then by `matrix`, (4, 4) LPS -> LPS."""

    matrix: FloatArray
    spline: Spline | None = None

    @property
    def rigid(self) -> bool:
        """Whether nothing changes its size or shape, and left stays left."""
        turn = self.matrix[:3, :3]
        straight = np.abs(turn @ turn.T - np.eye(3)).max() < _RIGID_ERROR
        return self.spline is None and bool(straight) and bool(np.linalg.det(turn) > 0)

    @cached_property
    def backward(self) -> FloatArray:
        """(4, 4): the inverse of `matrix`, from the moving space to the fixed one."""
        return np.asarray(np.linalg.inv(self.matrix), np.float64)

    @property
    def turned_degrees(self) -> float:
        """The angle of the rotation in the matrix."""
        left, _, right = np.linalg.svd(self.matrix[:3, :3])
        cosine = (np.trace(left @ right) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

    @property
    def stretches(self) -> tuple[float, float]:
        """The least and the largest factor by which the matrix changes lengths."""
        factors = np.linalg.svd(self.matrix[:3, :3], compute_uv=False)
        return float(factors.min()), float(factors.max())

    def moved_mm(self, grid: Geometry) -> float:
        """How far the middle of `grid`, the moving volume's, goes."""
        middle = grid.centre
        return float(np.linalg.norm(self.backward[:3, :3] @ middle + self.backward[:3, 3] - middle))

    def field(self, grid: Geometry) -> tuple[FloatArray, FloatArray]:
        """(displacements (3, n, n, n) in mm, determinants of Jacobians (n, n, n)) of the spline at places spread over `grid`."""
        import SimpleITK as sitk

        shape = [min(_FIELD_CELLS, n) for n in grid.shape]
        steps = [(n - 1) / max(count - 1, 1) for n, count in zip(grid.shape, shape, strict=True)]
        places = [np.arange(count) * step for count, step in zip(shape, steps, strict=True)]
        index = np.stack(np.meshgrid(*places, indexing="ij"), -1)
        points = grid.index_to_mm(index.reshape(-1, 3))
        transform = itk_spline(self.spline) if self.spline is not None else sitk.Transform(3, sitk.sitkIdentity)
        moved = np.asarray([transform.TransformPoint(point) for point in points.tolist()])
        field = (moved - points).T.reshape(3, *shape)
        apart = [max(step * spacing, 1e-6) for step, spacing in zip(steps, grid.spacing, strict=True)]
        if min(shape) < 2:
            return field, np.ones(shape)
        gradient = np.asarray([np.gradient(part, *apart) for part in field])  # (component, array axis, n, n, n)
        jacobian = np.einsum("ca...,ax->cx...", gradient, grid.axes) + np.eye(3)[..., None, None, None]
        return field, np.asarray(np.linalg.det(np.moveaxis(jacobian, (0, 1), (-2, -1))))

    def resampled(self, moving: Volume, grid: Geometry) -> Voxels:
        """The moving volume's voxels on `grid`, which lies in the fixed space: trilinear, int16 rounded, background outside."""
        import SimpleITK as sitk

        spacing, origin, direction = grid.to_itk()
        result = sitk.Resample(
            _image(moving), grid.shape[::-1], itk_transform(self), sitk.sitkLinear, origin, spacing, direction,
            moving.background, sitk.sitkFloat32,
        )  # fmt: skip
        values: NDArray[np.float32] = sitk.GetArrayFromImage(result)
        if moving.voxels.dtype == np.int16:
            return np.rint(values).astype(np.int16)
        return values


def itk_transform(transform: SpatialTransform) -> Any:
    """The same for SimpleITK."""
    import SimpleITK as sitk

    affine = sitk.AffineTransform(3)
    affine.SetMatrix(transform.matrix[:3, :3].ravel().tolist())
    affine.SetTranslation(transform.matrix[:3, 3].tolist())
    if transform.spline is None:
        return affine
    both = sitk.CompositeTransform(3)
    both.AddTransform(affine)
    both.AddTransform(itk_spline(transform.spline))  # what is added last comes first
    return both


def itk_spline(spline: Spline) -> Any:
    """A `BSplineTransform` of order 3."""
    import SimpleITK as sitk

    spacing, origin, direction = spline.grid.to_itk()
    result = sitk.BSplineTransform(3, 3)
    result.SetFixedParameters([*map(float, spline.grid.shape[::-1]), *origin, *spacing, *direction])
    result.SetParameters(spline.coefficients.ravel().tolist())
    return result


def spline_of(transform: Any) -> Spline:
    """What a `BSplineTransform` of SimpleITK holds."""
    return spline_from(transform.GetFixedParameters(), transform.GetParameters())


def spline_from(fixed: tuple[float, ...], parameters: tuple[float, ...]) -> Spline:
    """From ITK's numbers: size, origin, spacing, direction of the control points; all x, all y, all z. Raises `ValueError` where
    they do not go together, `GeometryMismatch` where they are no grid."""
    size = [int(n) for n in fixed[:3]]
    grid = Geometry.from_itk(size, fixed[6:9], fixed[3:6], fixed[9:18])
    coefficients = np.asarray(parameters, np.float64).reshape(3, *size[::-1])
    return Spline(grid, coefficients)


def _image(volume: Volume) -> Any:
    import SimpleITK as sitk

    spacing, origin, direction = volume.geometry.to_itk()
    image = sitk.GetImageFromArray(volume.voxels)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image
