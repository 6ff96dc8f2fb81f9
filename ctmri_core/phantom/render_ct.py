"""The CT of a tissue map: CT numbers, texture, blur, a table, noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ctmri_core.geometry import Geometry
from ctmri_core.phantom.noise import Generator
from ctmri_core.phantom.shapes import Array
from ctmri_core.phantom.tissues import Tissue, table
from ctmri_core.preprocess.resample import resample_array

FIELD_OF_VIEW_MM = 256.0
_AIR, _LOWEST, _HIGHEST = -1000.0, -1024.0, 3071.0
_NOISE_HU = 5.5


def ct_geometry(labels: NDArray[np.uint8], tissues: Geometry, voxel_mm: float) -> Geometry:
    """Axial slices of 256 mm square around the head, 1.5 voxels apart, from the first that cuts the whole neck to the top."""
    size = round(FIELD_OF_VIEW_MM / voxel_mm)
    step = 1.5 * voxel_mm
    share = np.array([(0.0, j, i) for j in (0.33, 0.9) for i in (0.15, 0.85)])  # where the neck leaves the tissue map
    lowest = tissues.index_to_mm(share * tissues.shape)[:, 2].max()
    count = int(np.ceil((tissues.corners[:, 2].max() - lowest) / step))
    head = tissues.index_to_mm(np.argwhere(labels[::4, ::4, ::4]) * 4)
    head = head[head[:, 2] > lowest]
    x, y = np.round((head.min(0) + head.max(0))[:2] / 2, 2) - (size - 1) / 2 * voxel_mm
    return Geometry((count, size, size), (step, voxel_mm, voxel_mm), (float(x), float(y), float(lowest)))


def render_ct(
    labels: NDArray[np.uint8], tissues: Geometry, grain: Array, geometry: Geometry, rng: Generator, *, with_table: bool
) -> NDArray[np.int16]:
    """int16 HU on `geometry`. `labels`, `grain` (white noise, unit variance): (k, j, i) on `tissues`."""
    hu = table("hu")[labels] + table("hu_texture")[labels] * grain
    voxels = resample_array(softened(hu), tissues, geometry, background=_AIR)
    if with_table:
        _add_table(voxels, geometry, labels, tissues)
    voxels += _noise(rng, geometry.shape)
    return np.clip(np.rint(voxels), _LOWEST, _HIGHEST).astype(np.int16)


def softened(field: Array) -> Array:
    """A slight blur ([1 4 1] / 6 along every axis): what lies in one voxel mixes with its neighbours."""
    weights = np.array([1, 4, 1], np.float32) / 6
    for axis in range(3):
        field = ndimage.correlate1d(field, weights, axis, output=np.float32, mode="nearest")
    return field


def _noise(rng: Generator, shape: tuple[int, int, int]) -> Array:
    """Noise with the short-range correlation of a soft-tissue kernel, slice by slice."""
    white = rng.standard_normal(shape, np.float32)
    weights = np.array([1, 2, 1], np.float32) / 4
    for axis in (1, 2):
        white = ndimage.correlate1d(white, weights, axis, output=np.float32, mode="wrap")
    return white * np.float32(_NOISE_HU / (6 / 16))  # each [1 2 1] / 4 pass leaves sqrt(6 / 16) of the deviation


def _add_table(voxels: Array, geometry: Geometry, labels: NDArray[np.uint8], tissues: Geometry) -> None:
    """A hollow curved head rest behind the head: a thin dense skin around light foam."""
    behind = np.argwhere((labels != Tissue.OUTSIDE).any((0, 2)))[-1, 0]
    column = np.argwhere(labels[:, behind] != Tissue.OUTSIDE).mean(0)
    lowest = tissues.index_to_mm((column[0], behind, column[1]))[1] + 3.0
    j, i = np.meshgrid(np.arange(geometry.shape[1]), np.arange(geometry.shape[2]), indexing="ij")
    mm = geometry.index_to_mm(np.stack([np.zeros_like(j), j, i], -1))
    radius = np.hypot(mm[..., 0], mm[..., 1] - (lowest - 150.0))
    across = np.abs(mm[..., 0])
    inside = (radius > 150) & (radius < 168) & (across < 105)
    core = (radius > 152) & (radius < 166) & (across < 103)
    plane = np.where(core, np.float32(-930), np.float32(-60))
    free = inside[None] & (voxels < -900)
    voxels[free] = np.broadcast_to(plane, voxels.shape)[free]
