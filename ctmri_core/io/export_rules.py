"""Our own rules for exported DICOM files: which marks are missing or wrong, and what has no business there.

A CT that was relabelled as MR passes the general validators, so the marks are checked here, in every file that is written.
Every element must be on an allow-list: what nobody wrote on purpose cannot have come along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from ctmri_core.io.dicom_record import holds_record, is_record_tag
from ctmri_core.io.dicom_source import PATIENT_AND_STUDY
from ctmri_core.io.face import is_faceless
from ctmri_core.io.stored_pixels import CT_INTERCEPT
from ctmri_core.io.synthetic_mark import CONVERTED, NO_DICOM_SOURCE

DESCRIPTION_START = "SYNTHETIC"
DESCRIPTION_END = "NOT FOR DIAGNOSTIC USE"
SOURCE_PURPOSE = ("121322", "DCM")
DERIVATION_CODE = ("112187", "DCM")
DEIDENTIFICATION_CODE = ("113100", "DCM")

Rule = Callable[[Dataset], bool]


def missing_marks(path: str | Path, *, synthetic: bool = True, deidentified: bool = False) -> tuple[str, ...]:
    """The names of the required marks that the file lacks or has wrong; empty when all stand.

    `synthetic`, `deidentified`: what the file is known to be, whatever it says itself.
    """
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    return marks_missing_in(dataset, synthetic=synthetic, deidentified=deidentified)


def marks_missing_in(dataset: Dataset, *, synthetic: bool = True, deidentified: bool = False) -> tuple[str, ...]:
    """As `missing_marks`, for a data set at hand."""
    rules = _COMMON | (_CT if dataset.get("Modality") == "CT" else _MR) | (_SYNTHETIC if synthetic else _ACQUIRED)
    if deidentified or synthetic:
        rules = rules | (_DEIDENTIFIED if deidentified else _RECORDED)
    if not deidentified and NO_DICOM_SOURCE not in str(dataset.get("DerivationDescription", "")):
        rules = rules | _SOURCE
    return tuple(name for name, holds in rules.items() if not holds(dataset))


def _only_known_elements(dataset: Dataset) -> bool:
    """The record of how it was made is the one private element that may stand there."""
    unknown = {tag for tag in dataset.keys() - _KNOWN_TAGS if not is_record_tag(tag, dataset)}
    inner = (part for part in _parts(dataset) if part is not dataset)
    return not unknown and all(_KNOWN_TAGS.issuperset(part.keys()) for part in inner)


def _nothing_traceable(dataset: Dataset) -> bool:
    """No date or time, and no unique identifier but DICOM's own and those made here."""
    for part in _parts(dataset):
        for element in part:
            if element.VR in ("DA", "TM", "DT") and element.value:
                return False
            if element.VR == "UI" and element.value and not str(element.value).startswith(("1.2.840.10008.", "2.25.")):
                return False
    return True


def _parts(dataset: Dataset) -> Iterator[Dataset]:
    """The data set and all items of its sequences. Values are left alone: odd ones of a patient are kept as they are."""
    yield dataset
    for tag in tuple(dataset.keys()):
        if dataset.get_item(tag).VR == "SQ":
            for item in dataset[tag].value:
                yield from _parts(item)


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


def _visual_features(dataset: Dataset) -> bool:
    """YES unless a phantom, or a body part without a face, is named."""
    said, part = dataset.get("RecognizableVisualFeatures"), str(dataset.get("BodyPartExamined") or "").strip().upper()
    return bool(said == "YES" or (said == "NO" and (dataset.get("QualityControlSubject") == "YES" or is_faceless(part))))


def _rescale_intercept(dataset: Dataset) -> bool:
    value = dataset.get("RescaleIntercept")
    return value is not None and float(value) <= CT_INTERCEPT and float(value).is_integer()


def _absent(*keywords: str) -> Rule:
    return lambda dataset: not any(keyword in dataset for keyword in keywords)


def _starts(keyword: str, *texts: str) -> Rule:
    return lambda dataset: str(dataset.get(keyword, "")).startswith(texts)


_COMMON: dict[str, Rule] = {
    "only known elements": _only_known_elements,
    "RecognizableVisualFeatures": _visual_features,
    "DerivationDescription": _present("DerivationDescription"),
    "ContributingEquipmentSequence": lambda dataset: bool(dataset.get("ContributingEquipmentSequence")),
    "WindowCenter": _present("WindowCenter"),
    "WindowWidth": _present("WindowWidth"),
    "FrameOfReferenceUID": _present("FrameOfReferenceUID"),
    "SOPInstanceUID": _own_uid("SOPInstanceUID"),
    "SeriesInstanceUID": _own_uid("SeriesInstanceUID"),
}
_SYNTHETIC: dict[str, Rule] = {
    "SyntheticData": _equals("SyntheticData", "YES"),
    "BurnedInAnnotation": lambda dataset: dataset.get("BurnedInAnnotation") in ("NO", "YES"),
    "SeriesDescription": _series_description,
    "DerivationCodeSequence": _has_code("DerivationCodeSequence", DERIVATION_CODE),
}
_ACQUIRED: dict[str, Rule] = {
    "no SyntheticData": _absent("SyntheticData"),
    "SeriesDescription": _starts("SeriesDescription", "CONVERTED "),
    "DerivationDescription": _starts("DerivationDescription", CONVERTED),
}
_DEIDENTIFIED: dict[str, Rule] = {
    "PatientIdentityRemoved": _equals("PatientIdentityRemoved", "YES"),
    "DeidentificationMethod": _present("DeidentificationMethod"),
    "DeidentificationMethodCodeSequence": _has_code("DeidentificationMethodCodeSequence", DEIDENTIFICATION_CODE),
    "LongitudinalTemporalInformationModified": _equals("LongitudinalTemporalInformationModified", "REMOVED"),
    "PatientName": _starts("PatientName", "ANON-", "PHANTOM^"),
    "PatientID": _starts("PatientID", "ANON-"),
    "nothing traceable": _nothing_traceable,
    "no private elements": lambda dataset: not any(tag.is_private for part in _parts(dataset) for tag in tuple(part.keys())),
    "no description of the study": _absent("StudyDescription", "SourceImageSequence", "ReferencedSeriesSequence", "PatientAge"),
}
_RECORDED: dict[str, Rule] = {"record of how it was made": holds_record}
_SOURCE: dict[str, Rule] = {"SourceImageSequence": _source_images, "ReferencedSeriesSequence": _referenced_series}
_CT: dict[str, Rule] = {
    "Modality": _equals("Modality", "CT"),
    "SOPClassUID": _equals("SOPClassUID", CTImageStorage),
    "ImageType": _image_type("AXIAL"),
    "RescaleIntercept": _rescale_intercept,
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
_KNOWN = frozenset(PATIENT_AND_STUDY) | {
    "AcquisitionNumber", "BitsAllocated", "BitsStored", "BurnedInAnnotation", "CodeMeaning", "CodeValue",
    "CodingSchemeDesignator", "Columns", "ContentDate", "ContentTime", "ContributingEquipmentSequence", "ContributionDateTime",
    "ContributionDescription", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "DerivationCodeSequence",
    "DerivationDescription", "EchoTime", "EchoTrainLength", "FrameOfReferenceUID", "HighBit", "ImageComments",
    "ImageOrientationPatient", "ImagePositionPatient", "ImageType", "InstanceCreationDate", "InstanceCreationTime",
    "InstanceNumber", "KVP", "LongitudinalTemporalInformationModified", "LossyImageCompression", "LossyImageCompressionMethod",
    "LossyImageCompressionRatio", "MRAcquisitionType", "Manufacturer", "ManufacturerModelName", "Modality",
    "PatientIdentityRemoved", "PhotometricInterpretation", "PixelData", "PixelRepresentation", "PixelSpacing",
    "PurposeOfReferenceCodeSequence", "QualityControlSubject", "RecognizableVisualFeatures", "ReferencedFrameNumber",
    "ReferencedInstanceSequence", "ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "ReferencedSeriesSequence",
    "RepetitionTime", "RescaleIntercept", "RescaleSlope", "RescaleType", "Rows", "SOPClassUID", "SOPInstanceUID",
    "SamplesPerPixel", "ScanOptions", "ScanningSequence", "SequenceVariant", "SeriesDate", "SeriesDescription",
    "SeriesInstanceUID", "SeriesNumber", "SeriesTime", "SliceLocation", "SliceThickness", "SoftwareVersions",
    "SourceImageSequence", "SpacingBetweenSlices", "SpecificCharacterSet", "StudyInstanceUID", "SyntheticData", "WindowCenter",
    "WindowWidth",
}  # fmt: skip
"""Every attribute that `export_attributes` and `dicom_export` write."""
_KNOWN_TAGS = frozenset(map(tag_for_keyword, _KNOWN))
