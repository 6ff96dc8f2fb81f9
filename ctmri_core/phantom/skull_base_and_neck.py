"""Petrous and mastoid bones, clivus, ear canals, cervical spine with its cord. Positions in mm of the average head."""

from __future__ import annotations

from ctmri_core.phantom.canvas import Canvas
from ctmri_core.phantom.noise import Generator, cells
from ctmri_core.phantom.shapes import Ellipsoid, Point, Shape, Tube, both
from ctmri_core.phantom.tissues import Tissue

_CANAL: tuple[Point, ...] = ((0, 41, -58), (0, 43, -72), (0, 43, -95), (0, 45, -120), (0, 51, -168))
_SOFT = (Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE, Tissue.GLAND, Tissue.BLOOD)


def paint_skull_base(canvas: Canvas, rng: Generator) -> None:
    """Bones under and behind the middle fossa; the cavity is painted over them later."""
    petrous = Tube(((15, 11, -39), (30, 21, -38), (46, 29, -40), (56, 31, -42)), (6.0, 8.5, 9.5, 8.0))
    clivus = Tube(((0, 2, -40), (0, 12, -50), (0, 20, -62)), (7.5, 6.5, 3.5), (1.9, 1, 1))
    condyles = Tube(((20, 30, -66), (17, 40, -67)), (5.5, 5.0))
    jugular = Tube(((24, 26, -58), (34, 30, -56)), (5.0, 5.0))
    temporal_joint = Tube(((50, -2, -46), (62, 6, -47)), (4.0, 4.0))
    canvas.paint(Tissue.CORTICAL_BONE, both(petrous, condyles, jugular, temporal_joint), grow=1.0)
    canvas.paint(Tissue.CORTICAL_BONE, [clivus], grow=canvas.visible(1.4))
    canvas.paint(Tissue.MARROW, [clivus, *both(Tube(((12, 4, -42), (16, 9, -44)), (3.4, 3.4)))])
    canvas.paint(Tissue.DIPLOE, both(condyles, jugular, temporal_joint), grow=-1.6)
    canvas.paint(Tissue.DIPLOE, both(petrous), grow=-3.5)
    canvas.paint(Tissue.DENSE_BONE, both(Ellipsoid((33, 21, -37), (13, 6.5, 6), turn=34)))
    _paint_mastoids(canvas, rng)
    _paint_inner_ears(canvas)


def _paint_mastoids(canvas: Canvas, rng: Generator) -> None:
    size = canvas.parameters.mastoid_cells
    for side in (1, -1):
        body = Ellipsoid((side * 55, 36, -48), (11, 15, 19), 2.2, tilt=14)
        canvas.paint(Tissue.CORTICAL_BONE, [body], grow=1.6)
        low, high = body.bounds()
        patch = canvas.patch(low, high)
        wall = cells(rng, low, high, 6.0, patch.x, patch.y, patch.z)
        deep = body.distance(patch.x, patch.y, patch.z) < -1.2 / size
        patch.labels[deep & (wall > 0.75)] = Tissue.AIR
    canal = Tube(((80, 22, -42), (60, 20, -42), (50, 20, -40)), (4.2, 3.2, 3.2))
    canvas.paint(Tissue.SKIN, both(canal), grow=1.2, over=_SOFT)
    canvas.paint(Tissue.AIR, both(canal, Ellipsoid((46, 19, -39), (3.2, 4.5, 7))), over=(*_SOFT, *_BONE, Tissue.CARTILAGE))


_BONE = (Tissue.CORTICAL_BONE, Tissue.DIPLOE, Tissue.DENSE_BONE)


def _paint_inner_ears(canvas: Canvas) -> None:
    meatus = Tube(((20, 24, -35), (32, 25, -36)), (3.0, 2.2))
    cochlea = Ellipsoid((35, 17, -37), (2.6, 2.4, 2.2))
    canals = Tube(((39, 28, -38), (41, 31, -33), (42, 27, -31)), (1.2, 0.9, 0.9))
    ossicles = Ellipsoid((47, 19, -36), (1.0, 1.4, 1.6))
    canvas.paint(Tissue.CSF, both(meatus, cochlea, canals), over=_BONE)
    canvas.paint(Tissue.DENSE_BONE, both(ossicles))


def paint_spine(canvas: Canvas) -> None:
    """Atlas, axis with its dens, further vertebrae and discs, the dural sac and the cord."""
    _paint_atlas_and_axis(canvas)
    top = -106.0
    for n in range(4):
        z = top - 17.5 * n
        y = 26.5 + 0.055 * (-z - 100) + 0.4 * n
        _paint_vertebra(canvas, y, z)
        canvas.paint(Tissue.CARTILAGE, [Ellipsoid((0, y - 0.3, z + 8.6), (9.5, 8.0, 2.6), 3.0)])
    sac = Tube(_CANAL, (11.5, 9.0, 8.0, 7.6, 7.4), (1.15, 1, 1))
    canvas.paint(Tissue.FIBROUS, [sac], grow=0.9)
    canvas.paint(Tissue.CSF, [sac])
    cord = Tube(_CANAL, (6.0, 5.0, 4.4, 4.3, 4.4), (1.25, 1, 1))
    canvas.paint(Tissue.BRAINSTEM, [cord])


def _bone(canvas: Canvas, shapes: tuple[Shape, ...]) -> None:
    canvas.paint(Tissue.CORTICAL_BONE, shapes, grow=canvas.visible(1.1))
    canvas.paint(Tissue.MARROW, shapes)


def _paint_atlas_and_axis(canvas: Canvas) -> None:
    front = Tube(((-16, 30, -78), (-8, 19, -78), (0, 16.5, -78), (8, 19, -78), (16, 30, -78)), (4, 2.4, 3.0, 2.4, 4))
    masses = both(Ellipsoid((22, 34, -77), (8, 9, 7.5)), Tube(((28, 36, -78), (39, 40, -79)), (3.6, 2.8)))
    back = Tube(((-24, 42, -79), (-14, 58, -79), (0, 63, -80), (14, 58, -79), (24, 42, -79)), (2.6,) * 5, (1, 1, 1.3))
    _bone(canvas, (front, back, *masses))
    dens = Tube(((0, 26, -66), (0, 26, -84), (0, 26, -92)), (3.6, 4.6, 7.5))
    body = Ellipsoid((0, 26, -93), (9.5, 7.5, 8.5), 2.6)
    sides = both(Ellipsoid((19, 34, -91), (8, 8, 7)))
    arch = ((-20, 42, -95), (-11, 57, -96), (0, 64, -97), (11, 57, -96), (20, 42, -95))
    lamina = Tube(arch, (2.6, 2.4, 3.2, 2.4, 2.6), (1, 1, 1.9))
    spine = Tube(((0, 64, -97), (0, 78, -102)), (3.4, 4.2))
    _bone(canvas, (dens, body, lamina, spine, *sides))


def _paint_vertebra(canvas: Canvas, y: float, z: float) -> None:
    body = Ellipsoid((0, y, z), (10.5, 7.5, 6.6), 3.2)
    transverse = Tube(((10, y + 2, z), (24, y + 1, z - 1)), (2.4, 2.8))
    pillars = both(Ellipsoid((20, y + 11, z - 1), (5.6, 6.5, 8.2), 2.4, tilt=20), transverse)
    lamina = Tube(
        ((-19, y + 16, z - 3), (-10, y + 30, z - 6), (0, y + 34, z - 7), (10, y + 30, z - 6), (19, y + 16, z - 3)),
        (2.0, 1.8, 2.4, 1.8, 2.0), (1, 1, 1.9),
    )  # fmt: skip
    spine = Tube(((0, y + 34, z - 7), (0, y + 46, z - 12)), (2.4, 2.6))
    _bone(canvas, (body, lamina, spine, *pillars))
    vertebral_arteries = both(Tube(((15.5, y + 3, z - 9), (15.5, y + 3, z + 9)), (2.2, 2.2)))
    canvas.paint(Tissue.BLOOD, vertebral_arteries)


def brainstem_shapes() -> tuple[Shape, ...]:
    """Midbrain, pons, medulla; the cord is painted with the spine."""
    peduncles = both(Tube(((6, 17, -14), (13, 10, -4)), (6.5, 7.5)))
    midbrain = Ellipsoid((0, 25, -11), (14.5, 11, 11), 2.3)
    pons = Ellipsoid((0, 21, -29), (16, 12.5, 13.5), 2.3, tilt=-10)
    arms = both(Tube(((11, 26, -30), (24, 40, -34)), (8.0, 6.5)))
    medulla = Tube(((0, 26, -40), (0, 32, -50), (0, 41, -63)), (9.0, 7.5, 6.0), (1.2, 1, 1))
    return (midbrain, pons, medulla, *peduncles, *arms)

