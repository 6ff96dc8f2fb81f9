"""A whole case: one seeded head, its CT and its T1 and T2 weighted MR."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.domain import Domain
from ctmri_core.geometry import FloatArray, Geometry, rigid_transform
from ctmri_core.phantom.anatomy import build_anatomy
from ctmri_core.phantom.canvas import Canvas
from ctmri_core.phantom.deep_brain import PINEAL
from ctmri_core.phantom.face import EYE_CENTRE
from ctmri_core.phantom.lesion import paint_lesion
from ctmri_core.phantom.parameters import HeadParameters
from ctmri_core.phantom.render_ct import ct_geometry, render_ct
from ctmri_core.phantom.render_mr import T1, T2, mr_geometry, render_mr
from ctmri_core.phantom.tissues import Tissue
from ctmri_core.preprocess.resample import resample_array
from ctmri_core.volume import Volume

VERTEX = (0.0, 10.0, 89.0)
_MR_TOP = (0.0, 1.0, 89.0)  # over the middle between nose and occiput
_UID_SPACE = uuid.UUID("6f0f3d2e-5f0a-4a53-9f0e-3d5d1c1f7a10")
_FIRST_RENDER_STREAM = 100

_BRAIN_WINDOW = (40.0, 80.0)  # centre, width in HU: what a head CT opens with


def make_head(
    seed: int, *, voxel_mm: float = 1.0, lesion: bool = False, displaced: bool = False, table: bool = True
) -> Case:
    """A digital head phantom with CT, T1 and T2 weighted MR; never a patient.

    The same arguments give the same bits. `voxel_mm` (0.7 to 4) is the in-plane spacing of the CT; its slices lie
    1.5 times as far apart. CT: int16 HU. MR: int16 arbitrary units on oblique grids of their own resolution.
    `lesion`: one small lesion in the white matter, described in `details["lesion"]` (`centre_mm` in the space of the
    CT, `radius_mm`). `displaced`: the MR lies in a space of its own; `alignment` holds the rigid way back to the CT.
    `table`: the CT shows a head rest.
    `masks["body"]` and `details["tissue_map"]` (uint8, values of `Tissue`, names in `details["tissues"]`) lie on the
    CT's grid; `details["landmarks"]` holds LPS mm in the CT's space. Raises `ValueError` for a seed or size out of range.
    """
    if seed < 0 or not 0.7 <= voxel_mm <= 4.0:
        raise ValueError(f"A phantom takes a seed of 0 or more and voxels of 0.7 to 4 mm, not {seed} and {voxel_mm}.")
    canvas = build_anatomy(HeadParameters.draw(_stream(seed, 0)), voxel_mm, seed)
    facts = paint_lesion(canvas, _stream(seed, 50)) if lesion else None
    grain = _stream(seed, 51).standard_normal(canvas.labels.shape, np.float32)
    to_ct = _displacement(seed) if displaced else np.eye(4)
    ct_grid = ct_geometry(canvas.labels, canvas.geometry, voxel_mm)
    ct = render_ct(canvas.labels, canvas.geometry, grain, ct_grid, _stream(seed, _FIRST_RENDER_STREAM), with_table=table)
    tissue_map = resample_array(canvas.labels, canvas.geometry, ct_grid, order=0)
    volumes = {Domain.CT: _volume(ct, ct_grid, Domain.CT, seed, displaced=False)}
    volumes |= _mr_volumes(canvas, grain, seed, voxel_mm, to_ct, displaced)
    return Case(
        identifier=f"phantom-{seed:04d}",
        volumes=volumes,
        masks={"body": tissue_map != Tissue.OUTSIDE},
        alignment={Domain.MR_T1: to_ct, Domain.MR_T2: to_ct} if displaced else {},
        centre="phantom",
        details=_details(canvas, tissue_map, seed, facts),
    )


def _mr_volumes(
    canvas: Canvas, grain: NDArray[np.float32], seed: int, voxel_mm: float, to_ct: FloatArray, displaced: bool
) -> dict[Domain, Volume]:
    own = Geometry.from_affine(canvas.labels.shape, np.linalg.inv(to_ct) @ canvas.geometry.affine)
    top = (np.linalg.inv(to_ct) @ canvas.pose @ (*canvas.average_to_head(_MR_TOP), 1.0))[:3]
    volumes = {}
    for number, sequence in enumerate((T1, T2), start=1):
        rng = _stream(seed, _FIRST_RENDER_STREAM + number)
        grid = mr_geometry(sequence, voxel_mm, top, rng)
        voxels = render_mr(canvas.labels, own, grain, grid, sequence, rng)
        volumes[sequence.domain] = _volume(voxels, grid, sequence.domain, seed, displaced)
    return volumes


def _volume(voxels: NDArray[np.int16], geometry: Geometry, domain: Domain, seed: int, displaced: bool) -> Volume:
    return Volume(
        voxels,
        geometry,
        domain,
        name=f"Phantom {seed} {domain.label}",
        window=_BRAIN_WINDOW if domain is Domain.CT else None,
        frame_of_reference=_uid(seed, "displaced" if displaced else "common"),
        history=(f"digital phantom, seed {seed}",),
        phantom=True,
    )


def _details(canvas: Canvas, tissue_map: NDArray[np.uint8], seed: int, lesion: dict[str, Any] | None) -> dict[str, Any]:
    x, y, z = EYE_CENTRE
    points = {"left_eye": (x, y, z), "right_eye": (-x, y, z), "pineal": PINEAL, "vertex": VERTEX}
    mm = {name: canvas.pose @ (*canvas.average_to_head(point), 1.0) for name, point in points.items()}
    return {
        "kind": "digital phantom",
        "seed": seed,
        "tissue_map": tissue_map,
        "tissues": {int(tissue): tissue.name.lower().replace("_", " ") for tissue in Tissue},
        "landmarks": {name: tuple(map(float, point[:3])) for name, point in mm.items()},
        "lesion": lesion,
        "parameters": canvas.parameters,
    }


def _displacement(seed: int) -> FloatArray:
    """MR space -> CT space: as patients differ between two scanners, several degrees and centimetres."""
    rng = _stream(seed, 60)
    rotation, shift = rng.uniform(-8, 8, 3), rng.uniform(-18, 18, 3)
    return rigid_transform((rotation[0], rotation[1], rotation[2]), (shift[0], shift[1], shift[2]))


def _stream(seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, number])


def _uid(seed: int, space: str) -> str:
    """A DICOM UID (2.25 form) that is the same for the same seed and space."""
    return f"2.25.{uuid.uuid5(_UID_SPACE, f'{space} {seed}').int}"
