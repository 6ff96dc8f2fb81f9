"""What our own files say about themselves, so that a synthetic volume is known as one when it is opened again.

A short mark stands in the image file itself and decides; a JSON sidecar beside it (`head.nii.gz` -> `head.provenance.json`)
holds the details. Neither holds patient data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import ctmri_core
from ctmri_core.domain import Domain
from ctmri_core.geometry import Geometry
from ctmri_core.io.domain_guess import domain_by_voxels
from ctmri_core.io.series import Series
from ctmri_core.volume import Finding, Synthetic, Volume, Voxels

SYNTHETIC_MARK = "synthetic, not for diagnosis"
_ACQUIRED_MARK = "CT-MRI Studio"
_LARGEST_SIDECAR = 1 << 20
_SUFFIXES = (".nii.gz", ".nii", ".mha", ".nrrd")


class Provenance(BaseModel):
    """The sidecar: how the voxels came about."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    program: str
    domain: Domain
    synthetic: bool
    model_name: str = ""
    model_hash: str = ""
    model_details: dict[str, Any] = {}
    history: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def provenance_of(volume: Volume) -> Provenance:
    made = volume.synthetic
    return Provenance(
        program=f"CT-MRI Studio {ctmri_core.__version__}",
        domain=volume.domain,
        synthetic=made is not None,
        model_name=made.model_name if made else "",
        model_hash=made.model_hash if made else "",
        model_details=made.details if made else {},
        history=volume.history,
        findings=tuple(finding.message for finding in volume.findings),
    )


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of an image file stands."""
    for suffix in _SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.with_name(path.name[: -len(suffix)] + ".provenance.json")
    return path.with_name(path.name + ".provenance.json")


def mark_of(volume: Volume) -> str:
    """One line for the image file, within the 80 bytes of a NIfTI `descrip`: `synthetic, not for diagnosis; mr_t1`."""
    return f"{SYNTHETIC_MARK if volume.synthetic else _ACQUIRED_MARK}; {volume.domain.value}"


def slice_count(geometry: Geometry) -> str:
    """`1 slice`, `234 slices`: for labels."""
    count = geometry.shape[0]
    return "1 slice" if count == 1 else f"{count} slices"


def volume_from_file(series: Series, voxels: Voxels, geometry: Geometry, findings: tuple[Finding, ...], mark: str = "") -> Volume:
    """The volume of a file that says little about itself: domain by our mark, else by name and values.

    `mark`: free text found in the image file; anything but our own marks is ignored.
    """
    path = series.files[0]
    statement, _, word = mark.strip().partition("; ")
    domain = Domain(word) if statement in (SYNTHETIC_MARK, _ACQUIRED_MARK) and word in set(Domain) else None
    guessed: tuple[Finding, ...] = ()
    if domain is None:
        domain, guessed = domain_by_voxels(series.domain, path.name, voxels)
    synthetic = None
    history: tuple[str, ...] = (f"read from {series.format_name} {path.name}",)
    if statement == SYNTHETIC_MARK:
        known = _sidecar(path)
        synthetic = Synthetic("unknown model", "")
        if known:
            synthetic = Synthetic(known.model_name, known.model_hash, known.model_details)
            history = (*known.history, *history)
    return Volume(
        voxels=voxels,
        geometry=geometry,
        domain=domain,
        name=f"{domain.label}, {path.name}",
        findings=(*findings, *guessed),
        history=history,
        synthetic=synthetic,
        path=series.path,
    )


def _sidecar(path: Path) -> Provenance | None:
    """The sidecar of a file whose mark says it is synthetic; None when it is missing, not ours or tells of another file."""
    sidecar = sidecar_path(path)
    try:
        if not sidecar.is_file() or sidecar.stat().st_size > _LARGEST_SIDECAR:
            return None
        known = Provenance.model_validate(json.loads(sidecar.read_bytes()))
    except (OSError, ValueError, RecursionError, ValidationError):
        return None
    return known if known.synthetic else None
