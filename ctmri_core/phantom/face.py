"""Orbits, nose, sinuses, jaws and teeth, and the muscles that close them. Positions in mm of the average head."""

from __future__ import annotations

import numpy as np

from ctmri_core.phantom.canvas import Canvas
from ctmri_core.phantom.noise import Generator, cells
from ctmri_core.phantom.shapes import Ellipsoid, Point, Shape, Tube, both
from ctmri_core.phantom.tissues import Tissue

EYE_CENTRE: Point = (32.0, -57.0, -36.0)
_EYE_MM = 12.0
_ORBIT_APEX: Point = (13.0, -19.0, -29.0)
_SOFT = (Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE)


def paint_face(canvas: Canvas, rng: Generator) -> None:
    """Everything of the face, from deep to superficial where later paint covers earlier."""
    _paint_muscles(canvas)
    _paint_face_bones(canvas)
    _paint_jaws(canvas)
    _paint_sinuses(canvas, rng)
    _paint_nose(canvas)
    _paint_airway(canvas)
    _paint_orbits(canvas)


def _paint_muscles(canvas: Canvas) -> None:
    masseter = Ellipsoid((55, -16, -86), (7.5, 17, 29), 2.4, turn=12)
    pterygoids = (Ellipsoid((39, -12, -84), (7, 13, 22), tilt=8), Ellipsoid((38, -14, -58), (12, 15, 8)))
    temporalis = Tube(((62, -2, 12), (60, -10, -25), (52, -16, -62)), (16, 13, 8), (0.42, 1.9, 1.3))
    parotid = Ellipsoid((56, 12, -80), (9, 13, 22), 2.2, turn=20)
    submandibular = Ellipsoid((34, -30, -124), (8, 14, 10))
    flesh = (Tissue.FAT, Tissue.MUSCLE)
    shell = 1.3
    for muscle in both(masseter, *pterygoids, temporalis):
        canvas.paint(Tissue.FAT, [muscle], grow=shell, over=flesh)
        canvas.paint(Tissue.MUSCLE, [muscle], over=flesh)
    canvas.paint(Tissue.GLAND, both(parotid, submandibular), over=flesh)
    tongue = Ellipsoid((0, -46, -102), (23, 30, 17), 2.2, tilt=-8)
    canvas.paint(Tissue.FAT, [tongue], grow=2.0, over=flesh)
    canvas.paint(Tissue.MUSCLE, [tongue], over=flesh)
    canvas.paint(Tissue.FAT, [Ellipsoid((0, -46, -112), (1.2, 24, 9))], over=flesh)
    canvas.paint(Tissue.BLOOD, both(Tube(((30, 12, -52), (31, 8, -90), (32, 2, -168)), (2.6, 2.8, 3.4))), over=flesh)
    canvas.paint(Tissue.BLOOD, both(Tube(((33, 20, -60), (36, 16, -100), (38, 10, -168)), (4.0, 4.5, 5.5))), over=flesh)


def _paint_face_bones(canvas: Canvas) -> None:
    zygoma: tuple[Shape, ...] = (
        Tube(((47, -52, -52), (46, -56, -60), (38, -60, -58)), (5.0, 5.5, 3.5)),
        Tube(((48, -50, -54), (58, -34, -56), (65, -16, -52), (66, 2, -47)), (4.0, 2.6, 2.4, 3.2), (0.8, 1, 1.4)),
        Tube(((48, -48, -18), (49, -48, -36), (47, -52, -52)), (4.2, 3.4, 4.4)),
        Tube(((20, -73, -20), (34, -71, -18), (48, -52, -18)), (4.0, 3.2, 4.0)),
        Tube(((18, -74, -46), (28, -70, -56), (44, -60, -54)), (2.6, 2.6, 3.2)),
        Tube(((13, -78, -30), (15, -76, -46), (15, -72, -60), (14, -74, -80)), (2.6, 2.4, 2.0, 3.0)),
        Tube(((4, -82, -24), (3.5, -90, -42), (3.0, -95, -52)), (2.2, 1.6, 1.0), (1.2, 1, 1)),
        Tube(((18, -20, -50), (19, -16, -66), (20, -14, -80)), (2.2, 1.8, 2.0), (1, 2.2, 1)),
    )
    canvas.paint(Tissue.CORTICAL_BONE, both(*zygoma))
    marrow = Tube(((47, -53, -54), (46, -56, -59), (41, -59, -58)), (2.6, 3.0, 1.4))
    canvas.paint(Tissue.MARROW, both(marrow))
    palate = Ellipsoid((0, -52, -85), (21, 31, 2.2), 3.0)
    canvas.paint(Tissue.CORTICAL_BONE, [palate])


def _arch(height: float, half_width: float, front: float, back: float, count: int) -> tuple[Point, ...]:
    """Points on a dental arch (a parabola in the axial plane), from the right end to the left."""
    across = np.linspace(-1, 1, count)
    return tuple((float(half_width * a), float(front + (back - front) * abs(a) ** 2.3), height) for a in across)


def _paint_jaws(canvas: Canvas) -> None:
    jaw = canvas.parameters.jaw
    upper = Tube(_arch(-89, 27, -83, -38, 11), (4.6,) * 11, (1, 1, 1.2))
    canvas.paint_hollow(Tissue.CORTICAL_BONE, Tissue.MARROW, [upper], 1.3)
    body = _arch(-124, 46 * jaw, -79, -14, 13)
    lower = Tube(tuple((x, y, z + 17 * abs(x / 46) ** 2.5) for x, y, z in body), (4.4,) * 13, (1, 1, 2.0))
    ramus = Tube(
        ((46 * jaw, -14, -110), (48 * jaw, -6, -90), (49, -2, -66), (51, 4, -54)), (5.5, 4.8, 3.6, 3.8), (0.62, 2.2, 1.0)
    )
    coronoid = Tube(((47, -18, -92), (48, -22, -62)), (3.2, 2.0), (0.7, 1.6, 1))
    bone = (lower, *both(ramus, coronoid))
    canvas.paint(Tissue.CORTICAL_BONE, bone, grow=canvas.visible(2.0))
    canvas.paint(Tissue.MARROW, bone)
    for height, width, front in ((-97.0, 25.0, -84.0), (-107.5, 24.0, -82.0)):
        for x, y, z in _arch(height, width, front, -42, 16)[1:-1]:
            molar = min(abs(x) / 20, 1.0)
            crown = Ellipsoid((x, y, z), (2.9 + 1.4 * molar, 2.9 + 1.2 * molar, 5.0), 2.6)
            root = Ellipsoid((x, y, z + (7.5 if z > -100 else -7.5)), (2.0, 2.0, 6.5))
            canvas.paint(Tissue.TOOTH, (crown, root))


def _paint_sinuses(canvas: Canvas, rng: Generator) -> None:
    size = canvas.parameters.sinuses
    maxillary = Ellipsoid((29, -44, -68), (12.5 * size, 17 * size, 15.5 * size), 2.6, turn=-14)
    sphenoid = (Ellipsoid((8, -15, -42), (8.5 * size, 10 * size, 8.5)), Ellipsoid((-7, -17, -42), (7.0, 9, 9 * size)))
    air = (*both(maxillary), *sphenoid)
    canvas.paint(Tissue.CORTICAL_BONE, air, grow=1.6)
    canvas.paint(Tissue.MUCOSA, both(maxillary), grow=0.6)
    canvas.paint(Tissue.AIR, air)
    canvas.paint(Tissue.CORTICAL_BONE, [Ellipsoid((0.5, -14, -42), (0.7, 10, 9), turn=9)])
    if rng.random() < 0.35:  # a mucosal cyst on the floor of one sinus, as often seen
        side = 1 if rng.random() < 0.5 else -1
        canvas.paint(Tissue.MUCOSA, [Ellipsoid((side * 29, -44, -79), (8, 9, 6))], over=(Tissue.AIR,))
    _paint_ethmoid(canvas, rng)


def _paint_ethmoid(canvas: Canvas, rng: Generator) -> None:
    low, high = (-12.5, -66.0, -52.0), (12.5, -24.0, -25.0)
    patch = canvas.patch(low, high)
    wall = cells(rng, low, high, 8.0, patch.x, patch.y, patch.z)
    block = Ellipsoid((0, -46, -38), (12.5, 23, 12.5), 3.5).distance(patch.x, patch.y, patch.z)
    inside = block < 0
    patch.labels[block < canvas.visible(1.1)] = Tissue.CORTICAL_BONE
    patch.labels[inside & (wall > 0.45 * canvas.step)] = Tissue.AIR
    patch.labels[inside & (wall > 0.25) & (wall <= 0.45 * canvas.step)] = Tissue.MUCOSA
    bent = patch.x - np.float32(1.2) * np.sin(patch.y / 9) * np.cos(patch.z / 8)
    patch.labels[inside & (np.abs(bent) < 0.6)] = Tissue.CORTICAL_BONE


def _paint_nose(canvas: Canvas) -> None:
    tip = 26.0 * canvas.parameters.nose
    cavity: tuple[Shape, ...] = (
        Ellipsoid((7, -48, -67), (6.5, 32, 17), 3.0),
        Tube(((6, -76, -64), (7, -88, -74), (7.5, -86 - 0.55 * tip, -80)), (4.2, 4.0, 3.4)),
    )
    canvas.paint(Tissue.CORTICAL_BONE, both(cavity[0]), grow=1.2, over=(Tissue.MUSCLE, Tissue.FAT))
    canvas.paint(Tissue.MUCOSA, both(*cavity), grow=0.9)
    canvas.paint(Tissue.AIR, both(*cavity))
    shells = (
        Tube(((8.5, -70, -74), (8.0, -50, -74), (8.5, -26, -73)), (3.4, 4.4, 3.0), (0.8, 1, 1.35)),
        Tube(((8.5, -62, -59), (7.8, -46, -60), (8.0, -28, -60)), (2.4, 3.2, 2.4), (0.75, 1, 1.35)),
    )
    canvas.paint(Tissue.MUCOSA, both(*shells))
    canvas.paint(Tissue.CORTICAL_BONE, both(*(Tube(s.points, (0.7,) * 3, (1, 1, 2.0)) for s in shells)))
    patch = canvas.patch((-6, -86 - tip, -86), (6, -20, -50))
    bend = np.float32(canvas.parameters.septum_deviation_mm) * np.sin((patch.y + 70) / 14) * np.cos((patch.z + 68) / 14)
    off = np.abs(patch.x - bend)
    open_air = patch.labels == Tissue.AIR
    patch.labels[open_air & (off < 1.7)] = Tissue.MUCOSA
    patch.labels[(patch.labels == Tissue.MUCOSA) & (off < 0.6) & (patch.y > -72)] = Tissue.CORTICAL_BONE
    patch.labels[(patch.labels == Tissue.MUCOSA) & (off < 0.8) & (patch.y <= -72)] = Tissue.CARTILAGE


def _paint_airway(canvas: Canvas) -> None:
    pharynx = Tube(
        ((0, -10, -64), (0, -3, -80), (0, -4, -100), (0, -3, -125), (0, -4, -170)), (6.0, 4.5, 4.0, 4.5, 6.0), (2.0, 1, 1)
    )
    canvas.paint(Tissue.MUCOSA, [pharynx], grow=1.6, over=_SOFT)
    canvas.paint(Tissue.AIR, [pharynx], over=(*_SOFT, Tissue.MUCOSA))
    palate = Tube(((0, -22, -86), (0, -12, -92), (0, -9, -102)), (3.2, 3.4, 2.0), (3.6, 1, 1))
    canvas.paint(Tissue.MUSCLE, [palate], over=(*_SOFT, Tissue.AIR))
    canvas.paint(Tissue.AIR, [Tube(((0, -74, -92), (0, -55, -89.5), (0, -34, -90)), (1.0, 1.2, 0.9), (9, 1, 1))], over=_SOFT)
    epiglottis = Tube(((0, -10, -118), (0, -14, -134)), (1.6, 1.6), (4, 1, 1))
    canvas.paint(Tissue.CARTILAGE, [epiglottis], over=(*_SOFT, Tissue.AIR, Tissue.MUCOSA))
    horns = ((-19, -14, -138), (-11, -32, -140), (0, -36, -141), (11, -32, -140), (19, -14, -138))
    hyoid = Tube(horns, (2.2, 2.8, 3.2, 2.8, 2.2))
    canvas.paint(Tissue.CORTICAL_BONE, [hyoid])


def _paint_orbits(canvas: Canvas) -> None:
    """The orbital cone with its walls, fat, four straight muscles, the nerve in its sheath, and the globe."""
    cone = Tube((_ORBIT_APEX, (24, -42, -35), (31, -58, -37)), (4.5, 13.0, 17.5), (1, 1, 0.98))
    in_front = Tube(((31, -58, -37), (32, -66, -37)), (17.5, 17.0))
    keep = (Tissue.AIR, Tissue.CORTICAL_BONE, Tissue.DIPLOE, Tissue.FAT, Tissue.MUSCLE, Tissue.MUCOSA)
    canvas.paint(Tissue.CORTICAL_BONE, both(cone), grow=canvas.visible(1.3), over=(Tissue.FAT, Tissue.MUSCLE))
    canvas.paint(Tissue.FAT, both(cone), over=keep)
    canvas.paint(Tissue.FAT, both(in_front), over=(Tissue.MUSCLE, Tissue.CORTICAL_BONE))
    _paint_eye_muscles(canvas)
    nerve = Tube((_ORBIT_APEX, (22, -34, -35), (29.5, -47, -36)), (1.8, 1.8, 1.7))
    canvas.paint(Tissue.CSF, both(nerve), grow=0.9)
    canvas.paint(Tissue.BRAINSTEM, both(nerve))
    lacrimal = Ellipsoid((43, -64, -26), (4, 7, 5))
    canvas.paint(Tissue.GLAND, both(lacrimal), over=(Tissue.FAT,))
    globe = Ellipsoid(EYE_CENTRE, (_EYE_MM, _EYE_MM, _EYE_MM))
    chamber = Ellipsoid((32, -65.5, -36), (6.0, 4.2, 6.0))
    canvas.paint(Tissue.FIBROUS, both(globe, chamber), grow=max(0.4, 0.3 * canvas.step))
    canvas.paint(Tissue.VITREOUS, both(Ellipsoid(EYE_CENTRE, (_EYE_MM - 0.9,) * 3), chamber))
    canvas.paint(Tissue.LENS, both(Ellipsoid((32, -64.2, -36), (4.6, 2.2, 4.6))))


def _paint_eye_muscles(canvas: Canvas) -> None:
    x, y, z = EYE_CENTRE
    apex = (_ORBIT_APEX[0] + 1, _ORBIT_APEX[1] - 5, _ORBIT_APEX[2] - 1)
    for right, up in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        belly = (0.5 * (apex[0] + x) + 9.5 * right, -41.0, 0.5 * (apex[2] + z) + 9.0 * up)
        insertion = (x + 12.3 * right, y - 1.0, z + 12.3 * up)
        flat = (0.8, 1.0, 1.5) if right else (1.5, 1.0, 0.8)
        muscle = Tube(((apex[0] + 3 * right, apex[1], apex[2] + 3 * up), belly, insertion), (1.3, 2.6, 0.9), flat)
        canvas.paint(Tissue.MUSCLE, both(muscle), over=(Tissue.FAT,))
