"""A folder per patient with series in it, DICOM above all: what each series shows is read from its headers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ctmri_core.case import Case
from ctmri_core.data.layouts.dicom_patients import dicom_cases, holds_dicom
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, assigned, folders, side_of
from ctmri_core.domain import Domain
from ctmri_core.errors import FileRefused
from ctmri_core.events import finish
from ctmri_core.io.dicom_judgement import DicomDetails
from ctmri_core.io.opening import load, scan
from ctmri_core.io.series import TILT, Series, straightened


class SeriesFolders:
    """A folder per patient with DICOM series anywhere below it."""

    name = "dicom"
    looks = "PATIENT/ with DICOM series in it, in any folders"

    def recognises(self, folder: Path) -> bool:
        """Whether there is DICOM below, and no folders of a split."""
        return not any(side_of(path.name) for path in folders(folder)) and holds_dicom(folder)

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        for case in dicom_cases(folder):
            load = partial(load_series, case.name, dict.fromkeys(case.places), tuple(domains))
            yield CaseReference(case.name, load, case.patient)


def load_series(identifier: str, places: Mapping[Path, Domain | None], domains: Sequence[Domain]) -> Case:
    """The series of `domains` found in `places`: of each the largest original that can be read.

    A domain given with a place is believed; else the series say it. Raises `FileRefused` when there is none of `domains`, when
    there are several patients, and when chance would have to choose.
    """
    candidates: list[tuple[Domain, Series]] = []
    for place, said in places.items():
        for series in scan(place):
            if series.has("several_patients"):
                raise FileRefused(place, "holds images of several patients.", "Give every patient a folder of his own.")
            if series.refusal is None and not series.localizer and not series.synthetic:
                candidates.append((said or series.domain, series))
    best = assigned(sorted(candidates, key=lambda candidate: _rank(candidate[1])), domains)
    if not best:
        wanted = " or ".join(domain.label for domain in domains)
        raise FileRefused(next(iter(places)), f"holds no series that is {wanted}.", "Check what the series are: ctmri info.")
    _check_certain(next(iter(places)), candidates, best)
    volumes = {}
    for domain, series in best.items():
        volume = finish(load(straightened(series) if series.has(TILT) else series))  # pairs must meet in the patient's space
        assert volume is not None  # nobody can stop it
        volumes[domain] = replace(volume, domain=domain)
    return Case(identifier, volumes)


def _rank(series: Series) -> tuple[bool, int]:
    """Originals before what was derived from them (reformats, maps), then the largest."""
    details = series.details
    derived = isinstance(details, DicomDetails) and "DERIVED" in details.headers[0].image_type
    return derived, -math.prod(series.shape or (0,))


def _check_certain(place: Path, candidates: Sequence[tuple[Domain, Series]], best: Mapping[Domain, Series]) -> None:
    """Raises `FileRefused` where one of several series of unsaid weighting would have to be taken for a domain by chance."""
    unsaid = [series for said, series in candidates if said is Domain.MR]
    for domain, series in best.items():
        if len(unsaid) > 1 and domain is not Domain.MR and any(series is other for other in unsaid):
            problem = f"holds {len(unsaid)} MR series that do not say their weighting, and none that says {domain.label}."
            raise FileRefused(place, problem, f"Leave only the {domain.label} there.")
