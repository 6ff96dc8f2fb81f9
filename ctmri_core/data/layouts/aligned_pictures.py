"""Pix2pix's aligned pictures: A and B side by side in one file, in a folder or in `train/`, `val/` and `test/`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ctmri_core.case import Case
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, sides_of
from ctmri_core.data.layouts.picture_files import by_patient, parts, picture_volume, pictures
from ctmri_core.domain import Domain
from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.io.picture_headers import read_header


class AlignedPictures:
    """Pictures twice as wide as high."""

    name = "aligned"
    looks = "A|B in one picture (pix2pix), in train/, val/, test/ or one folder; A and B in the order of the domains asked for"

    def recognises(self, folder: Path) -> bool:
        """Whether the first pictures are twice as wide as high."""
        found = [path for _, place in sides_of(folder) for path in pictures(place)[:3]]
        return bool(found) and all(_is_double(path) for path in found)

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        if len(domains) != 2:
            raise CtmriError(f"Pictures that hold A|B have two domains; {len(domains)} were asked for. Name two, A first.")
        everything = [(side, path) for side, place in sides_of(folder) for path in pictures(place)]
        patients = by_patient([path for _, path in everything])
        for side, path in everything:
            identifier = f"{side}/{path.stem}"
            load = partial(_load, identifier, path, tuple(domains), options)
            own = patients[path] if patients[path] != path.stem else identifier
            yield CaseReference(identifier, load, own, side=side, domains=tuple(domains), pictures=True)


def _load(identifier: str, path: Path, domains: tuple[Domain, ...], options: LayoutOptions) -> Case:
    halves = {}
    for n, domain in enumerate(domains):
        whole = picture_volume([path], domain, options)
        width = whole.geometry.shape[2]
        if width % 2:
            raise FileRefused(path, f"is {width} pixels wide: it cannot be two pictures of one size.", "Take it out.")
        halves[domain] = parts(whole, slice(n * width // 2, (n + 1) * width // 2))
    return Case(identifier, halves)


def _is_double(path: Path) -> bool:
    try:
        _, rows, columns = read_header(path).upright
    except FileRefused:
        return False
    return columns == 2 * rows
