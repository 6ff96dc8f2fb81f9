"""Where the patient is: a classical outline of CT and MR, without table and head-rest, cavities filled.

Found on a coarse grid (blocks of about 2 mm) and interpolated back, so its border is good to about a millimetre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.preprocess.resample import coarsened, resample_array
from ctmri_core.volume import Volume, once_per_volume

_CELL_MM = 2.0
_MOST_CELLS = 1.5e6
_SKIN_HU = -350.0
_Mask = NDArray[np.bool_]


def body_mask(volume: Volume, threshold: float | None = None) -> _Mask:
    """bool (k, j, i) on the volume's grid; all False when nothing but air or noise is seen. To be read only.

    `threshold`: what is brighter is looked at: HU of CT, of anything else the share (0 to 1) of its range without outliers;
    None for `own_threshold`.
    """
    cell = _cell_of(volume)
    mask, grid = coarse_body_mask(volume, cell) if threshold is None else _outlined(coarsened(volume, cell), threshold)
    if grid.is_close(volume.geometry):
        return mask
    return resample_array(mask.view(np.uint8) * np.uint8(255), grid, volume.geometry, order=1) >= 128


@once_per_volume
def coarse_body_mask(volume: Volume, cell_mm: float) -> tuple[_Mask, Geometry]:
    """The same on blocks of about `cell_mm` (never smaller than a voxel), with their grid."""
    return _outlined(coarsened(volume, cell_mm), None)


@once_per_volume
def own_threshold(volume: Volume) -> float:
    """The threshold that `body_mask` takes by itself: of CT always the same, else Otsu's."""
    if volume.domain is Domain.CT:
        return _SKIN_HU
    rooted = _rooted(_values(coarsened(volume, _cell_of(volume))))
    return 0.0 if rooted is None else _bright_from(rooted) ** 2


def _cell_of(volume: Volume) -> float:
    k, j, i = volume.geometry.extent
    return max(_CELL_MM, float((k * j * i / _MOST_CELLS) ** (1 / 3)))


def _values(coarse: Volume) -> NDArray[np.float32]:
    return np.nan_to_num(coarse.voxels.astype(np.float32), nan=coarse.background)


def _outlined(coarse: Volume, threshold: float | None) -> tuple[_Mask, Geometry]:
    outline = _ct_outline if coarse.domain is Domain.CT else _mr_outline
    return outline(_values(coarse), coarse.geometry.spacing, threshold), coarse.geometry


def _ct_outline(hu: NDArray[np.float32], spacing: tuple[float, float, float], threshold: float | None) -> _Mask:
    """Skin threshold; opening cuts table, cushions and tubes off; the largest piece is the patient."""
    dense = hu > (_SKIN_HU if threshold is None else threshold)
    body = largest_piece(_opened(dense, 4.0, spacing))
    return _without_cavities(_grown(body, 2.0, spacing) & dense)


def _mr_outline(values: NDArray[np.float32], spacing: tuple[float, float, float], threshold: float | None) -> _Mask:
    """Otsu's threshold on square roots, which draws dark tissue to the bright; closing bridges bone, air and teeth."""
    rooted = _rooted(values)
    if rooted is None:
        return np.zeros(values.shape, np.bool_)
    bright = rooted > (_bright_from(rooted) if threshold is None else np.sqrt(max(threshold, 0.0)))
    body = largest_piece(_opened(bright, 3.0, spacing))
    return _without_cavities(_closed(_grown(body, 2.0, spacing) & bright, 8.0, spacing))


def _rooted(values: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Square roots of the share of the range without outliers that each value makes up; None where all values are one."""
    from scipy.ndimage import gaussian_filter

    low, high = np.percentile(values, (0.5, 99.5))
    if high <= low:
        return None
    rooted: NDArray[np.float32] = np.sqrt(np.clip((gaussian_filter(values, 0.7) - low) / (high - low), 0, 1))
    return rooted


def _bright_from(rooted: NDArray[np.float32]) -> float:
    from skimage.filters import threshold_otsu

    return 0.8 * float(threshold_otsu(rooted.ravel()))


def _eroded(mask: _Mask, radius_mm: float, spacing: tuple[float, float, float]) -> _Mask:
    from scipy.ndimage import distance_transform_edt

    if mask.all():
        return mask
    result: _Mask = distance_transform_edt(mask, sampling=spacing) > radius_mm
    return result


def _grown(mask: _Mask, radius_mm: float, spacing: tuple[float, float, float]) -> _Mask:
    return ~_eroded(~mask, radius_mm, spacing)


def _opened(mask: _Mask, radius_mm: float, spacing: tuple[float, float, float]) -> _Mask:
    return _grown(_eroded(mask, radius_mm, spacing), radius_mm, spacing)


def _closed(mask: _Mask, radius_mm: float, spacing: tuple[float, float, float]) -> _Mask:
    """Closing with nothing beyond the picture, so that a body cut by the border keeps its outline there."""
    margin = [int(radius_mm / s) + 1 for s in spacing]
    wide = np.pad(mask, [(n, n) for n in margin])
    closed = _eroded(_grown(wide, radius_mm, spacing), radius_mm, spacing)
    return closed[tuple(slice(n, -n) for n in margin)]


def largest_piece(mask: _Mask) -> _Mask:
    """The one piece (neighbours share a face) that has most voxels."""
    from scipy.ndimage import label

    pieces, count = label(mask)
    if count < 2:
        return mask
    result: _Mask = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    return result


def _without_cavities(mask: _Mask) -> _Mask:
    """Fills what is enclosed within any slice along any axis: lungs, sinuses and airways that leave the field of view."""
    from scipy.ndimage import binary_fill_holes

    for axis in range(3):
        along = np.moveaxis(mask, axis, 0)
        mask = np.moveaxis(np.stack([binary_fill_holes(plane) for plane in along]), 0, axis)
    return mask
