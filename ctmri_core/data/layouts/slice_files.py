"""A folder per patient with single slices: `ct_axial.png`, `mr_t1_axial.png`, `mask_axial.png`, and so for other planes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, as_asked, folders
from ctmri_core.data.layouts.patient_files import centre_of
from ctmri_core.data.layouts.picture_files import load_pictures, pictures
from ctmri_core.domain import Domain
from ctmri_core.io.domain_guess import domain_by_name

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
            for plane in _PLANES if options.plane == "all" else (options.plane,):
                found = [path for path in pictures(patient) if _plane(path) == plane]
                places: dict[Domain, list[Path]] = {}
                for path in found:
                    domain = as_asked(domain_by_name(path.stem), domains)
                    if domain is not None and domain not in places:
                        places[domain] = [path]
                if not places:
                    continue
                ordered = {domain: places[domain] for domain in domains if domain in places}
                mask = [path for path in found if path.stem.lower().startswith(("mask", "body"))][:1]
                identifier, centre = f"{patient.name}/{plane}", centre_of(patient.name)
                load = partial(load_pictures, identifier, ordered, options, mask, centre)
                yield CaseReference(identifier, load, patient.name, centre, domains=tuple(ordered))


def _plane(path: Path) -> str:
    word = path.stem.lower().rpartition("_")[2]
    return word if word in _PLANES else ""
