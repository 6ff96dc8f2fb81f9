"""What each tissue of the phantom looks like to a CT and to an MR scanner.

CT numbers are typical values at 120 kV. Relaxation times are for 1.5 T.
Brain, CSF, fat and muscle: the BrainWeb set (Collins et al. 1998, IEEE TMI 17:463; Kwan et al. 1999, IEEE TMI 18:1085).
Cartilage and the T1 of blood: Stanisz et al. 2005, MRM 54:507. The rest are estimates of our own, chosen to give the usual
appearance; of the sets above, fat has a lowered proton density (off resonance) and a lengthened T2 (echo trains keep fat
bright), and blood a low proton density and a short T2 because it flows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Tissue(IntEnum):
    """Values of the tissue map."""

    OUTSIDE = 0
    AIR = 1
    SKIN = 2
    FAT = 3
    MUSCLE = 4
    CORTICAL_BONE = 5
    DIPLOE = 6
    DENSE_BONE = 7
    TOOTH = 8
    MARROW = 9
    CSF = 10
    VENTRICLE = 11
    GREY_MATTER = 12
    WHITE_MATTER = 13
    DEEP_GREY = 14
    BRAINSTEM = 15
    FIBROUS = 16
    BLOOD = 17
    VITREOUS = 18
    LENS = 19
    MUCOSA = 20
    GLAND = 21
    CARTILAGE = 22
    CALCIFICATION = 23
    LESION = 24


@dataclass(frozen=True, slots=True)
class Properties:
    """`hu`: mean CT number; `hu_texture`: its standard deviation inside the tissue, before the scanner's blur.

    `t1_ms`, `t2_ms`: relaxation times at 1.5 T; `proton_density`: relative to water.
    `texture`: relative standard deviation of the MR signal inside the tissue.
    """

    hu: float
    hu_texture: float
    t1_ms: float
    t2_ms: float
    proton_density: float
    texture: float = 0.04


_NO_SIGNAL = (1000.0, 1.0, 0.0, 0.0)

PROPERTIES: dict[Tissue, Properties] = {
    Tissue.OUTSIDE: Properties(-1000, 0, *_NO_SIGNAL),
    Tissue.AIR: Properties(-1000, 0, *_NO_SIGNAL),
    Tissue.SKIN: Properties(30, 25, 700, 45, 0.75, 0.10),
    Tissue.FAT: Properties(-98, 12, 350, 110, 0.72, 0.08),
    Tissue.MUSCLE: Properties(58, 14, 900, 47, 0.95, 0.10),
    Tissue.CORTICAL_BONE: Properties(1350, 180, 1000, 1, 0.05, 0.0),
    Tissue.DIPLOE: Properties(620, 190, 480, 60, 0.32, 0.25),
    Tissue.DENSE_BONE: Properties(1750, 200, 1000, 1, 0.05, 0.0),
    Tissue.TOOTH: Properties(2350, 200, 1000, 1, 0.03, 0.0),
    Tissue.MARROW: Properties(260, 110, 420, 75, 0.50, 0.20),
    Tissue.CSF: Properties(7, 3, 2569, 329, 1.0, 0.02),
    Tissue.VENTRICLE: Properties(5, 2, 2569, 329, 1.0, 0.01),
    Tissue.GREY_MATTER: Properties(38, 4, 833, 83, 0.86),
    Tissue.WHITE_MATTER: Properties(28, 3, 500, 70, 0.77, 0.03),
    Tissue.DEEP_GREY: Properties(37, 3, 680, 74, 0.82, 0.03),
    Tissue.BRAINSTEM: Properties(30, 3, 560, 74, 0.77, 0.03),
    Tissue.FIBROUS: Properties(62, 6, 900, 35, 0.60, 0.05),
    Tissue.BLOOD: Properties(52, 4, 1441, 50, 0.55, 0.10),
    Tissue.VITREOUS: Properties(9, 2, 2800, 600, 1.0, 0.01),
    Tissue.LENS: Properties(85, 4, 1100, 28, 0.70, 0.02),
    Tissue.MUCOSA: Properties(34, 6, 1000, 120, 0.90, 0.08),
    Tissue.GLAND: Properties(22, 20, 650, 75, 0.88, 0.10),
    Tissue.CARTILAGE: Properties(95, 15, 1024, 30, 0.60, 0.05),
    Tissue.CALCIFICATION: Properties(240, 60, 1000, 8, 0.30, 0.05),
    Tissue.LESION: Properties(52, 4, 1350, 150, 0.92, 0.06),
}


def table(column: str) -> NDArray[np.float32]:
    """One property of all tissues, float32 (25,), indexed by the values of the tissue map."""
    return np.array([getattr(PROPERTIES[tissue], column) for tissue in Tissue], np.float32)
