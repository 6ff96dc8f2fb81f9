"""A folder per patient with single slices: `ct_axial.png`, `mr_t1_axial.png`, `mask_axial.png`, and so for other planes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, assigned, folders, shown
from ctmri_core.data.layouts.names import domain_said
from ctmri_core.data.layouts.patient_files import centre_of
from ctmri_core.data.layouts.picture_files import load_pictures, pictures
from ctmri_core.domain import Domain

_PLANES = ("axial", "coronal", "sagittal")
_LOOKED_AT = 50


class SliceFiles:
    """One picture per domain and plane in each patient's folder."""

    name = "slice_files"
    looks = "PATIENT/ct_axial.png, mr_t1_axial.png, mask_axial.png, and so for coronal and sagittal"

    def recognises(self, folder: Path) -> bool:
        """Whether a patient's folder holds pictures that end in the name of a plane."""
        return any(_plane(path) for patient in folders(folder)[:_LOOKED_AT] for path in pictures(patient))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        for patient in folders(folder):
            known = pictures(patient)
            for plane in _PLANES if options.plane == "all" else (options.plane,):
                found = [path for path in known if _plane(path) == plane]
                chosen = assigned(((domain_said(path.stem), path) for path in found), domains)
                if not chosen:
                    continue
                mask = [path for path in found if path.stem.lower().startswith(("mask", "body"))][:1]
                identifier, centre = f"{patient.name}/{plane}", centre_of(patient.name)
                places = {domain: [path] for domain, path in chosen.items()}
                load = partial(load_pictures, identifier, places, options, mask, centre, labelled=Domain.MASK in domains)
                there = shown(chosen, domains, masked=bool(mask))
                yield CaseReference(identifier, load, patient.name, centre, domains=there, pictures=True)


def _plane(path: Path) -> str:
    word = path.stem.lower().rpartition("_")[2]
    return word if word in _PLANES else ""
