"""Volumes under a pseudonym: what identifies is left behind by building anew from an allow-list, never by removing.

Patient, study and frame of reference get names that are the same for all that one run of the program exports, so that a scan
and what was made from it stay together. They are keyed hashes; the key is random, never leaves the memory and ends with the
program, so that nobody can work back, and a later run gives other names. With a pseudonym of the user's choice the key is made
from that, so that several runs meet; whoever holds the original can then tell that both belong together, as the pixels tell too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import uuid
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctmri_core.errors import WriteFailed
from ctmri_core.io.face import BODY_PARTS
from ctmri_core.io.provenance import NOT_FOR_SALE
from ctmri_core.volume import DicomSource, Finding, Synthetic, Volume

_KEPT = {
    "00180015": ("CS", BODY_PARTS),
    "00200060": ("CS", frozenset({"L", "R"})),
    "00185100": ("CS", frozenset({"HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS"})),
    "00280301": ("CS", frozenset({"YES", "NO"})),
}
"""BodyPartExamined, Laterality, PatientPosition and BurnedInAnnotation: kept where they hold one of these terms."""
_KEPT_DETAILS = frozenset({
    "asked", "batch", "context_slices", "cycle", "device", "direction", "draw", "fusion", "licences", "models", "overlap",
    "patch", "planes", "precision", "program_version", "recipe", "seed", "slice_flags", "source_range", "training_data",
    "uncertainty", "verified",
})  # fmt: skip
"""Of how it was computed: numbers and words of this program, and names of models. Not what was done to the source before, nor a
hash or an identifier that leads back to it."""
_PATIENT = ("00100010", "00100020", "00100021")
_SESSION_KEY = secrets.token_bytes(32)
_TELLS_OF_FILES = {"passed_over"}
_SERIOUS = "There were serious remarks about the original, which are not given away: ask for them before you measure."
_REMARKS = "There were remarks about the original, which are not given away."
_HASH = re.compile(r"[0-9a-f]{64}")
_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def pseudonymous(volume: Volume, source: Volume | None = None, pseudonym: str = "") -> Volume:
    """`volume` as it may be given away: nothing about it but grid, kind, body part and how it was computed.

    `source`: what it was made from, whose voxels stand for a patient where there is no DICOM identity. `pseudonym`: of the
    user's choice, else a new one. Voxels are shared, and not looked into: text that was burned into the picture stays. What
    files said of themselves (steps, remarks, name of the model) may be any text, so it is left behind. Raises `WriteFailed` as
    `check_pseudonym` does.
    """
    check_pseudonym(pseudonym, volume)
    key = hashlib.sha256(f"pseudonym {pseudonym}".encode()).digest() if pseudonym else _SESSION_KEY
    origin = volume.dicom
    whose, which = _identity(origin, (source or volume).voxels)
    frame = volume.frame_of_reference or (origin and (origin.frame_of_reference_uid or origin.series_uid)) or which
    dicom = DicomSource(
        study_uid=pseudonymous_uid(f"study {which}", key),
        series_uid="",
        sop_class_uid=origin.sop_class_uid if origin is not None else "",
        frame_of_reference_uid=pseudonymous_uid(f"frame {frame}", key),
        instance_uids=(),
        patient_and_study=_attributes(origin, pseudonym or _hashed(f"patient {whose}", key).hex()[:12].upper(), volume.phantom),
        positions=origin.positions if origin is not None else (),
        lossy=origin.lossy if origin is not None else None,
        thickness=origin.thickness if origin is not None else None,
    )
    return replace(
        volume, name=volume.label, frame_of_reference=None, findings=_findings(volume), history=(),
        synthetic=_model(volume.synthetic), path=None, files=(), dicom=dicom,
    )  # fmt: skip


def check_pseudonym(pseudonym: str, volume: Volume | None = None) -> None:
    """Raises `WriteFailed` for a pseudonym that is no plain word, or holds a part of the patient's name or number. "" is none."""
    if pseudonym and not _PSEUDONYM.fullmatch(pseudonym):
        raise WriteFailed("The pseudonym must be 1 to 32 letters, digits, - or _, and begin with a letter or digit.")
    origin = volume.dicom if volume is not None else None
    if pseudonym and origin is not None and _resembles(pseudonym.casefold(), origin):
        raise WriteFailed("The pseudonym holds a part of the patient's name or number. Choose another one.")


def pseudonymous_uid(text: str, key: bytes = _SESSION_KEY) -> str:
    """A 2.25 UID for `text`, the same within this run of the program or for the same `key`."""
    return f"2.25.{uuid.UUID(bytes=_hashed(text, key)[:16], version=4).int}"


def _resembles(pseudonym: str, origin: DicomSource) -> bool:
    texts = [text for tag in _PATIENT for text in _texts(origin, tag)]
    words = {word for text in texts for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 1}
    parts = re.split(r"[\W_]+", pseudonym)
    return any(word in parts or (len(word) > 2 and word in pseudonym) for word in words)


def _findings(volume: Volume) -> tuple[Finding, ...]:
    """Those of this program; in place of what files told, that there was something."""
    found = tuple(finding for finding in volume.findings if not finding.told and finding.kind not in _TELLS_OF_FILES)
    told = [finding.serious for finding in volume.findings if finding.told]
    kinds = [{finding.kind for finding in part} for part in (volume.findings, found)]
    bound = (NOT_FOR_SALE,) if NOT_FOR_SALE.kind in kinds[0] - kinds[1] else ()
    remarks = Finding("remarks", _SERIOUS if any(told) else _REMARKS, serious=any(told))
    return (*found, *bound, remarks) if told else found


def _model(made: Synthetic | None) -> Synthetic | None:
    if made is None:
        return None
    if made.told:
        return Synthetic("unknown model", made.model_hash if _HASH.fullmatch(made.model_hash) else "")
    return replace(made, details={key: value for key, value in made.details.items() if key in _KEPT_DETAILS})


def _identity(origin: DicomSource | None, voxels: NDArray[Any]) -> tuple[str, str]:
    """(of the patient, of the study), not to be shown to anybody."""
    study = (origin and (origin.study_uid or origin.series_uid)) or hashlib.sha256(np.ascontiguousarray(voxels).data).hexdigest()
    known = [_texts(origin, tag) for tag in _PATIENT] if origin is not None else []
    return json.dumps(known) if any(known[:2]) else study, study  # patients without name and number are not all the same


def _texts(origin: DicomSource, tag: str) -> list[str]:
    """All that an attribute says, the groups of a name one by one."""
    values = origin.patient_and_study.get(tag, {}).get("Value", ())
    texts = [text for value in values for text in (value.values() if isinstance(value, dict) else (value,))]
    return [str(text).strip() for text in texts if text and str(text).strip()]


def _attributes(origin: DicomSource | None, name: str, phantom: bool) -> dict[str, Any]:
    """DICOM JSON."""
    pseudonym = f"ANON-{name}"
    attributes: dict[str, Any] = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "PHANTOM^DIGITAL" if phantom else f"{pseudonym}^"}]},
        "00100020": {"vr": "LO", "Value": [pseudonym]},
    }
    for tag, (vr, terms) in _KEPT.items():
        if origin is not None and origin.term(tag) in terms:
            attributes[tag] = {"vr": vr, "Value": [origin.term(tag)]}
    return attributes


def _hashed(text: str, key: bytes) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
