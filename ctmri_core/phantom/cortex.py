"""The folded cortex: sulci as sheets at right angles to the surface of the hemispheres, lined by a ribbon of grey matter.

A random field that is constant along the depth of the hemisphere is zero on a labyrinth of sheets. Near a sheet the
distance to it is |f| / |grad f|; below the depth of the sulcus the distance to its bottom takes over. What is closer
than half the sulcal width is CSF, the next `cortex_mm` are grey matter, the rest is white.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ctmri_core.phantom.canvas import Canvas, Patch
from ctmri_core.phantom.cranium import Surfaces
from ctmri_core.phantom.noise import Generator, Noise
from ctmri_core.phantom.shapes import Array, Ellipsoid, Point, smooth_min
from ctmri_core.phantom.tissues import Tissue

_LOW: Point = (-74.0, -78.0, -52.0)
_HIGH: Point = (74.0, 110.0, 82.0)
_APART_MM = 6.0
CENTRAL_BASE = Ellipsoid((0, 13, -32), (21, 27, 23), 2.3)
"""Under the brain's middle: cisterns and brainstem, no hemisphere."""


def paint_cerebrum(canvas: Canvas, surfaces: Surfaces, rng: Generator) -> None:
    """Grey and white matter of both hemispheres in the CSF-filled cavity."""
    patch = canvas.patch(_LOW, _HIGH)
    depth = _depth(canvas, patch, surfaces, rng)
    distance, half_width = _distance_to_sulci(canvas, patch, depth, rng)
    p = canvas.parameters
    ribbon = np.minimum(depth, distance - half_width)
    inside = (depth > 0) & (patch.labels == Tissue.CSF)
    cortex = np.float32(max(p.cortex_mm, 1.1 * canvas.step))
    patch.labels[inside & (ribbon > 0)] = Tissue.GREY_MATTER
    patch.labels[inside & (ribbon > cortex)] = Tissue.WHITE_MATTER


def _depth(canvas: Canvas, patch: Patch, surfaces: Surfaces, rng: Generator) -> Array:
    """Distance below the surface of the hemispheres, fissures included; negative outside."""
    x, y, z = patch.x, patch.y, patch.z
    gap = np.float32(1.9 + canvas.parameters.atrophy_mm)
    depth = -surfaces.cavity[patch.where] - gap
    depth = smooth_min(depth, surfaces.above_tentorium[patch.where] - np.float32(1.6), 4.0)
    depth = smooth_min(depth, CENTRAL_BASE.distance(x, y, z), 4.0)
    wander = np.float32(0.8) * Noise(rng, _LOW, _HIGH, (200, 40, 40)).at(np.zeros((1, 1, 1), np.float32), y[:, :, :1], z)
    depth = smooth_min(depth, _from_midline(x - wander, y, z), 3.0)
    bend = Noise(rng, _LOW, _HIGH, (38, 38, 38), 0.4).at(x, y, z)
    return smooth_min(depth, _from_sylvian_fissure(canvas, x + 1.5 * bend, y, z + 3 * bend), 3.0)


def _from_midline(x: Array, y: Array, z: Array) -> Array:
    """Distance to the interhemispheric fissure, which ends at corpus callosum, third ventricle and brainstem."""
    above = Ellipsoid((0, 5, -2), (1e3, 40, 29), 2.0)
    below = Ellipsoid((0, 12, -4), (1e3, 20, 15), 2.0)
    flat = np.zeros((1, 1, 1), np.float32)
    y_only = y[:, :, y.shape[2] // 2 : y.shape[2] // 2 + 1]
    bridge = np.minimum(np.maximum(above.distance(flat, y_only, z), -z - 2), below.distance(flat, y_only, z))
    return np.asarray(np.sqrt(x * x + np.maximum(-bridge, 0) ** 2) - np.float32(0.9), np.float32)


def _from_sylvian_fissure(canvas: Canvas, x: Array, y: Array, z: Array) -> Array:
    """A sheet from the side surface in to the insula, rising to the back, and the sheet over the insula."""
    half = np.float32(0.8 + 0.5 * canvas.parameters.atrophy_mm)
    across = np.abs(x)
    height = np.float32(-12) + np.float32(0.46) * (y + 16)
    off = z - height
    ends = np.maximum(np.maximum(y - 46, -26 - y), 0)
    lips = np.sqrt(off**2 * np.float32(0.85) + np.maximum(39 - across, 0) ** 2 + ends**2)
    above, along = np.maximum(np.abs(off - 2) - 12, 0), np.maximum(np.abs(y - 4) - 20, 0)
    plate = np.sqrt((across - 39 + np.float32(0.006) * (off**2 + (y - 4) ** 2 / 3)) ** 2 + above**2 + along**2)
    stem = np.sqrt((z + 14) ** 2 + np.maximum(np.abs(y + 12) - 5, 0) ** 2 + np.maximum(np.abs(across - 30) - 10, 0) ** 2)
    widening = np.float32(1.6) * np.exp(-((y + 18) / 14) ** 2)
    return np.asarray(np.minimum(np.minimum(lips - widening, plate), stem - 1) - half, np.float32)


def _distance_to_sulci(canvas: Canvas, patch: Patch, depth: Array, rng: Generator) -> tuple[Array, Array]:
    """Distance to the nearest sulcal sheet and half the width of the sulci there, mm."""
    p, step = canvas.parameters, canvas.step
    x, y, z = patch.x, patch.y, patch.z
    size = 2 * round(2.5 / step) + 1
    smooth = ndimage.uniform_filter(ndimage.uniform_filter(depth, size), size)  # so that neighbours look up neighbours
    grad = np.gradient(smooth, step)
    square = np.maximum(grad[0] ** 2 + grad[1] ** 2 + grad[2] ** 2, np.float32(0.4))
    # Halfway between two surfaces there is no one way out (the gradient fades): no sulcus gets that far.
    middle = np.clip((np.float32(0.85) - square) * 12, 0, 5) * np.clip((depth - 5) / 4, 0, 1)
    back = np.clip(depth, -2, 30) / square  # along the gradient to the surface
    folds = Noise(rng, _LOW, _HIGH, (p.fold_mm,) * 3, 0.16)
    apart = x + np.float32(_APART_MM) * np.sign(x)  # else the two medial walls would mirror each other
    field = folds.at(apart - back * grad[2], y - back * grad[1], z - back * grad[0])
    field += np.float32(0.30) * Noise(rng, _LOW, _HIGH, (17, 17, 17), 0.3).at(x, y, z)
    slope = np.gradient(field, step)
    wave_number = np.float32(2 * np.pi / p.fold_mm)
    steep = np.sqrt(slope[0] ** 2 + slope[1] ** 2 + slope[2] ** 2)
    across = np.arctan2(wave_number * np.abs(field), steep) / wave_number  # exact where the field is a sinusoid
    reach = np.float32(p.fold_depth_mm) + np.float32(5.0) * Noise(rng, _LOW, _HIGH, (45, 45, 45), 0.4).at(x, y, z)
    distance = np.sqrt(across**2 + np.maximum(depth - np.clip(reach, 5, 24), 0) ** 2)
    distance[steep > 3.3 * wave_number] = 99  # a jump: nodes on both sides belong to different parts of the surface
    distance += middle
    half_width = np.float32(0.30 + 0.4 * p.atrophy_mm) + np.float32(0.8) * np.exp(-np.maximum(depth, 0) / np.float32(2.5))
    return distance, half_width
