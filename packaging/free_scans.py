"""Scans that anybody may use, on voxels of one size, for what ships with the program to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.io.opening import open_volume
from ctmri_core.preprocess.body_mask import body_mask
from ctmri_core.preprocess.resample import resample_array, resample_to

Array = NDArray[Any]


@dataclass(frozen=True)
class Scan:
    """`file`: below the folder with the sets. `outlined_from`: share of its slices, from the feet, from which on the classical
    outline was looked at and found good; 1 where it is not. `head`: it shows one."""

    name: str
    file: str
    domain: Domain
    outlined_from: float = 0.0
    head: bool = False


SCANS = (
    Scan("visible_female", "visible_female_head_ct/head_ct.nii.gz", Domain.CT, head=True),
    Scan("pork_ct", "porcine_ct_t2/ct.nii.gz", Domain.CT),
    Scan("trunk_ct", "totalsegmentator_examples/example_ct.nii.gz", Domain.CT),
    Scan("chest_ct", "totalsegmentator_examples/pulmonary_ct_cropped.nii.gz", Domain.CT, 1.0),  # lungs cut off by the picture
    Scan("heart_ct", "totalsegmentator_examples/aorta_ct_cropped.nii.gz", Domain.CT, 1.0),
    Scan("pork_mr", "porcine_ct_t2/mr_t2.nii.gz", Domain.MR_T2),
    Scan("studyforrest", "studyforrest_t1/t1w_from_dicom.nii.gz", Domain.MR_T1, 0.4, head=True),  # the face is cut out below
    Scan("trunk_mr", "totalsegmentator_examples/example_mr_sm.nii.gz", Domain.MR),
)
WHAT = "Visible Female, MRI-DIR pork, studyforrest, TotalSegmentator examples"
LICENCE = "PDDL 1.0; CC BY 4.0 (doi 10.7937/K9/TCIA.2018.3f08iejt); NLM, public use with credit; Apache-2.0"


def voxels_and_body(folder: Path, scan: Scan, voxel_mm: float) -> tuple[Array, NDArray[np.bool_]]:
    """Values and the classical outline, feet first, rows to posterior, columns to the left."""
    volume = open_volume(folder / scan.file)
    low, high = volume.geometry.corners.min(0), volume.geometry.corners.max(0)
    k, j, i = (int((high[axis] - low[axis]) / voxel_mm) + 1 for axis in (2, 1, 0))
    grid = Geometry((k, j, i), (voxel_mm, voxel_mm, voxel_mm), (low[0], low[1], low[2]))
    return resample_to(volume, grid).voxels, resample_array(body_mask(volume), volume.geometry, grid)
