"""Whether slices form a volume, judged from their places alone: pure functions, no files.

A volume is a stack of equal, parallel slices at even distances straight above each other. What deviates is either mended, and
said, or refused; it is never squeezed onto a grid that does not fit:

- tilt (each slice displaced evenly within its plane, as with a tilted gantry): slices are shifted within their planes onto a
  straight grid that holds them all, a finding says so; up to half a pixel over the whole stack it is left as it is;
- any other displacement: refused;
- a step up to `_WIDEST_STEP` times the usual one, in a few places: values in between are interpolated, serious finding;
- larger or more gaps: refused, naming the place in mm;
- several slices at one place: for the caller to drop (if their pixels are equal) or refuse, see `same_place`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ctmri_core.errors import FileRefused
from ctmri_core.geometry import FloatArray, Geometry
from ctmri_core.volume import Finding

_SAME_PLACE_MM = 1e-3
_EVEN_SHARE = 0.02  # of the spacing; positions are often rounded to 0.1 mm
_EVEN_MM = 0.06
_WIDEST_STEP = 2.2
_WIDE_STEPS_SHARE = 0.1
_ORTHOGONAL = 1e-3
_STEEPEST_TILT = 40.0  # degrees; gantries tilt by up to 30


@dataclass(frozen=True)
class Stack:
    """Slices in the order of k and where they come to lie.

    `order`: indices of the slices given, k ascending along the normal. `geometry`: of the finished volume.
    `places`: fractional k of each ordered slice on that grid, None where they are 0, 1, 2, ...; `shifts`: how far each lies from
    the grid's corner in (rows, columns), None where all lie at it. `series_regrid.regridded` brings voxels onto the grid.
    """

    order: tuple[int, ...]
    geometry: Geometry
    places: tuple[float, ...] | None = None
    shifts: tuple[tuple[float, float], ...] | None = None
    findings: tuple[Finding, ...] = ()


def slice_axes(path: Path, orientation: Sequence[float]) -> FloatArray:
    """(3, 3) unit vectors: slice normal, down a column (j), along a row (i). Raises `FileRefused` when not at right angles."""
    row, column = np.asarray(orientation[:3], float), np.asarray(orientation[3:], float)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not (abs(lengths[0] - 1) < 0.01 and abs(lengths[1] - 1) < 0.01) or abs(row @ column) > _ORTHOGONAL * 10:
        values = ", ".join(f"{value:g}" for value in orientation)
        raise FileRefused(path, f"ImageOrientationPatient is {values}: no two unit vectors at right angles.", "Export it again.")
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return np.stack([np.cross(row, column), column, row])


def heights(axes: FloatArray, positions: ArrayLike) -> FloatArray:
    """(n,) mm of each position (n, 3) along the normal."""
    result: FloatArray = np.asarray(positions, np.float64) @ axes[0]
    return result


def same_place(axes: FloatArray, positions: ArrayLike) -> list[tuple[int, ...]]:
    """Groups of two or more slices (indices) that lie at one place along the normal."""
    along = heights(axes, positions)
    order = np.argsort(along, kind="stable")
    breaks = np.flatnonzero(np.diff(along[order]) > _SAME_PLACE_MM) + 1
    return [tuple(int(n) for n in group) for group in np.split(order, breaks) if len(group) > 1]


def judge(
    path: Path, axes: FloatArray, positions: ArrayLike, pixel_spacing: tuple[float, float], size: tuple[int, int],
    thickness: float | None,
) -> Stack:  # fmt: skip
    """Orders slices at different places and finds the grid of their volume.

    `path`: named in refusals. `positions`: (n, 3) LPS mm of each slice's first voxel. `pixel_spacing`, `size`: (row to row,
    column to column), (rows, columns). `thickness`: used for a single slice only. Raises `FileRefused`.
    """
    points = np.asarray(positions, np.float64)
    along = heights(axes, points)
    order = np.argsort(along, kind="stable")
    points, along = points[order], along[order]
    if len(order) == 1:
        return _single(axes, points[0], pixel_spacing, size, thickness)
    offsets, tilted = _tilt(path, axes, points, along, pixel_spacing)
    steps = np.diff(along)
    uneven = _uneven(path, along, steps)
    count = _even_count(steps) if uneven else len(order)
    spacing = float(along[-1] - along[0]) / (count - 1)
    corner = offsets.min(axis=0)
    shifts = (offsets - corner) / np.asarray(pixel_spacing)
    rows, columns = (length + extra for length, extra in zip(size, np.ceil(shifts.max(axis=0)).astype(int).tolist(), strict=True))
    geometry = _geometry(axes, points[0] + corner @ axes[1:], (count, rows, columns), (spacing, *pixel_spacing))
    return Stack(
        order=tuple(order.tolist()),
        geometry=geometry,
        places=tuple(((along - along[0]) / spacing).tolist()) if uneven else None,
        shifts=tuple((float(row), float(column)) for row, column in shifts) if tilted else None,
        findings=(*tilted, *uneven),
    )


def _single(
    axes: FloatArray, point: FloatArray, pixel_spacing: tuple[float, float], size: tuple[int, int], thickness: float | None
) -> Stack:
    findings: list[Finding] = []
    if thickness is None or not 1e-3 < thickness < 1e3:
        thickness = 1.0
        findings.append(Finding("estimated_spacing", "The slice does not say how thick it is; 1 mm is shown.", serious=True))
    geometry = _geometry(axes, point, (1, *size), (thickness, *pixel_spacing))
    return Stack((0,), geometry, findings=tuple(findings))


def _geometry(axes: FloatArray, point: FloatArray, shape: tuple[int, ...], spacing: tuple[float, ...]) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = (axes * np.asarray(spacing)[:, None]).T
    affine[:3, 3] = point
    return Geometry.from_affine(shape, affine)


def _tilt(
    path: Path, axes: FloatArray, points: FloatArray, along: FloatArray, pixel_spacing: tuple[float, float]
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """(n, 2) mm by which each slice is displaced along (j, i), all zero when that is too little to see, with a finding."""
    offsets: FloatArray = (points - points[0]) @ axes[1:].T
    seen = np.abs(offsets).max(axis=0) > np.maximum(np.asarray(pixel_spacing) / 2, 0.1)
    offsets = offsets * seen
    if not seen.any():
        return offsets, ()
    rise = float(along[-1] - along[0])
    straight = np.outer((along - along[0]) / rise, offsets[-1])
    angle = math.degrees(math.atan2(float(np.linalg.norm(offsets[-1])), rise))
    if np.abs(offsets - straight).max() > max(min(pixel_spacing) / 2, 0.1) or angle > _STEEPEST_TILT:
        problem = f"its slices are displaced against each other by up to {np.abs(offsets).max():.1f} mm."
        raise FileRefused(path, problem, "Resample the series onto a straight grid first.")
    message = f"The slices are tilted by {angle:.1f} degrees (gantry tilt) and were shifted onto a straight grid."
    return offsets, (Finding("tilt", message),)


def _uneven(path: Path, along: FloatArray, steps: FloatArray) -> tuple[Finding, ...]:
    """Findings when the steps are uneven enough to need interpolation. Raises `FileRefused` beyond what that can mend."""
    usual = float(np.median(steps))
    number = np.arange(len(along))
    line = np.polynomial.Polynomial.fit(number, along, 1) if len(along) > 2 else None
    if line is None or np.abs(along - line(number)).max() <= max(_EVEN_SHARE * usual, min(_EVEN_MM, usual / 4)):
        return ()
    wide = np.flatnonzero(steps > 1.5 * usual)
    middles = [float(along[n] + along[n + 1]) / 2 for n in wide]
    where = ", ".join(f"{middle:.1f}" for middle in middles[:5]) + (" and further" if len(middles) > 5 else "")
    if steps.max() > _WIDEST_STEP * usual or len(wide) > max(1, _WIDE_STEPS_SHARE * len(steps)):
        problem = f"slices are missing at {where} mm (usual step {usual:.2f} mm, widest {steps.max():.2f} mm)."
        raise FileRefused(path, problem, "Export the complete series.")
    if len(wide):
        message = f"A slice is missing at {where} mm; the picture there is interpolated from its neighbours."
        return (Finding("gap", message, serious=True),)
    message = (
        f"The slices lie {steps.min():.2f} to {steps.max():.2f} mm apart; they were interpolated onto an even grid of"
        f" {usual:.2f} mm, so thin detail is blurred."
    )
    return (Finding("uneven_spacing", message, serious=True),)


def _even_count(steps: FloatArray) -> int:
    return 1 + int(np.maximum(np.rint(steps / np.median(steps)), 1).sum())
