"""What a series derived from a DICOM series has to carry over from it: an allow-list, never the whole header."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.datadict import tag_for_keyword

from ctmri_core.io.dicom_elements import DEFLATED, PARSE_ERRORS
from ctmri_core.io.dicom_slice import SliceHeader
from ctmri_core.io.reader_process import shared_reader
from ctmri_core.volume import DicomSource

PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize",
    "PatientWeight", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID",
    "StudyDescription", "PositionReferenceIndicator", "BodyPartExamined", "Laterality", "PatientPosition", "BurnedInAnnotation",
)  # fmt: skip
"""Attributes of the patient, general study, patient study, frame of reference, general series and general image modules that
stay true.

The unique identifiers of study and frame of reference are fields of `DicomSource`.
"""


def dicom_source(ordered: Sequence[SliceHeader]) -> DicomSource:
    """From the slices of one series, k = 0 first."""
    first = ordered[0]
    thicknesses = {header.thickness for header in ordered}
    return DicomSource(
        study_uid=first.study_uid,
        series_uid=first.series_uid,
        sop_class_uid=first.sop_class_uid,
        frame_of_reference_uid=first.frame_of_reference,
        instance_uids=tuple(header.instance_uid for header in ordered),
        patient_and_study=_attributes(first),
        frames=tuple(header.frame for header in ordered) if any(header.frame for header in ordered) else (),
        lossy=next((header.origin.lossy for header in ordered if header.origin.lossy is not None), None),
        thickness=first.thickness if len(thicknesses) == 1 and (first.thickness or 0.0) > 0 else None,
    )


def _attributes(header: SliceHeader) -> dict[str, Any]:
    """DICOM JSON, keyed by tag; empty when the file cannot be read again."""
    if header.pixels.transfer_syntax == DEFLATED:
        attributes: dict[str, Any] = shared_reader().call("ctmri_core.io.native_dicom:deflated_attributes", header.path)
        return attributes
    return attributes_of(header.path)


def attributes_of(file: Path | BinaryIO) -> dict[str, Any]:
    """`PATIENT_AND_STUDY` as DICOM JSON, keyed by tag. Values that pydicom cannot express are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values in other people's files are no fault of the program
        try:
            elements = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(PATIENT_AND_STUDY))
        except PARSE_ERRORS:
            return {}
        attributes: dict[str, Any] = {}
        for keyword in PATIENT_AND_STUDY:
            tag = tag_for_keyword(keyword)
            try:
                if tag is not None and tag in elements:
                    attributes[f"{tag:08X}"] = elements[tag].to_json_dict(None, 0)
            except PARSE_ERRORS:
                continue
    return attributes
