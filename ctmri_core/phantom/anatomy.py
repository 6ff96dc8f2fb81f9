"""From parameters to the tissue map."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ctmri_core.phantom.canvas import Canvas
from ctmri_core.phantom.cortex import paint_cerebrum
from ctmri_core.phantom.cranium import build_surfaces, paint_frontal_sinus, paint_skull, paint_soft_tissue
from ctmri_core.phantom.deep_brain import paint_cerebellum, paint_deep_brain, paint_dura
from ctmri_core.phantom.face import paint_face
from ctmri_core.phantom.parameters import HeadParameters
from ctmri_core.phantom.skull_base_and_neck import paint_skull_base, paint_spine
from ctmri_core.phantom.tissues import Tissue


def streams(seed: int) -> Iterator[np.random.Generator]:
    """Independent generators of one seed: what one part draws never shifts what another gets."""
    number = 0
    while True:
        yield np.random.default_rng([seed, number])
        number += 1


def build_anatomy(parameters: HeadParameters, step_mm: float, seed: int) -> Canvas:
    """The painted tissue map on an isotropic lattice of `step_mm`."""
    source = streams(seed)
    next(source)  # the stream of the parameters themselves
    canvas = Canvas(parameters, step_mm)
    surfaces = build_surfaces(canvas, next(source))
    paint_soft_tissue(canvas, surfaces, next(source))
    paint_skull_base(canvas, next(source))
    paint_face(canvas, next(source))
    outside = surfaces.skin > 0
    paint_skull(canvas, surfaces, keep=canvas.labels == Tissue.AIR)
    paint_frontal_sinus(canvas, surfaces, next(source))
    paint_spine(canvas)
    paint_cerebellum(canvas, surfaces, next(source))
    paint_cerebrum(canvas, surfaces, next(source))
    paint_deep_brain(canvas)
    paint_dura(canvas, surfaces)
    canvas.labels[outside] = Tissue.OUTSIDE
    return canvas
