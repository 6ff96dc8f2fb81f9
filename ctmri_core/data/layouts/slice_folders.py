"""A folder per patient with a folder of pictures per domain: `patient_01/{ct,mr_t1,mr_t2}/001.png`, or the other way round
(`ct/patient_01/001.png`); equal names, same slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, assigned, folders, side_of
from ctmri_core.data.layouts.names import domain_said, says_domain_only, without_domain
from ctmri_core.data.layouts.picture_files import load_pictures, pictures
from ctmri_core.domain import Domain

_LOOKED_AT = 5


class SliceFolders:
    """Numbered pictures in a folder per domain in each patient's folder."""

    name = "slice_folders"
    looks = "PATIENT/ct/001.png, PATIENT/mr_t1/001.png, ... or ct/PATIENT/001.png, ...; equal names show the same slice"

    def recognises(self, folder: Path) -> bool:
        """Whether a patient's folder holds folders named by domains, with pictures."""
        return any(pictures(place) for outer in folders(folder)[:_LOOKED_AT] for _, _, place in _within(outer, _LOOKED_AT))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        found: dict[str, list[tuple[Domain, Path]]] = {}
        for outer in folders(folder):
            for patient, domain, place in _within(outer):
                found.setdefault(patient, []).append((domain, place))
        for patient, places in sorted(found.items()):
            stacks = {
                domain: {without_domain(path.stem): path for path in pictures(place)}
                for domain, place in assigned(places, domains).items()
            }
            yield from _cases(patient, {domain: stack for domain, stack in stacks.items() if stack}, options)


def _cases(patient: str, stacks: dict[Domain, dict[str, Path]], options: LayoutOptions) -> Iterator[CaseReference]:
    """One case of the slices that all domains have; one for each domain where they have none in common."""
    common = [name for name in next(iter(stacks.values()), {}) if all(name in stack for stack in stacks.values())]
    if common:
        chosen = {domain: [stack[name] for name in common] for domain, stack in stacks.items()}
        load = partial(load_pictures, patient, chosen, options)
        yield CaseReference(patient, load, domains=tuple(chosen), pictures=True)
        return
    for domain, stack in stacks.items():
        identifier = f"{patient}/{domain.value}"
        load = partial(load_pictures, identifier, {domain: list(stack.values())}, options)
        yield CaseReference(identifier, load, patient, domains=(domain,), together=False, pictures=True)


def _within(outer: Path, most: int | None = None) -> Iterator[tuple[str, Domain, Path]]:
    """(patient, domain, folder) of the folders in `outer`, which is a patient's or a domain's."""
    for inner in folders(outer)[:most]:
        for patient, kind in ((outer, inner), (inner, outer)):
            domain = domain_said(kind.name)
            if domain is not Domain.UNKNOWN and not says_domain_only(patient.name) and not side_of(patient.name):
                yield patient.name, domain, inner
                break
