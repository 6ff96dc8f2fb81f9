"""Pictures for a rehearsal: digital heads as an MR shows them, and as clumsy models might have made them.

Synthetic pictures are sampled from the same head as real ones, as often and with the same noise, so that trivial features hardly
tell; but their contours waver and a lesion may be missing, which a careful eye sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.phantom import make_head
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.studies.common_form import MR_TOP, CommonForm, in_common_form
from ctmri_core.studies.pictures import Int16Array
from ctmri_core.studies.trials import Millimetres
from ctmri_core.studies.truth import REAL
from ctmri_core.volume import Volume

MODELS = ("Model A", "Model B")
FORM = CommonForm(domain=Domain.MR_T1, shape=(13, 152, 112), spacing=(4.0, 1.6, 1.6), low=0.0, high=float(MR_TOP))
_VOXEL_MM = 2.0
_FROM_PINEAL = (0.0, -14.0, 22.0)
"""LPS mm from the pineal gland to the middle of the stack, which then holds the ventricles and most of the cerebrum."""
_WAVER = {"Model A": (1.2, 9.0), "Model B": (2.4, 20.0)}
"""Standard deviation and wavelength, mm, of the displacement within slices."""
_EDGE_MM = 6.0
_CALM_MM = 12.0
"""From the skin inwards contours begin to waver: where all pictures are cut alike, wavering skin would tell at once."""
Field = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeadPictures:
    """Of one digital head, by arm, (k, j, i) in `FORM`. `origin`: LPS mm of the first voxel. `lesion`: its centre, mm as of a
    `Mark`, and its radius; None where there is none. Model A shows none in each second head that has one."""

    seed: int
    origin: Millimetres
    arms: dict[str, Int16Array]
    lesion: tuple[Millimetres, float] | None


def heads(first_seed: int, *, lesions: bool) -> Iterator[HeadPictures]:
    """Without end, all on one grid. `lesions`: every second head has one."""
    seed, place = first_seed, 0
    while True:
        with_lesion = lesions and place % 2 == 0
        head = make_head(seed, voxel_mm=_VOXEL_MM, lesion=with_lesion, table=False)
        made = _pictures(head, seed, misses=place % 4 == 0)
        if made is not None:
            place += 1
            yield made
        seed += 1


def _pictures(head: Case, seed: int, *, misses: bool) -> HeadPictures | None:
    """None where a lesion lies outside of the stack."""
    centre = tuple(a + b for a, b in zip(head.details["landmarks"]["pineal"], _FROM_PINEAL, strict=True))
    x, y, z = centre
    grid = FORM.grid((x, y, z))
    told = head.details["lesion"]
    lesion = None
    if told is not None:
        k, j, i = (place - start for place, start in zip(told["centre_mm"][::-1], grid.origin[::-1], strict=True))
        if not _EDGE_MM <= k <= (FORM.shape[0] - 1) * FORM.spacing[0] - _EDGE_MM:
            return None
        lesion = (k, j, i), float(told["radius_mm"])
    shown = dict.fromkeys((REAL, *MODELS), head)
    if lesion is not None and misses:
        shown[MODELS[0]] = make_head(seed, voxel_mm=_VOXEL_MM, table=False)
    chance = np.random.default_rng([seed, 77])
    body, on = head.masks["body"], head[Domain.CT].geometry
    deep = distance_transform_edt(resample_array(body, on, grid, order=0), grid.spacing)
    weight = np.clip(deep / _CALM_MM, 0, 1).astype(np.float32)
    arms = {}
    for arm, source in shown.items():
        values = _sampled(source[Domain.MR_T1], grid, arm, chance, weight)
        arms[arm] = in_common_form(Volume(values, grid, Domain.MR_T1), body, on, FORM, (x, y, z))
    return HeadPictures(seed, grid.origin, arms, lesion)


def _sampled(volume: Volume, grid: Geometry, arm: str, chance: np.random.Generator, weight: Field) -> Field:
    """Once, by linear interpolation, at places that waver in the synthetic arms, as much as `weight` says."""
    places = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1).astype(np.float64)
    if arm in _WAVER:
        far, wave = _WAVER[arm]
        for axis in (1, 2):
            places[..., axis] += far / grid.spacing[axis] * weight * _smooth_noise(grid, wave, chance)
    index = volume.geometry.mm_to_index(grid.index_to_mm(places))
    voxels = volume.voxels.astype(np.float32)
    values: Field = map_coordinates(voxels, np.moveaxis(index, -1, 0), order=1, mode="constant")
    return values


def _smooth_noise(grid: Geometry, wave: float, chance: np.random.Generator) -> Field:
    """Unit standard deviation."""
    white = chance.standard_normal(grid.shape, np.float32)
    noise: Field = gaussian_filter(white, [wave / 2.5 / step for step in grid.spacing])
    return noise / np.float32(max(float(noise.std()), 1e-6))
