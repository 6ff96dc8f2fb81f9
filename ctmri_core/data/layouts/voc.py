"""Pascal VOC, as `ctmri segment convert --to voc` writes it: pictures and, beside them, palette masks of equal names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ctmri_core.case import Case
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, Side, folders, shown
from ctmri_core.data.layouts.names import domain_said
from ctmri_core.data.layouts.picture_files import by_patient, load_pictures, picture_volume, pictures
from ctmri_core.domain import PICTURES, Domain
from ctmri_core.errors import CtmriError, FileRefused

_PICTURES = ("PNGImages", "JPEGImages")
_MASKS = "SegmentationClass"
_LISTS = Path("ImageSets", "Segmentation")
_SIDES: dict[str, Side] = {"train": "train", "val": "validation", "test": "test"}
_LONGEST_LIST = 64 << 20


class Voc:
    """Pictures with masks; lists of names say who is learnt from."""

    name = "voc"
    looks = "PNGImages/NAME.png (or JPEGImages), SegmentationClass/NAME.png, ImageSets/Segmentation/train.txt, val.txt, test.txt"

    def recognises(self, folder: Path) -> bool:
        """Whether there are folders of masks and of pictures."""
        there = {place.name for place in folders(folder)}
        return _MASKS in there and not there.isdisjoint(_PICTURES)

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:
        there = {place.name: place for place in folders(folder)}
        place = next((there[name] for name in _PICTURES if name in there), folder / _PICTURES[0])
        masks = {path.stem: path for path in pictures(folder / _MASKS)}
        found = pictures(place)
        patients, sides = by_patient(found), _sides(folder)
        for path in found:
            domain, mask = domain_of(path, domains), masks.get(path.stem)
            if domain is None:
                continue
            shows = shown([domain], domains, masked=mask is not None)
            load = partial(_load, path.stem, path, domain, mask, options)
            side = sides.get(path.stem, "")
            yield CaseReference(path.stem, load, patients[path], side=side, domains=shows, pictures=True)


def domain_of(path: Path, asked: Sequence[Domain]) -> Domain | None:
    """What the name of a picture says; the only kind that is asked for where it says nothing, None where that is another one.

    Raises `CtmriError` where several are asked for.
    """
    said = domain_said(path.stem)
    if said in asked:
        return said
    kinds = [domain for domain in asked if domain in PICTURES]
    if said is not Domain.UNKNOWN and not any(kind.accepts(said) for kind in kinds):
        return None
    if len(kinds) != 1:
        raise CtmriError("The names of these pictures do not say what they show. Name one kind, such as ct,mask.")
    return kinds[0]


def _load(identifier: str, picture: Path, domain: Domain, mask: Path | None, options: LayoutOptions) -> Case:
    case = load_pictures(identifier, {domain: [picture]}, options)
    if mask is None:
        return case
    labels = picture_volume([mask], Domain.UNKNOWN, options).voxels
    if labels.shape != case[domain].voxels.shape:
        raise FileRefused(mask, "is not as large as its picture.", "Convert the labels again.")
    return Case(identifier, case.volumes, labels=labels.astype(np.uint8))  # 255 is what is left open here, always


def _sides(folder: Path) -> dict[str, Side]:
    """By name of a picture. Raises `FileRefused`."""
    found: dict[str, Side] = {}
    for name, side in _SIDES.items():
        path = folder / _LISTS / f"{name}.txt"
        if not path.is_file():
            continue
        try:
            if path.stat().st_size > _LONGEST_LIST:
                raise FileRefused(path, "is too large for a list of names.", "Convert the labels again.")
            found |= dict.fromkeys(path.read_text("utf-8").split("\n"), side)
        except (OSError, UnicodeDecodeError) as error:
            raise FileRefused(path, "is no list of names that can be read.", "Convert the labels again.") from error
    found.pop("", None)
    return found
