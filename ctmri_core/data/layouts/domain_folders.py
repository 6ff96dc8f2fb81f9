"""A folder of pictures or volumes per domain: CycleGAN's `trainA`, `trainB`, `testA`, `testB`, or folders named by domains
(StarGAN's `train/ct`, `train/mri`), and volumes in `ct/` and `mr/` that equal names make pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, Side, assigned, files, folders, side_of, sides_of
from ctmri_core.data.layouts.names import domain_said, says_mask, without_domain
from ctmri_core.data.layouts.picture_files import by_patient, load_pictures, pictures
from ctmri_core.data.layouts.volume_files import load_volumes, same_volume, stem_of
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, TrainingFailed, shown_name

_LETTERED = re.compile(r"(train|val|valid|validation|test)_?([AB])", re.IGNORECASE)


class LetteredFolders:
    """CycleGAN's folders: A holds the first of the domains asked for, B the second."""

    name = "train_ab"
    looks = "trainA/, trainB/, testA/, testB/ (CycleGAN), A and B in the order of the domains asked for"

    def recognises(self, folder: Path) -> bool:
        """Whether there are folders of these names."""
        return len([path for path in folders(folder) if _LETTERED.fullmatch(path.name)]) >= 2

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        if len(domains) != 2:
            raise CtmriError(f"Folders A and B have two domains; {len(domains)} were asked for. Name two, A first.")
        places: dict[Side, dict[Domain, Path]] = {}
        for path in folders(folder):
            if found := _LETTERED.fullmatch(path.name):
                places.setdefault(side_of(found[1]), {})[domains["AB".index(found[2].upper())]] = path
        for side, here in places.items():
            yield from _cases(side, here, options)


class DomainFolders:
    """Folders named by domains, below `train/` and `test/` or not."""

    name = "domain_folders"
    looks = "ct/, mri/, ... with pictures (StarGAN) or volumes (paired by name), alone or in train/ and test/"

    def recognises(self, folder: Path) -> bool:
        """Whether there are such folders with pictures or volumes in them."""
        found = [path for _, place in sides_of(folder) for path in folders(place) if domain_said(path.name) is not Domain.UNKNOWN]
        return len(found) >= 2 and any(pictures(path) or any(map(stem_of, files(path))) for path in found)

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        for side, place in sides_of(folder):
            known = [(domain_said(path.name), path) for path in folders(place)]
            for domain, group in groupby(sorted(known), key=lambda entry: entry[0]):
                names = [shown_name(path) for _, path in group]
                if len(names) > 1 and domain in domains:
                    raise TrainingFailed(
                        f"The folders {names[0]} and {names[1]} both hold {domain.label}. Put what they hold into one, or what"
                        " belongs to a patient into a folder of his own."
                    )
            yield from _cases(side, assigned(known, domains), options)


def _cases(side: Side, places: Mapping[Domain, Path], options: LayoutOptions) -> Iterator[CaseReference]:
    """Volumes of equal names are of one patient. Pictures are not, unless told: in collections of unpaired pictures numbers
    repeat in every folder.
    """
    yield from _volumes(side, places)
    yield from _pairs(side, places, options) if options.pair_by_name else _singles(side, places, options)


def _volumes(side: Side, places: Mapping[Domain, Path]) -> Iterator[CaseReference]:
    found: dict[str, dict[Domain, Path]] = {}
    for domain, folder in places.items():
        for file in files(folder):
            stem = stem_of(file)
            if stem and not says_mask(stem):
                known = found.setdefault(without_domain(stem), {}).setdefault(domain, file)
                if not same_volume(known, file):
                    names = f"{shown_name(known)} and {shown_name(file)}"
                    raise TrainingFailed(f"{names} say the same of patient and domain. Give every volume a name of its own.")
    for name, volumes in sorted(found.items()):
        identifier = f"{side}/{name}" if side else name
        yield CaseReference(identifier, partial(load_volumes, identifier, volumes), name, side=side, domains=tuple(volumes))


def _singles(side: Side, places: Mapping[Domain, Path], options: LayoutOptions) -> Iterator[CaseReference]:
    for domain, folder in places.items():
        found = pictures(folder)
        patients = by_patient(found)
        for path in found:
            identifier = f"{side}/{domain.value}/{path.stem}"
            load = partial(load_pictures, identifier, {domain: [path]}, options)
            patient = patients[path] if patients[path] != path.stem else identifier
            yield CaseReference(identifier, load, patient, side=side, domains=(domain,), together=False, pictures=True)


def _pairs(side: Side, places: Mapping[Domain, Path], options: LayoutOptions) -> Iterator[CaseReference]:
    found: dict[str, dict[Domain, list[Path]]] = {}
    for domain, folder in places.items():
        for path in pictures(folder):
            found.setdefault(path.stem, {})[domain] = [path]
    patients = by_patient([next(iter(paths.values()))[0] for paths in found.values()])
    for name, paths in found.items():
        identifier, patient = f"{side}/{name}", patients[next(iter(paths.values()))[0]]
        load = partial(load_pictures, identifier, paths, options)
        patient = patient if patient != name else identifier
        yield CaseReference(identifier, load, patient, side=side, domains=tuple(paths), pictures=True)
