"""Volumes under a pseudonym: what identifies is left behind by building anew from an allow-list, never by removing.

Patient, study and frame of reference get names that are the same for all that one run of the program exports, so that a scan
and what was made from it stay together. They are keyed hashes; the key is random, never leaves the memory and ends with the
program, so that nobody can work back, and a later run gives other names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.io.face import BODY_PARTS
from ctmri_core.volume import DicomSource, Volume

_KEPT = {
    "00180015": ("CS", BODY_PARTS),
    "00200060": ("CS", frozenset({"L", "R"})),
    "00185100": ("CS", frozenset({"HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS"})),
}
"""BodyPartExamined, Laterality and PatientPosition: kept where they hold one of these terms."""
_PATIENT = ("00100010", "00100020", "00100021")
_SESSION_KEY = secrets.token_bytes(32)
_TELLS_OF_FILES = {"passed_over"}


def pseudonymous(volume: Volume, source: Volume | None = None) -> Volume:
    """`volume` as it may be given away: nothing about it but grid, kind, body part and how it was computed.

    `source`: what it was made from, whose voxels stand for a patient where there is no DICOM identity. Voxels are shared, and
    not looked into: text that was burned into the picture stays.
    """
    origin = volume.dicom
    whose, which = _identity(origin, (source or volume).voxels)
    frame = volume.frame_of_reference or (origin.frame_of_reference_uid if origin is not None else None) or which
    dicom = DicomSource(
        study_uid=pseudonymous_uid(f"study {which}"),
        series_uid="",
        sop_class_uid=origin.sop_class_uid if origin is not None else "",
        frame_of_reference_uid=pseudonymous_uid(f"frame {frame}"),
        instance_uids=(),
        patient_and_study=_attributes(origin, whose, phantom=volume.phantom),
        positions=origin.positions if origin is not None else (),
        lossy=origin.lossy if origin is not None else None,
    )
    findings = tuple(finding for finding in volume.findings if finding.kind not in _TELLS_OF_FILES)
    return replace(volume, name=volume.label, frame_of_reference=None, findings=findings, path=None, files=(), dicom=dicom)


def pseudonymous_uid(text: str) -> str:
    """A 2.25 UID for `text`, the same within this run of the program."""
    return f"2.25.{uuid.UUID(bytes=_hashed(text)[:16], version=4).int}"


def _identity(origin: DicomSource | None, voxels: NDArray[Any]) -> tuple[str, str]:
    """(of the patient, of the study), not to be shown to anybody."""
    if origin is None:
        stand_in = hashlib.sha256(np.ascontiguousarray(voxels).data).hexdigest()
        return stand_in, stand_in
    known = {tag: origin.patient_and_study[tag] for tag in _PATIENT if tag in origin.patient_and_study}
    study = origin.study_uid or origin.series_uid
    return json.dumps(known, sort_keys=True) if known else study, study


def _attributes(origin: DicomSource | None, whose: str, *, phantom: bool) -> dict[str, Any]:
    """DICOM JSON."""
    pseudonym = f"ANON-{_hashed(f'patient {whose}').hex()[:12].upper()}"
    attributes: dict[str, Any] = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "PHANTOM^DIGITAL" if phantom else pseudonym}]},
        "00100020": {"vr": "LO", "Value": [pseudonym]},
    }
    for tag, (vr, terms) in _KEPT.items():
        value = origin.patient_and_study.get(tag, {}).get("Value") if origin is not None else None
        if isinstance(value, list) and len(value) == 1 and value[0] in terms:
            attributes[tag] = {"vr": vr, "Value": value}
    return attributes


def _hashed(text: str) -> bytes:
    return hmac.digest(_SESSION_KEY, text.encode(), "sha256")
