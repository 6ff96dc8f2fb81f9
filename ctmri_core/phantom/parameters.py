"""What makes one head different from another: numbers drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HeadParameters:
    """Lengths in mm; scales and shares relative to an average head.

    `scale`: width, length, height. `side`: by how much the left half is wider than the right (relative).
    `torque`: mm of backward shift per mm to the left (the usual petalia). `pose_degrees`: rotation about x, y, z and
    `pose_mm`: shift of the head in the scanner. `fold_mm`: wavelength of the cortical folding.
    """

    scale: tuple[float, float, float]
    side: float
    torque: float
    skull_mm: float
    scalp_mm: float
    face_fat_mm: float
    forehead_slope: float
    jaw: float
    nose: float
    ventricles: float
    atrophy_mm: float
    fold_mm: float
    fold_depth_mm: float
    cortex_mm: float
    sinuses: float
    mastoid_cells: float
    septum_deviation_mm: float
    pose_degrees: tuple[float, float, float]
    pose_mm: tuple[float, float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> HeadParameters:
        """A plausible adult head; all draws are bounded, so that every seed gives a whole head."""

        def around(mean: float, spread: float) -> float:
            return float(mean + spread * np.clip(rng.standard_normal(), -2, 2))

        size = around(1.0, 0.02)
        return cls(
            scale=(size * around(1, 0.022), size * around(1, 0.016), size * around(1, 0.018)),
            side=around(0, 0.008),
            torque=around(0.012, 0.010),
            skull_mm=around(6.6, 0.8),
            scalp_mm=around(5.6, 0.8),
            face_fat_mm=around(5.0, 1.2),
            forehead_slope=around(0, 0.05),
            jaw=around(1.0, 0.03),
            nose=around(1.0, 0.08),
            ventricles=float(np.exp(around(0, 0.16))),
            atrophy_mm=abs(around(0, 0.6)),
            fold_mm=around(21.5, 1.2),
            fold_depth_mm=around(16.5, 1.2),
            cortex_mm=around(2.7, 0.15),
            sinuses=around(1.0, 0.09),
            mastoid_cells=around(1.0, 0.12),
            septum_deviation_mm=around(0, 1.5),
            pose_degrees=(around(0, 3.5), around(0, 1.8), around(0, 2.2)),
            pose_mm=(around(0, 4), around(0, 4), around(0, 4)),
        )
