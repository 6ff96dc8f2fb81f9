"""Reading the volumes of a case from files that hold a volume each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ctmri_core.case import Case
from ctmri_core.data.layouts.picture_files import read_labels
from ctmri_core.domain import Domain
from ctmri_core.io.formats import FILE_SUFFIXES, VOLUME_SUFFIXES
from ctmri_core.io.opening import open_volume
from ctmri_core.preprocess.resample import resample_to

SUFFIXES = (*FILE_SUFFIXES, *VOLUME_SUFFIXES)


def stem_of(path: Path) -> str:
    """The name without what tells the format, or "" when it is no name of a volume."""
    name = path.name.lower()
    suffix = next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), "")
    return path.name[: -len(suffix)] if suffix else ""


def same_volume(one: Path, other: Path) -> bool:
    """Whether two files are the same volume in other formats, or parts of one (`.hdr` and `.img`): they differ in suffix only."""
    return one.parent == other.parent and stem_of(one) == stem_of(other)


def load_volumes(
    identifier: str, files: Mapping[Domain, Path], mask: Path | None = None, centre: str = "", *, labelled: bool = False
) -> Case:  # fmt: skip
    """The case of these files; `mask`, where there is one, becomes the body on the grid of the first volume. `labelled`: it is to
    be learnt from.
    """
    volumes = {domain: replace(open_volume(path), domain=domain) for domain, path in files.items()}
    if mask is None:
        return Case(identifier, volumes, centre=centre)
    first = next(iter(volumes.values()))
    drawn = resample_to(open_volume(mask), first.geometry, 0).voxels
    labels = read_labels(mask, drawn) if labelled else None
    return Case(identifier, volumes, {"body": drawn > 0}, centre=centre, labels=labels)
