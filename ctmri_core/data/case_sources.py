"""Where training cases come from: a folder of patients, or digital heads made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.case import Case
from ctmri_core.domain import Direction, Domain
from ctmri_core.errors import TrainingFailed
from ctmri_core.io.formats import FILE_SUFFIXES
from ctmri_core.io.opening import open_volume
from ctmri_core.preprocess.resample import resample_to

_STEMS: Mapping[Domain, tuple[str, ...]] = {
    Domain.CT: ("ct",),
    Domain.MR: ("mr",),
    Domain.MR_T1: ("mr_t1", "t1", "mr"),
    Domain.MR_T1_GD: ("mr_t1_gd", "t1_gd", "t1c", "mr"),
    Domain.MR_T2: ("mr_t2", "t2", "mr"),
    Domain.MR_FLAIR: ("mr_flair", "flair", "mr"),
    Domain.MR_PD: ("mr_pd", "pd", "mr"),
}
_MOST_PHANTOMS = 10_000


@dataclass(frozen=True)
class CaseReference:
    """A case that has not been read yet. `load` may raise `FileRefused`."""

    identifier: str
    load: Callable[[], Case]


@dataclass(frozen=True)
class CaseSource:
    """`what` and `licence`: one line each for the model card. `cases`: in a fixed order."""

    what: str
    licence: str
    phantom: bool
    cases: tuple[CaseReference, ...]


def find_cases(spec: str, direction: Direction, voxel_mm: float) -> CaseSource:
    """The cases that `spec` names.

    `phantom:COUNT[:SEED]` makes COUNT digital heads with voxels near `voxel_mm`, seeds from SEED (0) on. Anything else is a
    folder with one folder per patient that holds a file per domain (`ct.nii.gz`, `mr.nii.gz` or `mr_t1.nii.gz` or
    `t1.nii.gz`, ...; .nii, .mha and .nrrd as well) and, where there is one, `mask.nii.gz`, the body. Raises
    `TrainingFailed` saying what is missing.
    """
    if spec.startswith("phantom:"):
        return _phantoms(spec, voxel_mm)
    folder = Path(spec)
    if not folder.is_dir():
        raise TrainingFailed(f"The data folder {folder.name} does not exist. Name a folder of patients, or phantom:COUNT.")
    cases = []
    for patient in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = {domain: _file_of(patient, _STEMS[domain]) for domain in (direction.source, direction.target)}
        if all(files.values()):
            cases.append(CaseReference(patient.name, partial(_load_case, patient, files)))
    if not cases:
        wanted = " and ".join(f"{_STEMS[domain][0]}.nii.gz" for domain in (direction.source, direction.target))
        raise TrainingFailed(f"{folder.name} holds no patient folder with {wanted}. Each patient needs a folder of its own.")
    return CaseSource("paired scans of origin not stated", "not stated", False, tuple(cases))


def _phantoms(spec: str, voxel_mm: float) -> CaseSource:
    from ctmri_core.phantom import make_head  # its kernels are loaded only when heads are made

    numbers = spec.split(":")[1:]
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise TrainingFailed(f"{spec!r} is not of the form phantom:COUNT or phantom:COUNT:SEED, with whole numbers.")
    count, first = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 0
    if not 1 <= count <= _MOST_PHANTOMS:
        raise TrainingFailed(f"phantom:{count}: between 1 and {_MOST_PHANTOMS} heads can be made.")
    voxel_mm = min(max(voxel_mm, 0.7), 4.0)  # what a head can be made with
    cases = tuple(
        CaseReference(f"phantom-{seed}", partial(make_head, seed, voxel_mm=voxel_mm)) for seed in range(first, first + count)
    )
    what = f"digital head phantoms made by this program (seeds {first} to {first + count - 1}), no patient"
    return CaseSource(what, "Apache-2.0, as the program", True, cases)


def _file_of(folder: Path, stems: tuple[str, ...]) -> Path | None:
    candidates = (folder / f"{stem}{suffix}" for stem in stems for suffix in FILE_SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def _load_case(folder: Path, files: Mapping[Domain, Path | None]) -> Case:
    volumes = {domain: replace(open_volume(path), domain=domain) for domain, path in files.items() if path is not None}
    masks: dict[str, NDArray[np.bool_]] = {}
    mask_file = _file_of(folder, ("mask", "body"))
    if mask_file is not None:
        first = next(iter(volumes.values()))
        masks["body"] = resample_to(open_volume(mask_file), first.geometry, 0).voxels > 0
    return Case(folder.name, volumes, masks)
