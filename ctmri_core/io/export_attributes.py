"""The attributes that all slices of an exported series share, module by module (DICOM PS3.3, A.3 and A.4)."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Any

from pydicom.config import IGNORE, RAISE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID, CTImageStorage, MRImageStorage, generate_uid
from pydicom.valuerep import VR, format_number_as_ds, validate_value

import ctmri_core
from ctmri_core.domain import Domain
from ctmri_core.io.burned_in import BURNED_IN
from ctmri_core.io.dicom_source import PATIENT_AND_STUDY
from ctmri_core.io.export_rules import DEIDENTIFICATION_CODE, DERIVATION_CODE, DESCRIPTION_END, DESCRIPTION_START
from ctmri_core.io.face import may_show_face
from ctmri_core.io.stored_pixels import StoredPixels
from ctmri_core.io.synthetic_mark import comments_text, contribution_text, derivation_text, plain_text
from ctmri_core.volume import DicomSource, Volume

_MANUFACTURER = "CT-MRI Studio"
_SERIES_NUMBER = 9000  # behind the scanner's own in a list sorted by number
_EMPTY_WHERE_UNKNOWN = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID",
    "AccessionNumber", "PositionReferenceIndicator", "PatientPosition",
)  # fmt: skip
_UNPAIRED = {
    "ABDOMEN", "ABDOMENPELVIS", "BRAIN", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "CSPINE", "CTSPINE", "HEAD", "HEADNECK",
    "HEART", "JAW", "LIVER", "LSPINE", "LSSPINE", "MEDIASTINUM", "NECK", "PELVIS", "PROSTATE", "SKULL", "SPINE", "SSPINE",
    "STERNUM", "TLSPINE", "TSPINE", "WHOLEBODY",
}  # fmt: skip
"""Body parts (PS3.16, annex L) that are no pair, for which Laterality must not be sent."""

_LOSSY_METHODS = frozenset({
    "ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15", "ISO_13818_2", "ISO_14496_10", "ISO_23008_2", "ISO_18181_1",
})  # fmt: skip
"""Defined terms of LossyImageCompressionMethod (PS3.3, C.7.6.1.1.5)."""


def module_attributes(
    volume: Volume, pixels: StoredPixels, origin: DicomSource | None, stand_in: str, *, deidentified: bool = False
) -> Dataset:
    """Everything but what differs from slice to slice. `stand_in`: hash in place of an identity when there is no `origin`.

    `deidentified`: `origin` is a pseudonym; it is said how it came about, and no date is written.
    """
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _patient_and_study(dataset, volume, origin, stand_in)
    _series(dataset, volume, origin, stand_in)
    (_without_identity if deidentified else _dates)(dataset)
    _derivation(dataset, volume, pixels, origin, with_source=deidentified or can_be_referred_to(origin))
    _image(dataset, volume, pixels)
    if volume.domain is Domain.CT:
        _ct(dataset, pixels)
    else:
        _mr(dataset)
    return dataset


def identity_attributes(volume: Volume, origin: DicomSource, *, deidentified: bool) -> Dataset:
    """Whose it is, and of which study and space, for what lies over images and is none: without series and picture."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _patient_and_study(dataset, volume, origin, "")
    del dataset.PatientPosition
    dataset.FrameOfReferenceUID = volume.frame_of_reference or origin.frame_of_reference_uid or generate_uid(prefix=None)
    dataset.update(_equipment())
    (_without_identity if deidentified else _dates)(dataset)
    _lossy(dataset, origin)
    return dataset


def can_be_referred_to(origin: DicomSource | None) -> bool:
    """Whether the source's images have the identifiers that a reference needs."""
    return origin is not None and all((origin.series_uid, origin.sop_class_uid, origin.instance_uids, *origin.instance_uids))


def code(value: str, meaning: str) -> Dataset:
    """An item of a code sequence of the DICOM controlled terminology."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _patient_and_study(dataset: Dataset, volume: Volume, origin: DicomSource | None, stand_in: str) -> None:
    for keyword in _EMPTY_WHERE_UNKNOWN:
        setattr(dataset, keyword, None)
    if volume.phantom:
        dataset.QualityControlSubject = "YES"
    if origin is None:
        dataset.PatientName = "PHANTOM^DIGITAL" if volume.phantom else "ANONYMOUS^"
        dataset.PatientID = f"CTMRI-{stand_in[:12].upper()}"
        dataset.StudyInstanceUID = _hashed_uid("study", stand_in)
        dataset.StudyDescription = "Converted images" if volume.synthetic is None else "Synthetic images"
        return
    for keyword in PATIENT_AND_STUDY:
        _copy(dataset, origin, keyword)
    if dataset.get("BurnedInAnnotation") not in (None, "YES", "NO"):
        del dataset.BurnedInAnnotation
    dataset.StudyInstanceUID = origin.study_uid or generate_uid(prefix=None)


def _copy(dataset: Dataset, origin: DicomSource, keyword: str) -> None:
    """One attribute. What breaks the rules of its type is left out; name and number of the patient are kept as they are.

    pydicom would log values that it finds wrong, so they are looked at before it gets them.
    """
    tag, vr = tag_for_keyword(keyword), dictionary_VR(keyword)
    assert tag is not None
    values = [_plain_value(vr, value) for value in origin.patient_and_study.get(f"{tag:08X}", {}).get("Value", ())]
    if not values or values == [""]:
        return
    try:
        for value in values:
            validate_value(vr, value, RAISE)
    except ValueError:
        if keyword not in ("PatientName", "PatientID"):
            return
    dataset.add(DataElement(tag, vr, values[0] if len(values) == 1 else values, validation_mode=IGNORE))


def _plain_value(vr: str, value: Any) -> str:
    """The text behind a value of DICOM JSON."""
    if vr == VR.PN and isinstance(value, dict):
        return "=".join(str(value.get(group, "")) for group in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
    if vr == VR.DS and isinstance(value, int | float):
        return format_number_as_ds(float(value))
    return "" if value is None else str(value)


def _series(dataset: Dataset, volume: Volume, origin: DicomSource | None, stand_in: str) -> None:
    dataset.Modality = volume.domain.modality
    dataset.SeriesInstanceUID = generate_uid(prefix=None)
    dataset.SeriesNumber = _SERIES_NUMBER
    dataset.SeriesDescription = _series_description(volume)
    frame = volume.frame_of_reference or (origin.frame_of_reference_uid if origin else None)
    dataset.FrameOfReferenceUID = frame or (_hashed_uid("frame", stand_in) if stand_in else generate_uid(prefix=None))
    if not dataset.get("Laterality"):  # to be sent, if empty, unless the part is no pair (PS3.3, C.7.3.1)
        dataset.Laterality = None
        if dataset.get("BodyPartExamined") in _UNPAIRED:
            del dataset.Laterality
    dataset.update(_equipment())
    contribution = _equipment()
    contribution.PurposeOfReferenceCodeSequence = [code("109103", "Modifying Equipment")]
    contribution.ContributionDescription = contribution_text(volume.synthetic)
    dataset.ContributingEquipmentSequence = [contribution]


def _dates(dataset: Dataset) -> None:
    now = datetime.now()  # local time, as DICOM dates without a zone are meant
    dataset.SeriesDate = dataset.ContentDate = dataset.InstanceCreationDate = now.strftime("%Y%m%d")
    dataset.SeriesTime = dataset.ContentTime = dataset.InstanceCreationTime = now.strftime("%H%M%S")
    for contribution in dataset.get("ContributingEquipmentSequence", ()):
        contribution.ContributionDateTime = now.strftime("%Y%m%d%H%M%S")


def _without_identity(dataset: Dataset) -> None:
    """PS3.15, annex E: what was done about the identity."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "CT-MRI Studio: built anew from an allow-list"
    dataset.DeidentificationMethodCodeSequence = [code(DEIDENTIFICATION_CODE[0], "Basic Application Confidentiality Profile")]
    dataset.LongitudinalTemporalInformationModified = "REMOVED"


def _equipment() -> Dataset:
    item = Dataset()
    item.Manufacturer = item.ManufacturerModelName = _MANUFACTURER
    item.SoftwareVersions = ctmri_core.__version__
    return item


def _series_description(volume: Volume) -> str:
    if volume.synthetic is None:
        return plain_text(f"CONVERTED {'PHANTOM ' if volume.phantom else ''}{volume.domain.label}")
    room = 64 - len(DESCRIPTION_START) - len(DESCRIPTION_END) - 2
    what = f"{'PHANTOM ' if volume.phantom else ''}{volume.domain.label}"
    middle = plain_text(f"{what} {volume.synthetic.model_name}")[:room].strip()
    return f"{DESCRIPTION_START} {middle} {DESCRIPTION_END}"


def _derivation(dataset: Dataset, volume: Volume, pixels: StoredPixels, origin: DicomSource | None, *, with_source: bool) -> None:
    note = " ".join(loss.message for loss in pixels.losses)
    dataset.DerivationDescription = derivation_text(volume, with_source=with_source, note=note)
    findings = (*pixels.losses, *(finding for finding in volume.findings if finding not in pixels.losses))
    if findings:
        dataset.ImageComments = comments_text(findings)
    if volume.synthetic is not None:
        dataset.SyntheticData = "YES"
        dataset.DerivationCodeSequence = [code(DERIVATION_CODE[0], "Unspecified method of calculation")]
        marked = any(finding.kind == BURNED_IN for finding in volume.findings)
        if marked or dataset.get("BurnedInAnnotation") != "YES":  # as the source says; of an acquired image nobody else knows
            dataset.BurnedInAnnotation = "YES" if marked else "NO"
    dataset.RecognizableVisualFeatures = "YES" if may_show_face(volume) else "NO"
    _lossy(dataset, origin)


def _lossy(dataset: Dataset, origin: DicomSource | None) -> None:
    """What was lost before stays lost, whatever is computed from it (PS3.3, C.7.6.1.1.5)."""
    lossy = origin.lossy if origin is not None else None
    dataset.LossyImageCompression = "00" if lossy is None else "01"
    if lossy is None:
        return
    if lossy.ratios:
        dataset.LossyImageCompressionRatio = list(lossy.ratios)
    if lossy.methods and _LOSSY_METHODS.issuperset(lossy.methods):  # any other text may be anything
        dataset.LossyImageCompressionMethod = list(lossy.methods)


def _image(dataset: Dataset, volume: Volume, pixels: StoredPixels) -> None:
    geometry = volume.geometry
    spacing = [format_number_as_ds(value) for value in geometry.spacing]
    dataset.AcquisitionNumber = None
    dataset.PixelSpacing = spacing[1:]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = spacing[0]
    if volume.dicom is not None and geometry.shape[0] > 1:  # that of the scanner is not the distance between slices
        dataset.SliceThickness = None if volume.dicom.thickness is None else format_number_as_ds(volume.dicom.thickness)
    dataset.ImageOrientationPatient = [format_number_as_ds(float(value)) for axis in (2, 1) for value in geometry.axes[axis]]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = geometry.shape[1:]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = int(pixels.signed)
    dataset.WindowCenter, dataset.WindowWidth = (format_number_as_ds(value) for value in pixels.window)


def _ct(dataset: Dataset, pixels: StoredPixels) -> None:
    dataset.SOPClassUID = CTImageStorage
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = str(pixels.intercept), "1", "HU"
    dataset.KVP = None


def _mr(dataset: Dataset) -> None:
    dataset.SOPClassUID = MRImageStorage
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.ScanningSequence = "RM"  # research mode: no scanner's sequence made this contrast, or none is known
    dataset.SequenceVariant = "NONE"
    for keyword in ("ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength"):
        setattr(dataset, keyword, None)


def _hashed_uid(purpose: str, stand_in: str) -> UID:
    """A 2.25 UID that is the same whenever it is made from the same voxels."""
    digest = hashlib.sha256(f"{purpose} {stand_in}".encode()).digest()
    return UID(f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}")
