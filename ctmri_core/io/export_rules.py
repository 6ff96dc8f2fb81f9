"""Our own rules for exported DICOM files: which marks of a synthetic image are missing.

A CT that was relabelled as MR passes the general validators, so the marks are checked here, in every file that is written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from ctmri_core.io.synthetic_mark import NO_DICOM_SOURCE

DESCRIPTION_START = "SYNTHETIC"
DESCRIPTION_END = "NOT FOR DIAGNOSTIC USE"
SOURCE_PURPOSE = ("121322", "DCM")
DERIVATION_CODE = ("112187", "DCM")

Rule = Callable[[Dataset], bool]


def missing_marks(path: str | Path) -> tuple[str, ...]:
    """The names of the required marks that the file lacks or has wrong; empty when all stand."""
    return marks_missing_in(pydicom.dcmread(path, stop_before_pixels=True))


def marks_missing_in(dataset: Dataset) -> tuple[str, ...]:
    """As `missing_marks`, for a data set at hand."""
    is_ct = dataset.get("Modality") == "CT"
    rules = _COMMON | (_CT if is_ct else _MR)
    if NO_DICOM_SOURCE not in str(dataset.get("DerivationDescription", "")):
        rules = rules | _SOURCE
    return tuple(name for name, holds in rules.items() if not holds(dataset))


def _equals(keyword: str, value: object) -> Rule:
    return lambda dataset: dataset.get(keyword) == value


def _present(keyword: str) -> Rule:
    return lambda dataset: dataset.get(keyword) not in (None, "")


def _own_uid(keyword: str) -> Rule:
    return lambda dataset: str(dataset.get(keyword, "")).startswith("2.25.")


def _has_code(sequence: str, code: tuple[str, str]) -> Rule:
    def holds(dataset: Dataset) -> bool:
        items = dataset.get(sequence) or ()
        return any((item.get("CodeValue"), item.get("CodingSchemeDesignator")) == code for item in items)

    return holds


def _image_type(third: str) -> Rule:
    return lambda dataset: list(dataset.get("ImageType") or ())[:3] == ["DERIVED", "SECONDARY", third]


def _series_description(dataset: Dataset) -> bool:
    text = str(dataset.get("SeriesDescription", ""))
    return text.startswith(DESCRIPTION_START) and text.endswith(DESCRIPTION_END) and len(text) <= 64


def _source_images(dataset: Dataset) -> bool:
    purpose = _has_code("PurposeOfReferenceCodeSequence", SOURCE_PURPOSE)
    items = dataset.get("SourceImageSequence") or ()
    return bool(items) and all(item.get("ReferencedSOPInstanceUID") and purpose(item) for item in items)


def _referenced_series(dataset: Dataset) -> bool:
    items = dataset.get("ReferencedSeriesSequence") or ()
    return any(item.get("SeriesInstanceUID") and item.get("ReferencedInstanceSequence") for item in items)


_COMMON: dict[str, Rule] = {
    "SyntheticData": _equals("SyntheticData", "YES"),
    "BurnedInAnnotation": lambda dataset: dataset.get("BurnedInAnnotation") in ("NO", "YES"),
    "RecognizableVisualFeatures": _equals("RecognizableVisualFeatures", "YES"),
    "SeriesDescription": _series_description,
    "DerivationDescription": _present("DerivationDescription"),
    "DerivationCodeSequence": _has_code("DerivationCodeSequence", DERIVATION_CODE),
    "ContributingEquipmentSequence": lambda dataset: bool(dataset.get("ContributingEquipmentSequence")),
    "WindowCenter": _present("WindowCenter"),
    "WindowWidth": _present("WindowWidth"),
    "FrameOfReferenceUID": _present("FrameOfReferenceUID"),
    "SOPInstanceUID": _own_uid("SOPInstanceUID"),
    "SeriesInstanceUID": _own_uid("SeriesInstanceUID"),
}
_SOURCE: dict[str, Rule] = {"SourceImageSequence": _source_images, "ReferencedSeriesSequence": _referenced_series}
_CT: dict[str, Rule] = {
    "Modality": _equals("Modality", "CT"),
    "SOPClassUID": _equals("SOPClassUID", CTImageStorage),
    "ImageType": _image_type("AXIAL"),
    "RescaleIntercept": _equals("RescaleIntercept", -1024),
    "RescaleSlope": _equals("RescaleSlope", 1),
    "RescaleType": _equals("RescaleType", "HU"),
    "KVP": lambda dataset: "KVP" in dataset and dataset.KVP is None,
}
_MR: dict[str, Rule] = {
    "Modality": _equals("Modality", "MR"),
    "SOPClassUID": _equals("SOPClassUID", MRImageStorage),
    "ImageType": _image_type("OTHER"),
    "ScanningSequence": _equals("ScanningSequence", "RM"),
    "RepetitionTime": lambda dataset: "RepetitionTime" in dataset and dataset.RepetitionTime is None,
    "EchoTime": lambda dataset: "EchoTime" in dataset and dataset.EchoTime is None,
    "no RescaleSlope": lambda dataset: "RescaleSlope" not in dataset and "RescaleType" not in dataset,
}
