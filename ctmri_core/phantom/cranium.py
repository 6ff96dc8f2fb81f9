"""The large smooth surfaces of the head: cranial cavity, skin, tentorium, and the bone and soft tissue between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctmri_core.phantom.canvas import HIGH, LOW, Canvas
from ctmri_core.phantom.noise import Generator, Noise
from ctmri_core.phantom.shapes import Array, Ellipsoid, Tube, smooth_max, smooth_min
from ctmri_core.phantom.tissues import Tissue

# Height of the floor of the cranial cavity: (|x|, y, z) in mm. Three steps: anterior, middle and posterior fossa.
_FLOOR = np.array(
    [
        (0, -66, -12), (0, -50, -23), (0, -34, -22), (0, -16, -20), (18, -62, -9), (28, -48, -12), (30, -28, -13), (18, -14, -17),
        (44, -46, -4), (50, -32, -6), (24, -17, -17), (38, -25, -14), (52, -26, -10),
        (30, -13, -38), (40, -14, -43), (50, -8, -42), (36, 4, -45), (48, 8, -43), (24, 0, -36), (28, 13, -40), (62, 5, -30),
        (60, 18, -30), (52, 20, -38), (0, -9, -20), (0, 0, -31), (0, 8, -23), (12, 0, -29), (13, 9, -30),
        (18, 14, -31), (30, 21, -27), (42, 28, -25), (55, 36, -22),
        (0, 14, -36), (0, 22, -52), (0, 32, -64), (0, 42, -68), (12, 26, -54), (22, 30, -50), (26, 42, -60), (42, 44, -50),
        (14, 60, -64), (30, 60, -61), (46, 60, -50), (0, 66, -60), (0, 80, -48), (22, 84, -46), (0, 95, -28), (32, 84, -42),
        (50, 74, -34), (60, 52, -30), (0, 104, -14),
    ],
    np.float32,
)  # fmt: skip

# Skin outline of the face seen from the side: (z, half width, most anterior y).
_FACE = np.array(
    [
        (0, 60, -76), (-20, 62, -83), (-34, 64, -83), (-50, 67, -86), (-66, 68, -90), (-82, 67, -93), (-94, 65, -94),
        (-104, 62, -89), (-116, 57, -88), (-127, 49, -87), (-135, 38, -78), (-141, 24, -62),
    ],
    np.float32,
)  # fmt: skip
_FACE_AXIS_Y = -18.0


@dataclass(frozen=True)
class Surfaces:
    """Distance fields on the canvas lattice, float32 (k, j, i), mm, negative inside.

    `cavity`: the space inside the inner table. `skin`: the outside of the head. `above_tentorium`: height over the
    tentorium, far positive in front of the petrous ridges. `skull_mm`: thickness of the skull at each place (k, j, i).
    """

    cavity: Array
    skin: Array
    above_tentorium: Array
    skull_mm: Array


def build_surfaces(canvas: Canvas, rng: Generator) -> Surfaces:
    """All surfaces; on fine lattices computed at every second node and interpolated, since they are smooth."""
    stride = 2 if canvas.step < 1.5 else 1
    x, y, z = canvas.x[:, :, ::stride], canvas.y[:, ::stride, ::stride], canvas.z[::stride]
    cavity = _cavity(canvas, rng, x, y, z)
    thickness = _skull_thickness(canvas, rng, x, y, z)
    skin = _skin(canvas, cavity, thickness, x, y, z)
    fields = (cavity, skin, _above_tentorium(x, y, z), thickness)
    return Surfaces(*((_doubled(f) for f in fields) if stride == 2 else fields))


def _cavity(canvas: Canvas, rng: Generator, x: Array, y: Array, z: Array) -> Array:
    slope = np.float32(canvas.parameters.forehead_slope)
    half_length = np.where(y < 16, np.float32(88), np.float32(90))
    # Parietal bones bulge, the forehead is narrower; the vault is higher than the base is deep.
    half_width = np.float32(70) - np.float32(9) * np.clip((np.float32(18) - y) / 88, 0, 1.1) ** 2
    half_width = half_width - np.float32(5) * np.clip((y - np.float32(30)) / 76, 0, 1.1) ** 2
    half_height = np.where(z > 8, np.float32(69), np.float32(82))
    u = np.abs(x / half_width) ** np.float32(2.3)
    v = np.abs((y - 16 - slope * np.maximum(z, 0) * (y < 16)) / half_length) ** np.float32(2.2)
    w = np.abs((z - 8) / half_height) ** np.float32(2.3)
    level = (u + v + w) ** np.float32(1 / 2.25)
    shell = np.sqrt(x * x + (y - 16) ** 2 + (z - 8) ** 2) * (1 - 1 / np.maximum(level, np.float32(0.02)))
    vault = np.asarray(shell, np.float32) + np.float32(0.45) * Noise(rng, LOW, HIGH, (95, 95, 95)).at(x, y, z)
    height = _floor(x, y) + np.float32(1.2) * Noise(rng, LOW, HIGH, (34, 34, 200)).at(x, y, np.zeros((1, 1, 1), np.float32))
    return smooth_max(vault, _over_height(height, x, z), 7.0)


def _over_height(height: Array, x: Array, z: Array) -> Array:
    """Distance to a surface given as height over (x, y): negative above it."""
    step = float(x[0, 0, 1] - x[0, 0, 0])
    rise_y, rise_x = np.gradient(height[0], step)
    return np.asarray((height - z) / np.sqrt(1 + rise_x**2 + rise_y**2)[None], np.float32)


def _floor(x: Array, y: Array) -> Array:
    """Height of the cranial base, (1, j, i): knots blended with inverse fourth powers of distance."""
    across = np.abs(x)
    total, weights = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32), np.full((), 1e-9, np.float32)
    for knot_x, knot_y, knot_z in _FLOOR:
        weight = ((across - knot_x) ** 2 + (y - knot_y) ** 2 + np.float32(9)) ** np.float32(-2)
        total, weights = total + weight * knot_z, weights + weight
    return np.asarray(total / weights, np.float32)


def _skull_thickness(canvas: Canvas, rng: Generator, x: Array, y: Array, z: Array) -> Array:
    """Vault thickness with the thin temporal squama and the thin floor of the anterior and middle fossa."""
    vault = np.float32(canvas.parameters.skull_mm) * (1 + np.float32(0.13) * Noise(rng, LOW, HIGH, (60, 60, 60)).at(x, y, z))
    squama = np.exp(-(((y + 5) / 34) ** 2) - ((z + 8) / 22) ** 2) * np.clip((np.abs(x) - 45) / 15, 0, 1)
    occiput = np.exp(-(((y - 108) / 16) ** 2) - ((z + 12) / 16) ** 2 - (x / 12) ** 2)
    base = 1 / (1 + np.exp((z + 14 + np.float32(0.25) * (y + 70)) / 3))
    thin = np.float32(0.62) * np.maximum(squama, base)
    glabella = np.exp(-((x / 26) ** 2) - ((z + 12) / 15) ** 2) * np.clip((-40 - y) / 10, 0, 1)
    return np.asarray(np.maximum(vault * (1 - thin) + 4 * occiput, 2.2) + 5.5 * glabella, np.float32)


def _skin(canvas: Canvas, cavity: Array, skull_mm: Array, x: Array, y: Array, z: Array) -> Array:
    parameters = canvas.parameters
    temporal = np.exp(-(((y + 16) / 30) ** 2) - ((z + 14) / 30) ** 2) * np.clip((np.abs(x) - 38) / 16, 0, 1)
    head = cavity - skull_mm - np.float32(parameters.scalp_mm) - np.asarray(9 * temporal, np.float32)
    head = smooth_min(head, _face(canvas, x, y, z), 10.0)
    head = smooth_min(head, _neck(x, y, z), 22.0)
    for side in (-1.0, 1.0):
        socket = Ellipsoid((side * 33, -89, -36), (19, 16, 11))
        head = smooth_max(head, -socket.distance(x, y, z), 7.0)
        lid = Ellipsoid((side * 32, -58, -36), (15, 14.5, 14.5))
        head = smooth_min(head, lid.distance(x, y, z), 3.0)
        nostril = Ellipsoid((side * 9.5, -98, -72), (7.0, 9, 6.5))
        head = smooth_min(head, nostril.distance(x, y, z), 4.0)
        head = smooth_min(head, _ear(side, x, y, z), 2.5)
    tip = 26.0 * parameters.nose
    bridge = Tube(((0, -80, -28), (0, -86 - 0.35 * tip, -48), (0, -83 - tip, -68)), (7.0, 7.5, 7.5))
    flanks = Tube(((0, -80, -44), (0, -92 - 0.2 * tip, -58), (0, -90 - 0.3 * tip, -69)), (7.0, 9.0, 10.0), (1.2, 1, 1))
    head = smooth_min(smooth_min(head, flanks.distance(x, y, z), 8.0), bridge.distance(x, y, z), 6.0)
    for height in (-89.0, -99.0):
        lip = Ellipsoid((0, -92, height), (22, 8, 5.2))
        head = smooth_min(head, lip.distance(x, y, z), 3.0)
    return head


def _face(canvas: Canvas, x: Array, y: Array, z: Array) -> Array:
    heights = z[:, 0, 0]
    order = np.argsort(_FACE[:, 0])
    width, front = (np.interp(heights, _FACE[order, 0], _FACE[order, n]).astype(np.float32)[:, None, None] for n in (1, 2))
    width = width * np.where(z < -80, np.float32(canvas.parameters.jaw), np.float32(1))
    length = np.float32(_FACE_AXIS_Y) - front
    u, v = np.abs(x / width), (np.float32(_FACE_AXIS_Y) - y) / length
    level = (u ** np.float32(2.4) + np.abs(v) ** np.float32(2.4)) ** np.float32(1 / 2.4)
    slab = np.sqrt(x * x + (y - np.float32(_FACE_AXIS_Y)) ** 2) * (1 - 1 / np.maximum(level, np.float32(0.02)))
    jaw_line = (-z - 139 - np.float32(0.10) * (y + 75)) * np.float32(0.98)
    ends = np.maximum(z + 6, np.maximum(jaw_line, y - 20))
    return smooth_max(np.asarray(slab, np.float32), np.asarray(ends, np.float32), 10.0)


def _neck(x: Array, y: Array, z: Array) -> Array:
    flare = 1 + np.float32(0.10) * np.clip((-z - 110) / 40, 0, 1.5)
    back = np.float32(37) + np.float32(0.06) * (-z - 100)
    level = np.sqrt((x / (np.float32(60) * flare)) ** 2 + ((y - back) / (np.float32(59) * flare)) ** 2)
    tube = np.sqrt(x * x + (y - back) ** 2) * (1 - 1 / np.maximum(level, np.float32(0.02)))
    return smooth_max(np.asarray(tube, np.float32), np.asarray(z + 28 + np.float32(0.1) * (y - 40), np.float32), 14.0)


def _ear(side: float, x: Array, y: Array, z: Array) -> Array:
    """A pinna: a thin bowl standing off the head, open to the front."""
    plate = Ellipsoid((side * 75, 32, -34), (2.9, 17, 30), turn=side * -24, tilt=-12).distance(x, y, z)
    bowl = Ellipsoid((side * 78, 24, -35), (6, 9, 15), turn=side * -20).distance(x, y, z)
    return smooth_max(plate, -bowl, 2.0)


def _above_tentorium(x: Array, y: Array, z: Array) -> Array:
    ridge = np.float32(2) - np.float32(0.24) * np.maximum(y - 38, 0) - np.float32(0.36) * np.abs(x)
    leaf = (z - ridge) * np.float32(0.92)
    ahead = (np.float32(22) + np.float32(0.30) * np.abs(x) - y) * 1.5  # no tentorium in front of the petrous ridges
    return np.asarray(np.maximum(leaf, ahead), np.float32)


def _doubled(field: Array) -> Array:
    """Linear interpolation to half the step along every axis: n nodes become 2 n - 1."""
    for axis in range(3):
        field = np.moveaxis(field, axis, 0)
        fine = np.empty((2 * len(field) - 1, *field.shape[1:]), np.float32)
        fine[::2] = field
        np.add(field[:-1], field[1:], out=fine[1::2])
        fine[1::2] *= np.float32(0.5)
        field = np.moveaxis(fine, 0, axis)
    return np.ascontiguousarray(field)


def paint_soft_tissue(canvas: Canvas, surfaces: Surfaces, rng: Generator) -> None:
    """Skin, fat and a first filling of muscle with fat planes between the bundles."""
    p = canvas.parameters
    depth = -surfaces.skin
    labels = canvas.labels
    labels[depth > 0] = Tissue.MUSCLE
    fat_mm = np.float32(p.face_fat_mm) * np.clip(-canvas.z / 60, 0, 1) + np.float32(p.scalp_mm - 2.4)
    skin_mm = np.float32(canvas.visible(1.7))
    labels[(depth > 0) & (depth < skin_mm + fat_mm)] = Tissue.FAT
    labels[(depth > 0) & (depth < skin_mm)] = Tissue.SKIN
    _paint_fat_planes(canvas, rng)


def _paint_fat_planes(canvas: Canvas, rng: Generator) -> None:
    """Bundles run down the neck and are alike on both sides; the cheeks hold more fat."""
    patch = canvas.patch(LOW, (HIGH[0], HIGH[1], -12.0))
    bundles = Noise(rng, (0, LOW[1], LOW[2]), (HIGH[0], HIGH[1], 0), (20, 20, 90), 0.25)
    where = np.nonzero(patch.labels == Tissue.MUSCLE)
    x, y, z = (np.broadcast_to(a, patch.labels.shape)[where] for a in (np.abs(patch.x), patch.y, patch.z))
    lean = x + np.float32(0.12) * z
    field = bundles.at(lean, y, z)
    more_fat = np.exp(-(((y + 55) / 26) ** 2) - ((z + 84) / 26) ** 2) * np.clip((x - 18) / 12, 0, 1)
    half = np.float32(0.13) * max(1.0, canvas.step) + np.float32(0.75) * more_fat
    patch.labels[tuple(axis[np.abs(field) < half] for axis in where)] = Tissue.FAT


def paint_skull(canvas: Canvas, surfaces: Surfaces, keep: NDArray[np.bool_]) -> None:
    """Outer table, diploe and inner table around the cavity, except in `keep`; the cavity itself is filled with CSF."""
    labels, cavity = canvas.labels, surfaces.cavity
    thickness = surfaces.skull_mm
    near = (cavity < thickness) & (surfaces.skin < -2) & ~keep
    labels[near] = Tissue.CORTICAL_BONE
    table = np.float32(max(1.7, 0.8 * canvas.step))
    diploe = near & (cavity > table) & (cavity < thickness - table)
    labels[diploe] = Tissue.DIPLOE
    labels[cavity < 0] = Tissue.CSF


def paint_frontal_sinus(canvas: Canvas, surfaces: Surfaces, rng: Generator) -> None:
    """Air between the tables over the nose, scalloped, larger on one side."""
    patch = canvas.patch((-34, -96, -30), (34, -50, 24))
    size, lean = canvas.parameters.sinuses ** 3, rng.uniform(-5, 5)
    scallop = Noise(rng, (-34, -96, -30), (34, -50, 24), (13, 200, 13), 0.3).at(patch.x, patch.y, patch.z)
    outline = np.hypot((patch.x - lean) / (22 * size), (patch.z + 15) / np.float32(17 * size)) + np.float32(0.10) * scallop
    depth, skull = surfaces.cavity[patch.where], surfaces.skull_mm[patch.where]
    wall = max(1.4, 0.8 * canvas.step)
    inside = (outline < 1) & (depth > wall) & (depth < skull - wall) & (patch.y < -50)
    bone = np.isin(patch.labels, (Tissue.DIPLOE, Tissue.CORTICAL_BONE))
    septum = np.abs(patch.x - lean / 3 - np.float32(1.5) * np.sin(patch.z / 6)) < np.float32(0.7)
    patch.labels[inside & bone & ~septum] = Tissue.AIR
    patch.labels[inside & bone & septum] = Tissue.CORTICAL_BONE
