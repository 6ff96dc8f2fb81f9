"""A folder per patient with a file per domain: SynthRAD2023 (`1BA001/{ct,mr,mask}.nii.gz`) and whatever looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, folders
from ctmri_core.data.layouts.volume_files import load_volumes
from ctmri_core.domain import Domain
from ctmri_core.io.formats import FILE_SUFFIXES

STEMS: Mapping[Domain, tuple[str, ...]] = {
    Domain.CT: ("ct",),
    Domain.MR: ("mr", "mr_t1", "t1", "mr_t2", "t2"),
    Domain.MR_T1: ("mr_t1", "t1", "mr"),
    Domain.MR_T1_GD: ("mr_t1_gd", "t1_gd", "t1c", "mr"),
    Domain.MR_T2: ("mr_t2", "t2", "mr"),
    Domain.MR_FLAIR: ("mr_flair", "flair", "mr"),
    Domain.MR_PD: ("mr_pd", "pd", "mr"),
}
_MASKS = ("mask", "body")
_SYNTHRAD = re.compile(r"[12](?:B|P|HN|TH|AB)([A-Z])\w?\d{2,3}")
_LOOKED_AT = 50


def centre_of(identifier: str) -> str:
    """The centre that an id of SynthRAD names: `A` of `1BA001`; "" for other names."""
    found = _SYNTHRAD.fullmatch(identifier)
    return found[1] if found else ""


class PatientFiles:
    """A folder per patient with a file per domain, named by it."""

    name = "patients"
    looks = "PATIENT/ct.nii.gz, mr.nii.gz or mr_t1.nii.gz, ..., mask.nii.gz (.nii, .mha, .nrrd as well)"

    def recognises(self, folder: Path) -> bool:
        """Whether a patient's folder holds files named by domains."""
        return any(self._files(patient, tuple(STEMS)) for patient in self._patients(folder)[:_LOOKED_AT])

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        for patient in self._patients(folder):
            files = self._files(patient, domains)
            if files:
                mask, centre = _file_of(patient, _MASKS), centre_of(patient.name)
                load = partial(load_volumes, patient.name, files, mask, centre)
                yield CaseReference(patient.name, load, centre=centre, domains=tuple(files))

    def _patients(self, folder: Path) -> list[Path]:
        """The folders of patients; `folder` itself where it holds the files of one."""
        return [folder] if self._files(folder, tuple(STEMS)) else folders(folder)

    def _files(self, patient: Path, domains: Sequence[Domain]) -> dict[Domain, Path]:
        found: dict[Domain, Path] = {}
        for domain in domains:
            file = _file_of(patient, STEMS.get(domain, ()))
            if file is not None and file not in found.values():
                found[domain] = file
        return found


class SynthRad(PatientFiles):
    """The same with the ids of SynthRAD, which tell the centre; the folders of regions (`Task1/brain`) are looked into."""

    name = "synthrad"
    looks = "SynthRAD2023: 1BA001/ct.nii.gz, mr.nii.gz, mask.nii.gz; the centre is in the id"

    def _patients(self, folder: Path) -> list[Path]:
        here = [path for path in folders(folder) if centre_of(path.name)]
        if here:
            return here
        below = [path for one in folders(folder)[:_LOOKED_AT] for path in (one, *folders(one)[:_LOOKED_AT])]
        return sorted(patient for place in below for patient in folders(place) if centre_of(patient.name))


def _file_of(folder: Path, stems: Sequence[str]) -> Path | None:
    candidates = (folder / f"{stem}{suffix}" for stem in stems for suffix in FILE_SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)
