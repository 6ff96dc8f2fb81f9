"""What our own files say about themselves, so that a synthetic volume or a phantom is known as one when it is opened again.

A short mark stands in the image file itself and decides; a JSON sidecar beside it (`head.nii.gz.provenance.json`) holds the
details, and counts only with the very voxels for which it was written. Neither holds patient data or names of files, but for the
unique identifiers of what a synthetic volume was made from (`inputs`), unless it is written under a pseudonym.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

import ctmri_core
from ctmri_core import NOT_FOR_DIAGNOSIS
from ctmri_core.domain import Domain
from ctmri_core.errors import shown_name
from ctmri_core.geometry import Geometry
from ctmri_core.io.domain_guess import domain_by_voxels
from ctmri_core.io.hashes import voxels_sha256
from ctmri_core.io.series import Series
from ctmri_core.volume import Finding, Synthetic, Volume, Voxels, kind_label

_ACQUIRED_MARK = "CT-MRI Studio"
_PHANTOM_MARK = "phantom"
_NONCOMMERCIAL_MARK = "non-commercial use only"
LARGEST_RECORD = 1 << 20
_ONE_OF_SEVERAL = re.compile(r", volume \d+ of \d+")
_NO_RECORD = Finding("no_record", "The record of how this volume was made is missing or belongs to another file.")
NOT_FOR_SALE = Finding(
    "noncommercial", "Made by a model that learnt from data whose licence forbids commercial use; so it is for this picture."
)


class Provenance(BaseModel):
    """The sidecar: how the voxels came about. `voxels_sha256` binds it to them."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    program: str
    voxels_sha256: str
    domain: Domain
    synthetic: bool
    phantom: bool
    model_name: str = ""
    model_hash: str = ""
    model_details: dict[str, Any] = {}
    history: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def provenance_of(volume: Volume, content: str = "") -> Provenance:
    """`content`: the hash of the voxels as they will be read again, where they are not those of `volume`."""
    made = volume.synthetic
    return Provenance(
        program=f"CT-MRI Studio {ctmri_core.__version__}",
        voxels_sha256=content or voxels_sha256(volume.voxels),
        domain=volume.domain,
        synthetic=made is not None,
        phantom=volume.phantom,
        model_name=made.model_name if made else "",
        model_hash=made.model_hash if made else "",
        model_details=made.details if made else {},
        history=volume.history,
        findings=volume.findings,
    )


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of an image file stands."""
    return path.with_name(path.name + ".provenance.json")


def mark_of(volume: Volume) -> str:
    """One line for the image file, within the 80 bytes of a NIfTI `descrip`: `synthetic, not for diagnosis; mr_t1; phantom`,
    and what the terms of a model forbid."""
    statement = NOT_FOR_DIAGNOSIS if volume.synthetic else _ACQUIRED_MARK
    bound = volume.synthetic is not None and any(finding.kind == NOT_FOR_SALE.kind for finding in volume.findings)
    words = ((_PHANTOM_MARK, volume.phantom), (_NONCOMMERCIAL_MARK, bound))
    return "; ".join((statement, volume.domain.value, *(word for word, applies in words if applies)))


class Mark(NamedTuple):
    """What the mark in an image file says; `ours` is False, and nothing else known, for any other text. `nothing_else`: no word
    beside it that somebody else wrote."""

    ours: bool
    synthetic: bool
    phantom: bool
    domain: Domain | None
    noncommercial: bool = False
    nothing_else: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What it says that a person should know."""
        return (NOT_FOR_SALE,) if self.noncommercial else ()


def read_mark(text: str) -> Mark:
    """Of free text found in an image file, where `mark_of` may stand."""
    statement, *words = text.strip().split("; ")
    ours = statement in (NOT_FOR_DIAGNOSIS, _ACQUIRED_MARK)
    domain = Domain(words[0]) if ours and words and words[0] in set(Domain) else None
    synthetic = statement == NOT_FOR_DIAGNOSIS
    phantom, bound = ours and _PHANTOM_MARK in words, synthetic and _NONCOMMERCIAL_MARK in words
    only = ours and set(words[domain is not None :]) <= {_PHANTOM_MARK, _NONCOMMERCIAL_MARK}
    return Mark(ours, synthetic, phantom, domain, bound, only)


def label_start(domain: Domain, mark: Mark) -> str:
    """`Synthetic T1 MR, `: how the label of a file begins; nothing where nothing is known."""
    if domain is Domain.UNKNOWN and not mark.synthetic and not mark.phantom:
        return ""
    return f"{kind_label(domain, synthetic=mark.synthetic, phantom=mark.phantom)}, "


def slice_count(geometry: Geometry) -> str:
    """`1 slice`, `234 slices`: for labels."""
    count = geometry.shape[0]
    return "1 slice" if count == 1 else f"{count} slices"


def volume_from_file(series: Series, voxels: Voxels, geometry: Geometry, findings: tuple[Finding, ...], mark: str = "") -> Volume:
    """The volume of a file that says little about itself: domain by our mark, else by name and values.

    `mark`: free text found in the image file; anything but our own marks is ignored.
    """
    path = series.files[0]
    ours, is_synthetic, phantom, domain, *_ = said = read_mark(mark)
    if domain is None:
        domain, guessed = domain_by_voxels(series.domain, path.name, voxels)
        findings += guessed
    record = _record(path, voxels, is_synthetic) if ours else None
    if record is not None:
        findings += tuple(replace(finding, told=True) for finding in record.findings if finding not in findings)
    elif is_synthetic:
        findings += (*said.findings, _NO_RECORD)
    made = Synthetic("unknown model", "")
    if record is not None:
        made = Synthetic(record.model_name, record.model_hash, record.model_details, told=True)
    return Volume(
        voxels=voxels,
        geometry=geometry,
        domain=domain,
        name=f"{kind_label(domain, synthetic=is_synthetic, phantom=phantom)}, {shown_name(path)}{_which(series)}",
        findings=findings,
        history=(*(record.history if record else ()), f"read from {series.format_name}"),
        synthetic=made if is_synthetic else None,
        phantom=phantom,
        path=series.path,
    )


def _record(path: Path, voxels: Voxels, is_synthetic: bool) -> Provenance | None:
    """The sidecar of a file that bears our mark; None when it is missing, not ours or tells of other voxels."""
    record = read_sidecar(path)
    if record is None or record.synthetic != is_synthetic or record.voxels_sha256 != voxels_sha256(voxels):
        return None
    return record


def read_sidecar(path: Path) -> Provenance | None:
    """What stands beside an image file, whatever voxels it is of; None where that is missing or no such record."""
    sidecar = sidecar_path(path)
    try:
        if not sidecar.is_file() or sidecar.stat().st_size > LARGEST_RECORD:
            return None
        return parsed(sidecar.read_bytes())
    except OSError:
        return None


def parsed(text: str | bytes) -> Provenance | None:
    """None where it is no such record."""
    try:
        return Provenance.model_validate(json.loads(text))
    except (ValueError, RecursionError, ValidationError):
        return None


def _which(series: Series) -> str:
    """Which of the volumes of one file it is, where there are several."""
    told = _ONE_OF_SEVERAL.search(series.label)
    return told[0] if told else ""
