"""Volumes whose names say patient and domain, anywhere below a folder: `sub-01_ct.nii.gz` beside `sub-01_T1w.nii.gz` (BIDS among
them), and IXI's `IXI002-Guys-0828-T1.nii.gz`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from ctmri_core.data.layouts.domain_folders import without_domain
from ctmri_core.data.layouts.layout import CaseReference, LayoutOptions, as_asked
from ctmri_core.data.layouts.volume_files import load_volumes, stem_of
from ctmri_core.domain import Domain
from ctmri_core.io.domain_guess import domain_by_name

_IXI = re.compile(r"(IXI\d{3})-([A-Za-z]+)-\d{4}-(T1|T2|PD)")
_IXI_DOMAINS = {"T1": Domain.MR_T1, "T2": Domain.MR_T2, "PD": Domain.MR_PD}
_LOOKED_AT = 500
_MOST_FILES = 200_000


class Ixi:
    """IXI: T1, T2 and PD of one patient by the number in the name; the hospital in it is the centre."""

    name = "ixi"
    looks = "IXI: IXI002-Guys-0828-T1.nii.gz, -T2, -PD, in one folder or one for each"

    def recognises(self, folder: Path) -> bool:
        """Whether there is a volume of such a name."""
        return any(_IXI.fullmatch(stem_of(path)) for path in islice(folder.rglob("IXI*"), _LOOKED_AT))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        found: dict[tuple[str, str], dict[Domain, Path]] = {}
        for path in sorted(folder.rglob("IXI*")):
            name = _IXI.fullmatch(stem_of(path))
            if name and path.is_file():
                found.setdefault((name[1], name[2]), {})[_IXI_DOMAINS[name[3]]] = path
        for (patient, centre), known in sorted(found.items()):
            files = {domain: known[domain] for domain in domains if domain in known}
            if files:
                load = partial(load_volumes, patient, files, None, centre)
                yield CaseReference(patient, load, patient, centre, domains=tuple(files))


class NamedVolumes:
    """Volumes of one patient by what their names have in common."""

    name = "named_volumes"
    looks = "NAME_ct.nii.gz and NAME_t1.nii.gz (.mha, .nrrd, ...) anywhere below the folder, as in BIDS"

    def recognises(self, folder: Path) -> bool:
        """Whether there are volumes whose names say a domain and more."""
        return any(_named(path) for path in islice(folder.rglob("*"), _LOOKED_AT))

    def find(self, folder: Path, domains: Sequence[Domain], options: LayoutOptions) -> Iterator[CaseReference]:  # noqa: ARG002  # the protocol's signature
        found: dict[str, dict[Domain, Path]] = {}
        masks: dict[str, Path] = {}
        for path in sorted(islice(folder.rglob("*"), _MOST_FILES)):
            stem = stem_of(path)
            if not stem or path.name.startswith("."):
                continue
            domain = as_asked(domain_by_name(stem), domains)
            if domain is not None and _named(path):
                found.setdefault(without_domain(stem), {}).setdefault(domain, path)
            elif re.search(r"(^|[_\-])(mask|body)$", stem.lower()):
                masks[re.sub(r"[_\-]?(mask|body)$", "", stem, flags=re.IGNORECASE)] = path
        for name, known in sorted(found.items()):
            files = {domain: known[domain] for domain in domains if domain in known}
            yield CaseReference(name, partial(load_volumes, name, files, masks.get(name)), domains=tuple(files))


def _named(path: Path) -> bool:
    stem = stem_of(path)
    return bool(stem) and domain_by_name(stem) is not Domain.UNKNOWN and without_domain(stem) != stem
