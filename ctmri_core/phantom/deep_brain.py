"""Ventricles, deep nuclei, brainstem, cerebellum and the dural folds. Positions in mm of the average head."""

from __future__ import annotations

import numpy as np

from ctmri_core.phantom.canvas import Canvas
from ctmri_core.phantom.cranium import Surfaces
from ctmri_core.phantom.noise import Generator, Noise
from ctmri_core.phantom.shapes import Array, Ellipsoid, Point, Shape, Tube, both, smooth_min
from ctmri_core.phantom.skull_base_and_neck import brainstem_shapes
from ctmri_core.phantom.tissues import Tissue

PINEAL: Point = (0.0, 31.0, 1.0)
_BRAIN = (Tissue.CSF, Tissue.GREY_MATTER, Tissue.WHITE_MATTER)
_CEREBELLUM_LOW: Point = (-56.0, 26.0, -64.0)
_CEREBELLUM_HIGH: Point = (56.0, 106.0, 6.0)


def paint_deep_brain(canvas: Canvas) -> None:
    """Corpus callosum, nuclei, ventricles; later paint covers earlier."""
    callosum = Tube(
        ((0, -20, -6), (0, -31, 2), (0, -30, 13), (0, -18, 22), (0, 4, 25.5), (0, 26, 22), (0, 37, 13), (0, 36, 6)),
        (2.0, 4.5, 4.5, 3.6, 3.0, 3.0, 4.6, 4.0), (3.6, 1, 1),
    )  # fmt: skip
    core = Ellipsoid((20, 3, 4), (14, 30, 17), 2.4)
    canvas.paint(Tissue.WHITE_MATTER, (*both(core), Ellipsoid((0, 7, 3), (16, 27, 13), 2.4)), over=_BRAIN)
    canvas.paint(Tissue.WHITE_MATTER, [callosum], over=_BRAIN)
    thalamus = Ellipsoid((11.5, 17, 8), (9, 16, 9.5), turn=-22)
    putamen = Ellipsoid((27, -2, 3), (4.8, 16, 10.5), turn=-12)
    pallidum = Ellipsoid((19.5, 1, 0), (4.6, 9, 6.5), turn=-18)
    caudate = Tube(((13, -17, 4), (15.5, -8, 10), (19.5, 8, 16), (23, 26, 15)), (6.5, 5.0, 3.2, 1.6))
    claustrum = Tube(((33.5, -12, 2), (34.2, 0, 3), (33.5, 10, 4)), (0.7, 0.8, 0.7), (1, 1, 8))
    hypothalamus = Ellipsoid((0, 2, -7), (9, 9, 7))
    canvas.paint(Tissue.DEEP_GREY, both(thalamus, putamen, pallidum, caudate), over=_BRAIN)
    canvas.paint(Tissue.DEEP_GREY, [hypothalamus], over=_BRAIN)
    canvas.paint(Tissue.GREY_MATTER, both(claustrum), over=_BRAIN)
    hippocampus = Tube(((22, 0, -19), (27, 10, -20), (28, 24, -13), (22, 36, -2)), (7.0, 5.0, 4.0, 2.4))
    canvas.paint(Tissue.GREY_MATTER, both(hippocampus), over=(Tissue.WHITE_MATTER, Tissue.GREY_MATTER))
    for shape in brainstem_shapes():
        canvas.paint(Tissue.BRAINSTEM, [shape], over=_BRAIN)
    canvas.paint(Tissue.GLAND, [Ellipsoid((0, -2, -30), (6.5, 5, 4))], over=(Tissue.CSF,))
    canvas.paint(Tissue.FIBROUS, [Tube(((0, -1, -26), (0, 2, -13)), (1.2, 1.6))], over=(Tissue.CSF,))
    _paint_ventricles(canvas)
    _paint_calcifications(canvas)


def ventricle_shapes(size: float) -> tuple[Shape, ...]:
    """Lateral (both), third and fourth ventricle and the aqueduct; `size` scales their width."""
    inner = ((7, -27, 5), (5.5, -14, 8), (5.5, 0, 14), (8, 16, 17), (17, 32, 14), (25, 42, 6))
    outer = ((16, -31, 10), (14.5, -18, 14.5), (14, 0, 18.5), (17, 18, 19), (20, 30, 15))
    horn = Tube(inner, (2.4, 3.4, 2.9, 3.0, 4.8, 6.2), (1, 1, 1.3))
    tip = Tube(outer, (2.4, 2.6, 2.2, 2.2, 3.0), (1.5, 1, 1))
    web = Tube(((10.5, -28, 7.5), (10, -16, 12), (10, 0, 16.5), (12.5, 17, 18.5)), (2.6, 3.0, 2.4, 2.4), (1.5, 1, 1))
    temporal = Tube(((26, 42, 5), (33, 33, -6), (34, 16, -14), (31, 2, -17)), (5.0, 3.0, 2.2, 2.2), (1, 1, 0.9))
    occipital = Tube(((25, 42, 6), (25, 58, 5), (21, 72, 5)), (5.6, 3.2, 1.6), (1, 1, 1.3))
    lateral = tuple(
        Tube(t.points, tuple(r * (0.55 + 0.45 * size) for r in t.radii), (t.flat[0] * size, t.flat[1], t.flat[2]))
        if n < 3 else Tube(t.points, tuple(r * size for r in t.radii), t.flat)
        for n, t in enumerate((horn, tip, web, temporal, occipital))
    )  # fmt: skip
    third = Ellipsoid((0, 10, 0), (2.4 * size, 16, 9.5), 2.4)
    aqueduct = Tube(((0, 26, -4), (0, 30, -20)), (1.0, 1.1))
    fourth = Tube(((0, 31, -20), (0, 36, -32), (0, 38, -46)), (1.6, 4.6, 2.0), (1.7 * size, 1, 1))
    return (*both(*lateral), third, aqueduct, fourth)


def _paint_ventricles(canvas: Canvas) -> None:
    size = canvas.parameters.ventricles * (1 + 0.12 * canvas.parameters.atrophy_mm)
    inside = (*_BRAIN, Tissue.DEEP_GREY, Tissue.BRAINSTEM)
    for shape in ventricle_shapes(size):
        canvas.paint(Tissue.VENTRICLE, [shape], over=inside)
    septum = canvas.patch((-3, -30, -2), (3, 34, 24))
    half = np.float32(max(0.8, 0.5 * canvas.step))
    septum.labels[(septum.labels == Tissue.VENTRICLE) & (np.abs(septum.x) < half) & (septum.z > 10)] = Tissue.WHITE_MATTER
    fornix = Tube(((0, 24, 15), (0, 8, 13), (0, -6, 4)), (2.2, 2.0, 1.6), (1.6, 1, 1))
    canvas.paint(Tissue.WHITE_MATTER, [fornix], over=(Tissue.VENTRICLE,))


def _paint_calcifications(canvas: Canvas) -> None:
    canvas.paint(Tissue.GLAND, [Ellipsoid(PINEAL, (3.0, 4.5, 3.0))])
    canvas.paint(Tissue.CALCIFICATION, [Ellipsoid(PINEAL, (1.6, 2.2, 1.6))])
    plexus = Tube(((22, 38, 10), (27, 44, 3)), (1.8, 2.4))
    canvas.paint(Tissue.MUCOSA, both(plexus), over=(Tissue.VENTRICLE,))
    canvas.paint(Tissue.CALCIFICATION, both(Ellipsoid((25.5, 43, 4.5), (1.4, 1.4, 1.6))), over=(Tissue.MUCOSA,))


def paint_cerebellum(canvas: Canvas, surfaces: Surfaces, rng: Generator) -> None:
    """Folia as thin sheets fanning out from the white core, with deeper fissures between lobules."""
    patch = canvas.patch(_CEREBELLUM_LOW, _CEREBELLUM_HIGH)
    x, y, z = patch.x, patch.y, patch.z
    depth = _cerebellar_depth(surfaces, patch.where, x, y, z)
    wobble = Noise(rng, _CEREBELLUM_LOW, _CEREBELLUM_HIGH, (26, 20, 20), 0.4).at(x, y, z)
    down, behind = z + 30 - np.float32(0.05) * np.abs(x), y - 40 + np.float32(0.06) * np.abs(x)
    angle = np.arctan2(down, behind) + np.float32(0.10) * wobble
    radius = np.sqrt(down**2 + behind**2)
    lobules = _sheets(angle, radius, 12.0, 20.0, depth)
    folia = _sheets(angle, radius, 24.0, 10.0, depth) if canvas.step < 1.5 else lobules
    near = np.minimum(lobules, folia + np.float32(0.15))
    inside = (depth > 0) & (patch.labels == Tissue.CSF)
    patch.labels[inside] = Tissue.GREY_MATTER
    patch.labels[inside & (np.minimum(depth, near) > np.float32(1.3))] = Tissue.WHITE_MATTER
    patch.labels[inside & (lobules < 0.55) & (depth < 13)] = Tissue.CSF


def _cerebellar_depth(surfaces: Surfaces, where: tuple[slice, slice, slice], x: Array, y: Array, z: Array) -> Array:
    depth = smooth_min(-surfaces.cavity[where] - np.float32(2.4), -surfaces.above_tentorium[where] - np.float32(1.8), 4.0)
    lobes = Ellipsoid((25, 62, -33), (29, 31, 25), 2.2)
    vermis = Ellipsoid((0, 62, -22), (14, 27, 22), 2.0)
    body = smooth_min(smooth_min(lobes.distance(x, y, z), lobes.mirrored().distance(x, y, z), 5.0), vermis.distance(x, y, z), 4.0)
    front = Ellipsoid((0, 22, -36), (22, 17, 44), 2.2).distance(x, y, z)
    return smooth_min(smooth_min(depth, -body, 4.0), front, 4.0)


def _sheets(angle: Array, radius: Array, per_radian_half: float, reach: float, depth: Array) -> Array:
    """Distance to radial sheets, equally spaced in angle and `reach` mm deep."""
    phase = angle * np.float32(per_radian_half / np.pi)
    across = np.abs(phase - np.rint(phase)) * np.float32(np.pi / per_radian_half) * radius
    return np.asarray(np.sqrt(across**2 + np.maximum(depth - reach, 0) ** 2), np.float32)


def paint_dura(canvas: Canvas, surfaces: Surfaces) -> None:
    """Falx, tentorium and the venous sinuses along the skull."""
    patch = canvas.patch((-62, -80, -45), (62, 112, 84))
    x, y, z = patch.x, patch.y, patch.z
    depth, above = -surfaces.cavity[patch.where], surfaces.above_tentorium[patch.where]
    half = np.float32(max(0.7, 0.5 * canvas.step))
    free_edge = Ellipsoid((0, 0, -10), (1e3, 46, 46), 2.0).distance(np.zeros_like(x[:, :, :1]), y[:, :, :1], z)
    in_cavity = (depth > 0) & np.isin(patch.labels, (Tissue.CSF, Tissue.GREY_MATTER))
    aside = x - np.float32(0.9) * np.sin(y / 23) * np.cos(z / 31)
    falx = in_cavity & (np.abs(aside) < half) & (free_edge > 0) & (above > 0)
    notch = CENTRAL_NOTCH.distance(x, y, z) > 0
    tent = in_cavity & (np.abs(above) < half) & (y > 22) & notch
    patch.labels[falx | tent] = Tissue.FIBROUS
    superior = in_cavity & (np.abs(x) + np.float32(0.7) * depth < 4.6) & (z > -8)
    straight = in_cavity & (np.abs(x) < 2) & (np.abs(above) < 2.2) & (y > 40)
    transverse = (depth > 0) & (np.abs(above) < 3.6) & (depth < 6) & (y > 46)
    patch.labels[superior | straight | transverse] = Tissue.BLOOD


CENTRAL_NOTCH = Ellipsoid((0, 22, -8), (20, 22, 30), 2.0)
"""The gap in the tentorium through which the midbrain passes."""
