"""CHAOS: `CT/<n>/DICOM_anon`, `MR/<n>/T1DUAL/DICOM_anon/InPhase`, `MR/<n>/T2SPIR/DICOM_anon`. CT and MR are of other patients,
whatever their numbers say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, Side, as_asked, folders
from ctmri_core.data.layouts.series_folders import load_series
from ctmri_core.domain import Domain

_WITHIN = {
    "CT": {"DICOM_anon": Domain.CT},
    "MR": {"T1DUAL/DICOM_anon/InPhase": Domain.MR_T1, "T2SPIR/DICOM_anon": Domain.MR_T2},
}


class Chaos:
    """Abdominal CT and MR of different patients."""

    name = "chaos"
    looks = "CHAOS: CT/1/DICOM_anon, MR/1/T1DUAL/DICOM_anon/InPhase, MR/1/T2SPIR/DICOM_anon"

    def recognises(self, folder: Path) -> bool:
        """Whether there are these folders, here or in those of the released sets."""
        return any(_found(patient, kind) for kind, patient in _patients(folder))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        for kind, patient in _patients(folder):
            asked = {place: as_asked(domain, domains) for place, domain in _found(patient, kind).items()}
            known = {place: domain for place, domain in asked.items() if domain is not None}
            if not known:
                continue
            side: Side = "test" if "Test" in str(patient.relative_to(folder)) else ""
            identifier = f"{side}{kind} {patient.name}"
            load = partial(load_series, identifier, known, tuple(domains))
            yield CaseReference(identifier, load, side=side, domains=tuple(known.values()), together=len(known) > 1)


def _patients(folder: Path) -> list[tuple[str, Path]]:
    """(CT or MR, folder of a patient): here, in a folder `CT` or `MR` that was named, or in `Train_Sets`, which the archives put
    into a folder of another name.
    """
    if folder.name in _WITHIN:
        return [(folder.name, patient) for patient in folders(folder)]
    released = [path for one in folders(folder) if "_Sets" in one.name for path in (one, *folders(one)) if "_Sets" in path.name]
    return [
        (kind, patient)
        for place in (folder, *released)
        for kind in _WITHIN
        if (place / kind).is_dir()
        for patient in folders(place / kind)
    ]


def _found(patient: Path, kind: str) -> dict[Path, Domain]:
    return {patient / place: domain for place, domain in _WITHIN[kind].items() if (patient / place).is_dir()}
