"""Small moves by hand on top of a transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctmri_core.geometry import FloatArray, Triple, rigid_transform
from ctmri_core.preprocess.spatial_transform import SpatialTransform


@dataclass(frozen=True, slots=True)
class Nudge:
    """How far the moving volume is moved (mm towards left, back, head) and turned (degrees about these axes through its middle).
    """

    mm: Triple = (0.0, 0.0, 0.0)
    degrees: Triple = (0.0, 0.0, 0.0)

    def __bool__(self) -> bool:
        return any((*self.mm, *self.degrees))

    def matrix(self, middle: FloatArray) -> FloatArray:
        """(4, 4) LPS -> LPS; `middle`: where the moving volume's lies before it."""
        x, y, z = (float(value) for value in middle)
        return rigid_transform(self.degrees, self.mm, (x, y, z))

    def on(self, transform: SpatialTransform, middle: FloatArray) -> SpatialTransform:
        """`transform`, and then this."""
        back = np.asarray(np.linalg.inv(self.matrix(middle)), np.float64)
        if transform.spline is None:
            return SpatialTransform(transform.matrix @ back)
        raise ValueError("What was bent is not moved by hand.")

    def __str__(self) -> str:
        """`by hand 1.0 mm towards left, turned 2.0 degrees about left-right`."""
        ways = [f"{abs(mm):.1f} mm towards {way[mm < 0]}" for mm, way in zip(self.mm, _WAYS, strict=True) if mm]
        turns = [f"turned {angle:.1f} degrees about {axis}" for angle, axis in zip(self.degrees, _AXES, strict=True) if angle]
        return f"by hand {', '.join((*ways, *turns))}" if ways or turns else ""


_WAYS = (("left", "right"), ("back", "front"), ("head", "feet"))
_AXES = ("left-right", "front-back", "feet-head")
