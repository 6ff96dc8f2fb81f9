"""Whose DICOM series lie in which folders: as the folders say, and where headers in one disagree, as those below it say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ctmri_core.data.layouts.heeding import go_on
from ctmri_core.data.layouts.layout import folders
from ctmri_core.data.layouts.names import says_domain_only
from ctmri_core.errors import FileRefused
from ctmri_core.io import preflight
from ctmri_core.io.dicom import DICOM_READER
from ctmri_core.io.dicom_judgement import DicomDetails
from ctmri_core.io.dicom_scan import DICOM_SUFFIXES

_TRIED = 20  # files of a folder, to find an image
_Parts = tuple[str, ...]


class _Whose(NamedTuple):
    """`patient`: a digest; each empty where the headers do not say."""

    patient: bytes
    study: str


@dataclass
class DicomCase:
    """`name`: what tells its folders apart from those of others. `patient`: the name of the first case with the same patient in
    the headers, which are believed where they tell any patients apart.
    """

    name: str
    patient: str
    places: list[Path]


def dicom_cases(folder: Path) -> list[DicomCase]:
    """The folders of every case, one image of each folder is read.

    A case is a folder in `folder`, but `CT/p1` and `MR/p1` are one, and a folder with headers of several patients is divided
    further. `folder` itself is one where it holds images, or more folders of one patient than studies.
    """
    seen = {place.relative_to(folder).parts: whose for place, whose in _series_folders(folder)}
    divided = dict(_divided((), seen))
    shared = next((n for n, level in enumerate(zip(*divided, strict=False)) if len(set(level)) > 1), 0)
    named = len({whose.patient for whose in seen.values()} - {b""}) > 1  # not one made-up name for all
    found: dict[str, DicomCase] = {}
    firsts: dict[bytes, str] = {}
    for parts, below in divided.items():
        words = [part for part in parts[shared:] if not says_domain_only(part)]
        name = "/".join(words) or folder.absolute().name
        patient = max(whose.patient for whose in below)  # one of them, which may be unsaid in others
        first = firsts.setdefault(patient, name) if named and patient else name
        found.setdefault(name, DicomCase(name, first, [])).places.append(folder.joinpath(*parts))
    return list(found.values())


def holds_dicom(folder: Path) -> bool:
    """Whether there is a DICOM file in `folder` or below."""
    return any(True for _ in _series_folders(folder))


def _divided(place: _Parts, below: Mapping[_Parts, _Whose]) -> Iterator[tuple[_Parts, list[_Whose]]]:
    """(folder, whose images are in it) of patients at or below `place`; `below`: all folders there with images."""
    depth = len(place)
    children: dict[_Parts, dict[_Parts, _Whose]] = {}
    for parts, whose in below.items():
        children.setdefault(parts[: depth + 1], {})[parts] = whose
    patients = {whose.patient for whose in below.values()} - {b""}
    studies = {whose.study for whose in below.values()} - {""}
    if place in below:
        whole = True
    elif depth == 0:
        whole = len(patients) == 1 and 0 < len(studies) < len(children)  # patients that share a made-up name share no study
    else:
        whole = len(patients) <= 1 and not says_domain_only(place[-1])
    if whole:
        yield place, list(below.values())
        return
    for child, within in children.items():
        yield from _divided(child, within)


def _series_folders(folder: Path) -> Iterator[tuple[Path, _Whose]]:
    """The folders with DICOM images. Links are followed in `folder` itself only, and not to where it lies."""
    root = os.path.realpath(folder)
    linked = [path for path in folders(folder) if path.is_symlink() and not root.startswith(os.path.realpath(path))]
    for top in (folder, *linked):
        for parent, below, names in os.walk(top):
            go_on()
            below[:] = sorted(name for name in below if not name.startswith(".") and name != "__MACOSX")
            whose = _whose([Path(parent, name) for name in sorted(names) if not name.startswith(".")])
            if whose is not None:
                yield Path(parent), whose


def _whose(files: Sequence[Path]) -> _Whose | None:
    """Of the first image among `files`; None where there is no DICOM."""
    is_dicom = False
    for path in files[:_TRIED]:
        try:
            if path.suffix.lower() not in DICOM_SUFFIXES and preflight.kind(preflight.head_of(path)) != "dicom":
                continue
            is_dicom = True
            details = DICOM_READER.scan(path)[0].details
            assert isinstance(details, DicomDetails)
            return _Whose(details.headers[0].patient, details.headers[0].study_uid)
        except FileRefused:  # empty, locked, or a report beside the images
            continue
    return _Whose(b"", "") if is_dicom else None
