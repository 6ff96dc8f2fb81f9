"""A folder per patient with series in it, DICOM above all: what each series shows is read from its headers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from ctmri_core.case import Case
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, as_asked, folders
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io import preflight
from ctmri_core.io.opening import load, scan
from ctmri_core.io.series import TILT, Series, straightened

_LOOKED_AT = 400


class SeriesFolders:
    """A folder per patient with DICOM series anywhere below it."""

    name = "dicom"
    looks = "PATIENT/ with DICOM series in it, in any folders"

    def recognises(self, folder: Path) -> bool:
        """Whether the first patient's folder with files holds DICOM."""
        return any(_holds_dicom(patient) for patient in folders(folder)[:5])

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        for patient in folders(folder):
            yield CaseReference(patient.name, partial(load_series, patient.name, {patient: None}, tuple(domains)))


def load_series(identifier: str, places: Mapping[Path, Domain | None], domains: Sequence[Domain]) -> Case:
    """The series of `domains` found in `places`, the largest of each that can be read.

    A domain given with a place is believed; else the series say it. Raises `FileRefused` when there is none of `domains`.
    """
    best: dict[Domain, Series] = {}
    for place, said in places.items():
        for series in scan(place):
            domain = as_asked(said or series.domain, domains)
            if domain is None or series.refusal is not None or series.localizer or series.synthetic:
                continue
            if domain not in best or math.prod(series.shape or (0,)) > math.prod(best[domain].shape or (0,)):
                best[domain] = series
    if not best:
        wanted = " or ".join(domain.label for domain in domains)
        raise FileRefused(next(iter(places)), f"holds no series that is {wanted}.", "Check what the series are: ctmri info.")
    volumes = {}
    for domain in (domain for domain in domains if domain in best):
        series = best[domain]
        volume = finish(load(straightened(series) if series.has(TILT) else series))  # pairs must meet in the patient's space
        assert volume is not None  # nobody can stop it
        volumes[domain] = replace(volume, domain=domain)
    return Case(identifier, volumes)


def _holds_dicom(folder: Path) -> bool:
    for path in islice(folder.rglob("*"), _LOOKED_AT):
        if path.is_file() and not path.name.startswith("."):
            try:
                if preflight.kind(preflight.head_of(path)) == "dicom" or path.suffix.lower() in (".dcm", ".ima"):
                    return True
            except FileRefused:  # empty or locked, beside the images
                continue
    return False
