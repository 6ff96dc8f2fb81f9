"""A folder per patient with a file per domain: SynthRAD (`1BA001/{ct,mr,mask}.nii.gz`) and whatever looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, assigned, files, folders, shown, side_of
from ctmri_core.data.layouts.names import domain_said, says_domain_only, says_mask
from ctmri_core.data.layouts.volume_files import load_volumes, stem_of
from ctmri_core.domain import Domain

_MASKS = ("mask", "body")
_SYNTHRAD = re.compile(r"[12](?:B|P|HN|TH|AB)([A-Z])\w?\d{2,3}")
_LOOKED_AT = 50


def centre_of(identifier: str) -> str:
    """The centre that an id of SynthRAD names: `A` of `1BA001`; "" for other names."""
    found = _SYNTHRAD.fullmatch(identifier)
    return found[1] if found else ""


class PatientFiles:
    """A folder per patient with a file per domain, named by it, or a folder per domain with one volume in it."""

    name = "patients"
    looks = "PATIENT/ct.nii.gz, mr.nii.gz or mr_t1.nii.gz, ..., mask.nii.gz (.nii, .mha, .nrrd as well)"

    def recognises(self, folder: Path) -> bool:
        """Whether a patient's folder holds files named by domains."""
        return any(_said(patient) for patient in self._patients(folder)[:_LOOKED_AT])

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        for patient in self._patients(folder):
            chosen = assigned(_said(patient), domains)
            if chosen:
                mask = next((path for path in files(patient) if stem_of(path).lower() in _MASKS), None)
                centre = centre_of(patient.name)
                load = partial(load_volumes, patient.name, chosen, mask, centre, labelled=Domain.MASK in domains)
                yield CaseReference(patient.name, load, centre=centre, domains=shown(chosen, domains, masked=mask is not None))

    def _patients(self, folder: Path) -> list[Path]:
        """The folders of patients; `folder` itself where it holds the files of one."""
        return [folder] if _files(folder) else folders(folder)


class SynthRad(PatientFiles):
    """The same with the ids of SynthRAD, which tell the centre; the folders of regions (`Task1/brain`) are looked into."""

    name = "synthrad"
    looks = "SynthRAD2023 and 2025: 1BA001/ct.nii.gz (.mha), mr.nii.gz, mask.nii.gz; the centre is in the id"

    def _patients(self, folder: Path) -> list[Path]:
        here = [path for path in folders(folder) if centre_of(path.name)]
        if here:
            return here
        outer = [path for path in folders(folder)[:_LOOKED_AT] if not side_of(path.name)]
        below = [path for one in outer for path in (one, *folders(one)[:_LOOKED_AT])]
        return sorted(patient for place in below for patient in folders(place) if centre_of(patient.name))


def _said(patient: Path) -> list[tuple[Domain, Path]]:
    """(domain, file) of the volumes of a patient."""
    found = _files(patient)
    for place in folders(patient):
        if says_domain_only(place.name):
            volumes = [path for path in files(place) if stem_of(path) and not says_mask(stem_of(path))]
            if len({stem_of(path) for path in volumes}) == 1 and domain_said(stem_of(volumes[0])) is Domain.UNKNOWN:
                found.append((domain_said(place.name), volumes[0]))
    return found


def _files(patient: Path) -> list[tuple[Domain, Path]]:
    """(domain, file) of those that are named by their domain."""
    return [(domain_said(stem), path) for path in files(patient) if says_domain_only(stem := stem_of(path))]
