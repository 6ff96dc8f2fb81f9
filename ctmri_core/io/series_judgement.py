"""Whether slices form a volume, judged from their places alone: pure functions, no files.

A volume is a stack of equal, parallel slices at even distances straight above each other. What deviates is either said, with
what it means, or refused; it is never squeezed onto a grid that does not fit:

- tilt (each slice displaced evenly within its plane, as with a tilted gantry): left as acquired on a straight grid on which the
  middle slice is exactly in place, serious finding; or, on request, shifted within the planes (`Stack.tilt`). Up to half a pixel
  over the whole stack it is no tilt;
- any other displacement: refused;
- a step up to `_WIDEST_STEP` times the usual one, in a few places: values in between are interpolated, serious finding;
- larger or more gaps: refused, naming the place in mm, unless the slices are thick enough to leave nothing out;
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
from ctmri_core.geometry import FloatArray, Geometry, Triple
from ctmri_core.io.series import ESTIMATED_SPACING, TILT
from ctmri_core.volume import Finding

_SAME_PLACE_MM = 1e-3
_ROUNDED_MM = 0.1  # positions are often rounded to it; the error of a place is then up to half of it in each direction
_EVEN_SHARE = 0.02  # of the spacing
_WIDE = 1.5  # times the usual step: more than a slice's unevenness
_WIDEST_STEP = 2.2
_WIDE_STEPS_SHARE = 0.1
_NARROWEST_STEP = 0.1
_ORTHOGONAL = 1e-3
_STEEPEST_TILT = 40.0  # degrees; gantries tilt by up to 30
_THINNEST_MM, _THICKEST_MM = 1e-3, 1e3


@dataclass(frozen=True)
class Tilt:
    """Slices displaced evenly, and how they are brought above each other.

    `degrees`: of the stack against its slices' normal. `positions`: LPS mm of the first voxel of slice k where it truly lies,
    for each k of the stack's grid. `geometry`: of a straight grid that holds all slices; `shifts`: how far each ordered slice
    lies from its corner in (rows, columns), 0 or more.
    """

    degrees: float
    positions: tuple[Triple, ...]
    geometry: Geometry
    shifts: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Stack:
    """Slices in the order of k and where they come to lie.

    `order`: indices of the slices given, k ascending along the normal. `geometry`: of the volume, a tilt left as it is.
    `places`: fractional k of each ordered slice on that grid, None where they are 0, 1, 2, ... `tilt`: None where there is none.
    `series_regrid` brings slices onto the grid.
    """

    order: tuple[int, ...]
    geometry: Geometry
    places: tuple[float, ...] | None = None
    tilt: Tilt | None = None
    findings: tuple[Finding, ...] = ()


def slice_axes(path: Path, orientation: Sequence[float]) -> FloatArray:
    """(3, 3) unit vectors: slice normal, down a column (j), along a row (i). Raises `FileRefused` when not at right angles."""
    row, column = np.clip(orientation[:3], -9, 9), np.clip(orientation[3:], -9, 9)
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
    thicknesses: Sequence[float | None],
) -> Stack:  # fmt: skip
    """Orders slices at different places and finds the grid of their volume.

    `path`: named in refusals. `positions`: (n, 3) LPS mm of each slice's first voxel. `pixel_spacing`, `size`: (row to row,
    column to column), (rows, columns). `thicknesses`: mm of each slice, None where it does not say. Raises `FileRefused`.
    """
    points = np.asarray(positions, np.float64)
    along = heights(axes, points)
    order = np.argsort(along, kind="stable")
    points, along = points[order], along[order]
    if len(order) == 1:
        return _single(axes, points[0], pixel_spacing, size, thicknesses[0])
    steps = np.diff(along)
    offsets, degrees = _displacements(path, axes, points, along, pixel_spacing)
    unit, uneven = _uneven(path, along, steps, np.array([_sane(thicknesses[n]) for n in order]))
    start, spacing, count = _grid(along, steps, unit) if uneven else (0.0, float(along[-1] - along[0]) / len(steps), len(order))
    if not _THINNEST_MM <= spacing < _THICKEST_MM:
        raise FileRefused(path, f"its slices lie {spacing:g} mm apart by ImagePositionPatient.", "Export the series again.")
    middle = offsets[len(offsets) // 2]
    bottom = points[0] + start * axes[0]
    geometry = _geometry(axes, bottom + middle @ axes[1:], (count, *size), (spacing, *pixel_spacing))
    places = (along - along[0] - start) / spacing
    tilt = _tilt(geometry, bottom, offsets, places, degrees) if degrees else None
    return Stack(
        order=tuple(order.tolist()),
        geometry=geometry,
        places=tuple(places.tolist()) if uneven else None,
        tilt=tilt,
        findings=(*((_tilted(degrees, offsets - middle),) if tilt else ()), *uneven),
    )


def _single(
    axes: FloatArray, point: FloatArray, pixel_spacing: tuple[float, float], size: tuple[int, int], thickness: float | None
) -> Stack:
    findings: list[Finding] = []
    if not _sane(thickness):
        said = "is missing" if thickness is None else f"is {thickness:g}"
        message = f"SliceThickness {said}; 1 mm is taken, so volumes measured in this slice mean nothing."
        findings.append(Finding(ESTIMATED_SPACING, message, serious=True))
    geometry = _geometry(axes, point, (1, *size), (_sane(thickness) or 1.0, *pixel_spacing))
    return Stack((0,), geometry, findings=tuple(findings))


def _sane(thickness: float | None) -> float:
    """mm, 0 where there is none to rely on."""
    return thickness if thickness is not None and _THINNEST_MM < thickness < _THICKEST_MM else 0.0


def _geometry(axes: FloatArray, point: FloatArray, shape: tuple[int, ...], spacing: tuple[float, ...]) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = (axes * np.asarray(spacing)[:, None]).T
    affine[:3, 3] = point
    return Geometry.from_affine(shape, affine)


def _displacements(
    path: Path, axes: FloatArray, points: FloatArray, along: FloatArray, pixel_spacing: tuple[float, float]
) -> tuple[FloatArray, float]:
    """(n, 2) mm by which each slice is displaced along (j, i), all zero when that is too little to see, and degrees of tilt."""
    offsets: FloatArray = (points - points[0]) @ axes[1:].T
    tolerance = np.maximum(np.asarray(pixel_spacing) / 2, math.sqrt(3) * _ROUNDED_MM)
    seen = np.abs(offsets).max(axis=0) > tolerance
    offsets = offsets * seen
    if not seen.any():
        return offsets, 0.0
    rise = float(along[-1] - along[0])
    straight = np.outer((along - along[0]) / rise, offsets[-1])
    degrees = math.degrees(math.atan2(float(np.linalg.norm(offsets[-1])), rise))
    if np.abs(offsets - straight).max() > tolerance.min() or degrees > _STEEPEST_TILT:
        problem = f"its slices are displaced against each other by up to {np.abs(offsets).max():.1f} mm."
        raise FileRefused(path, problem, "Resample the series onto a straight grid first.")
    return offsets, degrees


def _tilt(grid: Geometry, point: FloatArray, offsets: FloatArray, places: FloatArray, degrees: float) -> Tilt:
    """`point`: where the first slice would lie at the bottom of `grid`; `offsets` mm and `places` of all. The middle slice is
    shifted by whole pixels only.
    """
    pixels = np.asarray(grid.spacing[1:])
    from_middle = (offsets - offsets[len(offsets) // 2]) / pixels
    shifts = from_middle - np.floor(from_middle.min(axis=0))
    corner = grid.index_to_mm((0, *np.floor(from_middle.min(axis=0))))
    extra = np.floor(shifts.max(axis=0) + 0.5).astype(int)
    rows, columns = (length + more for length, more in zip(grid.shape[1:], extra.tolist(), strict=True))
    number = np.arange(grid.shape[0])
    along_slices = np.stack([np.interp(number, places, offsets[:, axis]) for axis in (0, 1)], 1)
    positions = point + number[:, None] * grid.spacing[0] * grid.axes[0] + along_slices @ grid.axes[1:]
    return Tilt(
        degrees=degrees,
        positions=tuple((float(x), float(y), float(z)) for x, y, z in positions),
        geometry=_geometry(grid.axes, corner, (grid.shape[0], rows, columns), grid.spacing),
        shifts=tuple((float(row), float(column)) for row, column in shifts),
    )


def _tilted(degrees: float, displaced: FloatArray) -> Finding:
    message = (
        f"The slices are tilted by {degrees:.1f} degrees (gantry tilt) and are shown as acquired, straight above each other:"
        f" towards the ends of the stack they lie up to {np.linalg.norm(displaced, axis=1).max():.1f} mm beside their true place."
        " Each slice is right in itself; planes across slices are sheared, and lengths and angles across slices are wrong"
        " unless the tilt is corrected."
    )
    return Finding(TILT, message, serious=True)


def _uneven(path: Path, along: FloatArray, steps: FloatArray, thick: FloatArray) -> tuple[float, tuple[Finding, ...]]:
    """The step of the grid to be, and findings when the steps are uneven enough to need interpolation.

    `thick`: mm of each slice, 0 where not known. Raises `FileRefused` beyond what interpolation can mend.
    """
    usual = _usual(steps)
    number = np.arange(len(along))
    line = np.polynomial.Polynomial.fit(number, along, 1) if len(along) > 2 else None
    if line is None or np.abs(along - line(number)).max() <= max(_EVEN_SHARE * usual, min(_ROUNDED_MM, usual / 3)):
        return usual, ()
    between = (thick[:-1] + thick[1:]) / 2
    relative = steps / between if thick.all() else steps  # where slices are thicker they may lie further apart
    usual_relative = _usual(relative)
    wide = np.flatnonzero(relative > _WIDE * usual_relative)
    middles = [float(along[n] + along[n + 1]) / 2 for n in wide]
    where = ", ".join(f"{middle:.1f}" for middle in middles[:5]) + (" and further" if len(middles) > 5 else "")
    if len(wide) and (relative.max() > _WIDEST_STEP * usual_relative or len(wide) > max(1, _WIDE_STEPS_SHARE * len(steps))):
        problem = f"slices are missing at {where} mm (usual step {usual:.2f} mm, widest {steps[wide].max():.2f} mm)."
        raise FileRefused(path, problem, "Export the complete series, or blocks of slices as series of their own.")
    if steps.min() < _NARROWEST_STEP * usual:
        problem = f"two of its slices lie only {steps.min():.3f} mm apart (usual step {usual:.2f} mm)."
        raise FileRefused(path, problem, "Separate the acquisitions into folders of their own.")
    if len(wide):
        what = "A slice is missing" if len(wide) == 1 else "Slices are missing"
        message = (
            f"{what} at {where} mm; the picture there is made up from its neighbours, so what lies only there is not seen,"
            " and sizes and volumes that reach across it are uncertain."
        )
        return usual, (Finding("gap", message, serious=True),)
    zones = bool(steps.max() > _WIDE * steps.min())
    unit = max(float(steps.min()), usual / 4) if zones else usual
    message = (
        f"The slices lie {steps.min():.2f} to {steps.max():.2f} mm apart and were interpolated onto an even grid of about"
        f" {unit:.2f} mm: pictures between slices are made up from them, thin detail is blurred, and heights are known no better"
        " than the slices lie apart."
    )
    return unit, (Finding("uneven_spacing", message, serious=True),)


def _grid(along: FloatArray, steps: FloatArray, unit: float) -> tuple[float, float, int]:
    """(mm of its bottom above the first slice, step, count) of the grid on which slices that lie about `unit` apart keep their
    places, the first of them and what follows on it. It ends less than a step beyond the outermost slices.
    """
    near = (steps > unit / _WIDE) & (steps < _WIDE * unit)
    step = float(steps[near].mean()) if near.any() else unit
    kept = float(along[int(near.argmax())] - along[0])
    below, above = (math.ceil(mm / step - _EVEN_SHARE) for mm in (kept, float(along[-1] - along[0]) - kept))
    return kept - below * step, step, 1 + below + above


def _usual(steps: FloatArray) -> float:
    """The lower quartile: where slices were left out, it is the narrower steps that tell how the series was made."""
    return float(np.sort(steps)[(len(steps) - 1) // 4])
