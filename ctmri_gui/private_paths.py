"""Paths that seem to tell who a patient is: they are not remembered.

A path part is compared with what the DICOM header says of the patient, whatever its case and accents; where there is no header,
or it says something else, the looks of the part decide. Both err on the side of forgetting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctmri_core.volume import DicomSource

_NAMES = ("00100010", "00080090")  # PatientName, ReferringPhysicianName
_NUMBERS = ("00100020", "00080050", "00200010")  # PatientID, AccessionNumber, StudyID
_BIRTH = "00100030"
_SHORT_NAME, _SHORTEST_NUMBER = 3, 4  # of this length or less a name must be a word of its own; a number is met by chance
_NOBODY = {"anon", "anonymous", "anonymized", "anonymised", "patient", "phantom", "digital", "test", "unknown", "none", "qa"}
_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "ł": "l", "đ": "d", "œ": "oe"})
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAME_LIKE = re.compile(r"[^\W\d_]{2,}(?:(?:, |[ _,.-])[^\W\d_]{2,}){1,2}(?=$|[ _,.-]*\d|[ _,.-]*$)")
_PATIENT_NUMBER = re.compile(r"(patient|pat|mrn|pid)[ _-]?(id|no|nr)?[ _.-]?\d{3,}", re.IGNORECASE)
_UNIQUE = re.compile(r"(\d+\.){5,}\d+")
_CODE = re.compile(r"(?<![^\W_])[^\W\d_]{0,4}(?P<digits>\d{5,})[^\W\d_]{0,4}(?![^\W_])")
_COUNTED = {"ct", "dcm", "i", "im", "img", "mr", "run", "s", "scan", "se", "ser", "ses", "slice", "st", "sub", "z"}
_SUFFIXES = re.compile(r"(\.[a-z][a-z0-9]{0,8}){1,2}$")
_DATE = re.compile(r"(?<!\d)((19|20)\d\d[-_.](0?[1-9]|1[0-2])[-_.]\d{1,2}|\d{1,2}[-_.](0?[1-9]|1[0-2])[-_.](19|20)\d\d)(?!\d)")
_PLAIN_WORDS = """
abdomen adult aligned anat anatomy anon anonymous archive atlas axial backup body bone brain case cases chest cloud code cohort
contrast control coronal ct data dataset datasets defaced demo derivatives desktop developer dicom dicomdir documents dose
downloads drive excerpt examples export exports file files flair folder fold group head home hospital image images imaging import
imports in input inputs institute knee lab left library linux liver local low lung main marker mask masks media medical mha model
models mr mri my neck neuro new nifti nii nrrd of old one open original out output outputs own paired pelvis phantom pictures png
porcine post pre private processed program project projects prostate public pull quality raw reader real reference region
registered research result results right run runs sagittal sample samples scan scans screen segmentation sequence series server
session share shared shots sim single site skull slice slices soft source spine stack storage store studies study subject
subjects synthetic sync syn target team temp temporary test testing tests the thick thin thorax tissue tmp to train training
transfer trial true truth two university upload use user users validation var version view visible volume volumes window windowed
windows with work workspace zip one two three copy
"""
_PLAIN = frozenset(_PLAIN_WORDS.split())


@dataclass(frozen=True)
class Identity:
    """What a header says of a patient, folded for comparing. Patient data: never logged, never in a repr."""

    names: frozenset[str]
    numbers: frozenset[str]

    def __repr__(self) -> str:
        return "Identity"

    def is_in(self, text: str) -> bool:
        """Whether `text` holds a part of the name, or a number of the patient."""
        forms, words = folded(text), set().union(*(folded(word) for word in _WORD.findall(_CAMEL.sub(" ", text))))
        digits = re.sub(r"[\W_]", "", text.casefold())
        if any(number in digits for number in self.numbers):
            return True
        return any(
            name in words if len(name) <= _SHORT_NAME and name.isascii() else any(name in form for form in forms)
            for name in self.names
        )


def identity_of(origin: DicomSource) -> Identity:
    """From the patient's attributes of a DICOM series."""
    names = {form for text in _texts(origin, _NAMES) for word in _WORD.findall(text) for form in folded(word)}
    numbers = {re.sub(r"[\W_]", "", text.casefold()) for text in _texts(origin, _NUMBERS)}
    for born in _texts(origin, (_BIRTH,)):
        day = re.sub(r"\D", "", born)
        numbers |= {day, day[6:8] + day[4:6] + day[:4], day[4:6] + day[6:8] + day[:4]}
    known_names = {name for name in names if name not in _NOBODY and (len(name) > 1 or not name.isascii())}
    known_numbers = {number for number in numbers if len(number) >= _SHORTEST_NUMBER and number not in _NOBODY}
    return Identity(frozenset(known_names), frozenset(known_numbers))


def tells_of_patient(path: Path, identities: Iterable[Identity] = ()) -> bool:
    """Whether a part of `path` below the user's own folder repeats one of `identities`, or looks like a name or a number."""
    known = tuple(identities)
    return any(looks_like_patient(part) or any(identity.is_in(part) for identity in known) for part in _own_parts(path))


def looks_like_patient(part: str) -> bool:
    """`DOE^JANE`, `Doe_Jane`, `Doe, Jane 1962-04-13`, `PAT00123`, a date or a long number, a unique identifier among them."""
    if "^" in part or any(pattern.search(part) for pattern in (_PATIENT_NUMBER, _DATE, _UNIQUE)):
        return True
    stem = _SUFFIXES.sub("", part)
    if any(not _counts(code["digits"], stem) for code in _CODE.finditer(stem)):
        return True
    if _NAME_LIKE.match(stem) is None:
        return False
    words = _WORD.findall(stem)
    capitals = all(word[0].isupper() or word[0].lower() == word[0].upper() for word in words)
    return (capitals or "," in stem) and not any(word.casefold() in _PLAIN for word in words)


def _counts(digits: str, stem: str) -> bool:
    """Whether a number with zeros before it is that of a slice or a run: `IM000123`, `slice_00012`, `000001`."""
    words = {word.casefold() for word in _WORD.findall(stem)}
    return digits.startswith("0") and (not words or bool(words & (_COUNTED | _PLAIN)))


def folded(text: str) -> frozenset[str]:
    """Without case and accents, and as well with umlauts written as two letters."""
    lower = unicodedata.normalize("NFC", text).casefold()
    return frozenset({_without_marks(lower), _without_marks(lower.translate(_EXPANDED))})


def _without_marks(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def _own_parts(path: Path) -> tuple[str, ...]:
    """The parts below the user's own folder, whose name is the user's and no patient's."""
    home = Path.home()
    return path.relative_to(home).parts if path.is_relative_to(home) else path.parts[1:] if path.anchor else path.parts


def _texts(origin: DicomSource, tags: Iterable[str]) -> Iterator[str]:
    for tag in tags:
        values: Any = origin.patient_and_study.get(tag, {}).get("Value")
        for value in values if isinstance(values, list) else []:
            yield from (str(each) for each in value.values()) if isinstance(value, dict) else (str(value),)
