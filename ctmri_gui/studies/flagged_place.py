"""A place that a reader flagged, as readers saw it: the study's own pictures of the case, laid where the patient lay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.geometry import Geometry
from ctmri_core.studies.analysis.results import Flagged
from ctmri_core.studies.study_folder import StudyFolder
from ctmri_core.studies.truth import REAL, ItemTruth, Truth
from ctmri_core.volume import Finding, Synthetic, Volume
from ctmri_gui.jobs import work

_SHOWN = (
    "As a reader study showed it: resampled, cut to the body, and MR on a scale of its own. Look at it; measure in the scan."
)
_UNSAID = "The files of this case do not say how the patient lies: sides and plane are not known, whatever the letters say."
_GONE = "The study no longer holds the picture of this place: it was changed since it was analysed."


@dataclass(frozen=True, eq=False)
class ShownPlace:
    """`real`: of the same case, None where it was not shown real; `at`: LPS mm, in the middle of the slice where no place was
    `marked`."""

    made: Volume
    real: Volume | None
    at: NDArray[np.float64]
    marked: bool


def load_place(folder: Path, flagged: Flagged, passphrase: str, stop: StopSignal) -> Work[ShownPlace | None]:
    """Raises `CtmriError` where the study no longer holds it, or its truth does not open."""
    yield Progress(done=0, message="opening the picture")
    study = StudyFolder(folder)
    truth = study.truth(passphrase)
    item = next((one for one in truth.items if one.token == flagged.token), None)
    if item is None:
        raise CtmriError(_GONE)
    beside = next((one for one in truth.items if one.case == item.case and one.arm == REAL), None)
    made = _volume(study, truth, item)
    real = None if beside is None else _volume(study, truth, beside)
    for volume in _there(made, real):
        yield from work.look_at(volume, stop)
    if stop():
        return None
    middle = made.geometry.index_to_mm((np.asarray(made.geometry.shape, np.float64) - 1) / 2)
    marked = flagged.lps is not None
    return ShownPlace(made, real, np.asarray(flagged.lps, np.float64) if marked else middle, marked)


def _there(*volumes: Volume | None) -> Iterator[Volume]:
    return (volume for volume in volumes if volume is not None)


def _volume(study: StudyFolder, truth: Truth, item: ItemTruth) -> Volume:
    form, voxels = study.pictures.items[item.token], study.pictures.voxels(item.token)
    domain = Domain.CT if voxels.min() < 0 else Domain.MR  # outside of the body CT has the HU of air, MR nought
    arm = next((one for one in truth.arms if one.name == item.arm), None)
    synthetic = None if item.arm == REAL else Synthetic(item.arm, "" if arm is None else arm.weights_sha256)
    geometry = Geometry(form.shape, form.spacing, item.origin or (0.0, 0.0, 0.0))
    unsaid = () if item.origin else (Finding("missing_orientation", _UNSAID, serious=True),)
    what = "real" if synthetic is None else item.arm
    return Volume(
        voxels, geometry, domain, name=f"{domain.label}, {what}", synthetic=synthetic,
        findings=(*unsaid, Finding("study", _SHOWN, serious=True)),
    )  # fmt: skip
