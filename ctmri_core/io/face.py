"""Body parts: whether an image may hold a face, and the reminder that goes with one."""

from __future__ import annotations

from ctmri_core.volume import DicomSource, Volume

_FACELESS = frozenset({
    "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "AORTA", "ARM", "BREAST", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "ELBOW", "FINGER",
    "FOOT", "HAND", "HEART", "HIP", "KNEE", "LEG", "LIVER", "LSPINE", "LSSPINE", "MEDIASTINUM", "PELVIS", "PROSTATE", "SHOULDER",
    "SSPINE", "STERNUM", "TLSPINE", "TSPINE", "WRIST",
})  # fmt: skip
_HEADS = frozenset({"BRAIN", "EAR", "EYE", "FACE", "HEAD", "HEADNECK", "JAW", "ORBIT", "SKULL", "WHOLEBODY"})
BODY_PARTS = _FACELESS | _HEADS | {"CSPINE", "CTSPINE", "NECK", "SPINE"}
"""The common terms for BodyPartExamined (PS3.16, annex L); any other text there may be anything."""
_BODY_PART = "00180015"


def may_show_face(volume: Volume) -> bool:
    """False for phantoms, and for a body part without a face that the DICOM header names; else nobody can rule it out."""
    return not volume.phantom and not is_faceless(body_part(volume.dicom))


def is_faceless(part: str) -> bool:
    """Whether BodyPartExamined says that there is no face."""
    return part in _FACELESS


def face_reminder(volume: Volume) -> str:
    """One sentence for whoever exports `volume`; empty where it holds no face."""
    if not may_show_face(volume):
        return ""
    if body_part(volume.dicom) in _HEADS:
        return "A face can be recognised or rebuilt from this head: share it like a photograph, whatever name it bears."
    return "If this shows a head, a face can be recognised or rebuilt from it: share it like a photograph."


def body_part(origin: DicomSource | None) -> str:
    """BodyPartExamined in capitals; empty where nobody says."""
    return origin.term(_BODY_PART).strip().upper() if origin is not None else ""
