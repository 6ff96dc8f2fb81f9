"""Volumes whose names say patient and domain, anywhere below a folder: `sub-01_ct.nii.gz` beside `sub-01_T1w.nii.gz` (BIDS among
them), and IXI's `IXI002-Guys-0828-T1.nii.gz`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from ctmri_core.data.layouts.heeding import go_on
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, assigned, shown, side_of
from ctmri_core.data.layouts.names import domain_said, says_domain_only, says_mask, without_domain
from ctmri_core.data.layouts.volume_files import load_volumes, same_volume, stem_of
from ctmri_core.domain import Domain
from ctmri_core.errors import TrainingFailed, shown_name
from ctmri_core.io.folder_files import FolderFiles

_IXI = re.compile(r"(IXI\d{3})-([A-Za-z]+)-\d{4}-(T1|T2|PD)")
_IXI_DOMAINS = {"T1": Domain.MR_T1, "T2": Domain.MR_T2, "PD": Domain.MR_PD}
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_LOOKED_AT = 2000
_Key = tuple[str, str]
"""Of the volumes of one patient: what their folders and what their names have in common."""


class Ixi:
    """IXI: T1, T2 and PD of one patient by the number in the name; the hospital in it is the centre."""

    name = "ixi"
    looks = "IXI: IXI002-Guys-0828-T1.nii.gz, -T2, -PD, in one folder or one for each"

    def recognises(self, folder: Path) -> bool:
        """Whether there is a volume of such a name."""
        return any(_IXI.fullmatch(stem_of(path)) for path in islice(FolderFiles(folder), _LOOKED_AT))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        found: dict[tuple[str, str], dict[Domain, Path]] = {}
        for path in FolderFiles(folder):
            go_on()
            if name := _IXI.fullmatch(stem_of(path)):
                found.setdefault((name[1], name[2]), {})[_IXI_DOMAINS[name[3]]] = path
        for (patient, centre), known in sorted(found.items()):
            files = {domain: known[domain] for domain in domains if domain in known}
            if files:
                load = partial(load_volumes, patient, files, None, centre)
                yield CaseReference(patient, load, patient, centre, domains=tuple(files))


class NamedVolumes:
    """Volumes of one patient by what their names, and those of their folders, have in common."""

    name = "named_volumes"
    looks = "NAME_ct.nii.gz and NAME_t1.nii.gz (.mha, .nrrd, ...) anywhere below the folder, as in BIDS"

    def recognises(self, folder: Path) -> bool:
        """Whether there are volumes whose names say a domain and more."""
        return any(map(_named, _volumes(folder, islice(FolderFiles(folder), _LOOKED_AT))))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        found: dict[_Key, list[tuple[Domain, Path]]] = {}
        masks: dict[_Key, Path] = {}
        for path in _volumes(folder, FolderFiles(folder)):
            go_on()
            stem, place = stem_of(path), _place_of(path, folder)
            if says_mask(stem):
                masks[place, re.sub(r"[_\-]?(mask|body)$", "", stem, flags=re.IGNORECASE)] = path
            elif _named(path):
                found.setdefault((place, without_domain(stem)), []).append((domain_said(stem), path))
        several = Counter(name for _, name in found)
        for (place, name), known in sorted(found.items()):
            _check_single(known)
            chosen = assigned(known, domains)
            if chosen:
                identifier = f"{place}/{name}" if place and several[name] > 1 else name
                subject = _SUBJECT.match(name)
                patient = subject[0] if subject else place if several[name] > 1 else name
                mask = masks.get((place, name))
                load = partial(load_volumes, identifier, chosen, mask, labelled=Domain.MASK in domains)
                yield CaseReference(identifier, load, patient, domains=shown(chosen, domains, masked=mask is not None))


def _volumes(folder: Path, below: Iterable[Path]) -> Iterator[Path]:
    """The volumes among the files of `folder`, not those that BIDS derives from others, nor those of the folders of a split."""
    for path in below:
        above = path.relative_to(folder).parts[0]
        if stem_of(path) and above != "derivatives" and not side_of(above):
            yield path


def _place_of(path: Path, folder: Path) -> str:
    """The folders between, without what they say of the domain: volumes of one patient may lie in `p1/CT` and `p1/MR`."""
    between = path.relative_to(folder).parts[:-1]
    return "/".join(without_domain(name) for name in between if name != "anat" and not says_domain_only(name))


def _check_single(known: Sequence[tuple[Domain, Path]]) -> None:
    firsts: dict[Domain, Path] = {}
    for domain, path in known:
        if not same_volume(firsts.setdefault(domain, path), path):
            names = f"{shown_name(firsts[domain])} and {shown_name(path)}"
            raise TrainingFailed(f"{names} say the same of patient and domain. Give every volume a name of its own.")


def _named(path: Path) -> bool:
    stem = stem_of(path)
    return domain_said(stem) is not Domain.UNKNOWN and without_domain(stem) != stem
