"""A folder of pictures or volumes per domain: CycleGAN's `trainA`, `trainB`, `testA`, `testB`, or folders named by domains
(StarGAN's `train/ct`, `train/mri`), and volumes in `ct/` and `mr/` that equal names make pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.data.layouts.layout import SIDES, CaseReference, LayoutOptions, Side, as_asked, files, folders
from ctmri_core.data.layouts.picture_files import by_patient, load_pictures, pictures
from ctmri_core.data.layouts.volume_files import load_volumes, stem_of
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError
from ctmri_core.io.domain_guess import domain_by_name

_LETTERED = re.compile(r"(train|val|valid|validation|test)_?([AB])")
_Place = tuple[Side, Domain, Path]


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
        places: list[_Place] = []
        for path in folders(folder):
            if found := _LETTERED.fullmatch(path.name):
                places.append((SIDES[found[1]], domains["AB".index(found[2])], path))
        yield from _cases(places, options)


class DomainFolders:
    """Folders named by domains, below `train/` and `test/` or not."""

    name = "domain_folders"
    looks = "ct/, mri/, ... with pictures (StarGAN) or volumes (paired by name), alone or in train/ and test/"

    def recognises(self, folder: Path) -> bool:
        """Whether there are such folders with pictures or volumes in them."""
        below = [path for _, place in _sides(folder) for path in folders(place)]
        found = [path for path in below if domain_by_name(path.name) is not Domain.UNKNOWN]
        return len(found) >= 2 and any(pictures(path) or any(map(stem_of, files(path))) for path in found)

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        places: list[_Place] = []
        for side, place in _sides(folder):
            for path in folders(place):
                domain = as_asked(domain_by_name(path.name), domains)
                if domain is not None:
                    places.append((side, domain, path))
        ordered = sorted(places, key=lambda place: (place[0], list(domains).index(place[1])))
        yield from _cases(ordered, options)


def _sides(folder: Path) -> list[tuple[Side, Path]]:
    return [(side, folder / name) for name, side in SIDES.items() if (folder / name).is_dir()]


def _cases(places: Sequence[_Place], options: LayoutOptions) -> Iterator[CaseReference]:
    """Volumes of equal names are of one patient. Pictures are not, unless told: in collections of unpaired pictures numbers
    repeat in every folder.
    """
    for side in dict.fromkeys(side for side, _, _ in places):
        here = [(domain, path) for known, domain, path in places if known == side]
        yield from _volumes(side, here)
        if options.pair_by_name:
            yield from _pairs(side, here, options)
        else:
            yield from _singles(side, here, options)


def _volumes(side: Side, places: Sequence[tuple[Domain, Path]]) -> Iterator[CaseReference]:
    found: dict[str, dict[Domain, Path]] = {}
    for domain, folder in places:
        for file in files(folder):
            if stem := stem_of(file):
                found.setdefault(without_domain(stem), {}).setdefault(domain, file)
    for name, volumes in sorted(found.items()):
        identifier = f"{side}/{name}" if side else name
        yield CaseReference(identifier, partial(load_volumes, identifier, volumes), name, side=side, domains=tuple(volumes))


def _singles(side: Side, places: Sequence[tuple[Domain, Path]], options: LayoutOptions) -> Iterator[CaseReference]:
    for domain, folder in places:
        found = pictures(folder)
        patients = by_patient(found)
        for path in found:
            identifier = f"{side}/{domain.value}/{path.stem}"
            load = partial(load_pictures, identifier, {domain: [path]}, options)
            patient = patients[path] if patients[path] != path.stem else identifier
            yield CaseReference(identifier, load, patient, side=side, domains=(domain,), together=False)


def _pairs(side: Side, places: Sequence[tuple[Domain, Path]], options: LayoutOptions) -> Iterator[CaseReference]:
    found: dict[str, dict[Domain, list[Path]]] = {}
    for domain, folder in places:
        for path in pictures(folder):
            found.setdefault(path.stem, {})[domain] = [path]
    patients = by_patient([next(iter(paths.values()))[0] for paths in found.values()])
    for name, paths in found.items():
        identifier, patient = f"{side}/{name}", patients[next(iter(paths.values()))[0]]
        load = partial(load_pictures, identifier, paths, options)
        yield CaseReference(identifier, load, patient if patient != name else identifier, side=side, domains=tuple(paths))


def without_domain(stem: str) -> str:
    """`sub-01_ct` -> `sub-01`: a name without the words that say what a volume shows."""
    kept = ""
    for separator, word in re.findall(r"([_\-. ]*)([^_\-. ]+)", stem):
        if domain_by_name(word) is Domain.UNKNOWN:
            kept += separator + word if kept else word
    return kept or stem
