"""A folder per patient with a folder of pictures per domain: `patient_01/{ct,mr_t1,mr_t2}/001.png`; equal names, same slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import SIDES, CaseReference, LayoutOptions, as_asked, folders
from ctmri_core.data.layouts.picture_files import load_pictures, pictures
from ctmri_core.domain import Domain
from ctmri_core.io.domain_guess import domain_by_name


class SliceFolders:
    """Numbered pictures in a folder per domain in each patient's folder."""

    name = "slice_folders"
    looks = "PATIENT/ct/001.png, PATIENT/mr_t1/001.png, ...; equal names show the same slice"

    def recognises(self, folder: Path) -> bool:
        """Whether a patient's folder holds folders named by domains, with pictures."""
        return any(
            domain_by_name(place.name) is not Domain.UNKNOWN and pictures(place)
            for patient in folders(folder)[:5]
            if domain_by_name(patient.name) is Domain.UNKNOWN and patient.name not in SIDES
            for place in folders(patient)
        )

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        for patient in folders(folder):
            places: dict[Domain, dict[str, Path]] = {}
            for place in folders(patient):
                domain = as_asked(domain_by_name(place.name), domains)
                if domain is not None and domain not in places:
                    places[domain] = {path.stem: path for path in pictures(place)}
            ordered = {domain: places[domain] for domain in domains if places.get(domain)}
            if not ordered:
                continue
            common = [name for name in next(iter(ordered.values())) if all(name in known for known in ordered.values())]
            if common:
                chosen = {domain: [known[name] for name in common] for domain, known in ordered.items()}
                load = partial(load_pictures, patient.name, chosen, options)
                yield CaseReference(patient.name, load, domains=tuple(chosen))
