"""Labels as a DICOM Segmentation (PS3.3, A.51) over the images that they were drawn on.

Of patient and study it takes what exported images take, from the same allow-list. It refers to the images slice by slice, unless
it is to be given away under a pseudonym: the identifiers of the originals stay behind then.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from ctmri_core.errors import WriteFailed
from ctmri_core.files import atomic_file
from ctmri_core.io.deidentify import pseudonymous
from ctmri_core.io.dicom_export import file_meta, slice_places
from ctmri_core.io.export_attributes import can_be_referred_to, code, identity_attributes
from ctmri_core.labels.label_table import UNDECIDED
from ctmri_core.volume import DicomSource, Volume

Labels = NDArray[np.uint8]
DrawnBy = Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"]
_SERIES_NUMBER = 9001
_PATIENT_TAGS = {"00100010", "00100020"}
_NO_SOURCE = (
    "A DICOM Segmentation lies over DICOM images, and the scan is of another format. "
    "Save the scan as DICOM first, open that, and save the labels over it; or save the labels as NIfTI."
)
_SEGMENT_AT, _POSITION_AT = (0x0062000B, 0x0062000A), (0x00200032, 0x00209113)
"""What frames are counted by, and in which sequence it stands."""


def write_dicom_seg(
    labels: Labels,
    scan: Volume,
    target: str | Path,
    names: Mapping[int, str],
    *,
    drawn_by: DrawnBy = "MANUAL",
    deidentify: bool = False,
    pseudonym: str = "",
) -> Path:
    """Writes the file and reads it back. `labels`: (k, j, i) on the grid of `scan`; 0 is nothing, 255 left open, neither is
    written. `names`: of the labels; under a pseudonym they are only numbered, for names are anybody's words.

    Raises `WriteFailed` for a scan that is no DICOM or whose patient is unknown, labels that are empty, or a disk that refuses.
    """
    target = Path(target)
    deidentify = deidentify or bool(pseudonym)
    if scan.dicom is None or not (can_be_referred_to(scan.dicom) or deidentify):
        raise WriteFailed(_NO_SOURCE)
    if deidentify:
        scan, names = pseudonymous(scan, None, pseudonym), {}
    origin = scan.dicom
    if origin is None or not _PATIENT_TAGS & origin.patient_and_study.keys():
        raise WriteFailed("The scan's files do not tell the patient, so labels cannot be filed. Save them as NIfTI.")
    if labels.shape != scan.geometry.shape:
        raise WriteFailed(f"The labels are {labels.shape}, the scan {scan.geometry.shape}.")
    present = [value for value in np.unique(labels).tolist() if value not in (0, UNDECIDED)]
    if not present:
        raise WriteFailed("There is nothing to be saved: no label is drawn anywhere.")
    dataset = identity_attributes(scan, origin, deidentified=deidentify)
    _series(dataset, scan)
    dataset.SegmentSequence = [_segment(n, value, names, drawn_by) for n, value in enumerate(present, 1)]
    _frames(dataset, labels, present, scan, None if deidentify else origin)
    _save(dataset, target)
    return target


def _series(dataset: Dataset, scan: Volume) -> None:
    dataset.SOPClassUID, dataset.SOPInstanceUID = SegmentationStorage, generate_uid(prefix=None)
    dataset.Modality, dataset.SeriesInstanceUID = "SEG", generate_uid(prefix=None)
    dataset.SeriesNumber, dataset.InstanceNumber = _SERIES_NUMBER, 1
    dataset.SeriesDescription = "Segmentation"
    dataset.DeviceSerialNumber = "none"  # of a program; it must not be empty
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.ContentLabel, dataset.ContentDescription, dataset.ContentCreatorName = "SEGMENTATION", None, None
    dataset.SegmentationType, dataset.SegmentsOverlap = "BINARY", "NO"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.Rows, dataset.Columns = scan.geometry.shape[1:]
    dataset.BurnedInAnnotation = "NO"
    for keyword, nothing in (("ContentDate", "19000101"), ("ContentTime", "000000")):  # must not be empty, also without dates
        if not dataset.get(keyword):
            setattr(dataset, keyword, nothing)
    if dataset.get("Laterality") is None and "Laterality" in dataset:
        del dataset.Laterality


def _segment(number: int, value: int, names: Mapping[int, str], drawn_by: DrawnBy) -> Dataset:
    item = Dataset()
    item.SegmentNumber = number
    name = "".join(each if each.isprintable() and each != "\\" else " " for each in names.get(value, "")).strip()
    item.SegmentLabel = name[:64].strip() or f"Segment {value}"
    item.SegmentAlgorithmType = drawn_by
    if drawn_by != "MANUAL":
        item.SegmentAlgorithmName = "CT-MRI Studio"
    is_body = name.casefold().startswith("body")
    category = ("91723000", "Anatomical Structure") if is_body else ("85756007", "Tissue")
    kind = ("38266002", "Entire body") if is_body else ("85756007", "Tissue")  # what else a name means nobody has said
    item.SegmentedPropertyCategoryCodeSequence = [_snomed(*category)]
    item.SegmentedPropertyTypeCodeSequence = [_snomed(*kind)]
    return item


def _snomed(value: str, meaning: str) -> Dataset:
    item = code(value, meaning)
    item.CodingSchemeDesignator = "SCT"
    return item


def _frames(dataset: Dataset, labels: Labels, present: list[int], scan: Volume, origin: DicomSource | None) -> None:
    """One for every slice of every segment that has something there."""
    organization = generate_uid(prefix=None)
    dataset.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=organization)]
    dataset.DimensionIndexSequence = [
        _item(DimensionOrganizationUID=organization, DimensionIndexPointer=pointer, FunctionalGroupPointer=group)
        for pointer, group in (_SEGMENT_AT, _POSITION_AT)
    ]
    places = slice_places(scan)
    references = _references(origin, len(places))
    drawn, groups = [], []
    for number, value in enumerate(present, 1):
        for k, plane in enumerate(labels):
            if (plane == value).any():
                drawn.append((k, value))
                groups.append(_frame(number, k, [format_number_as_ds(float(at)) for at in places[k]], references[k]))
    dataset.NumberOfFrames = len(drawn)
    dataset.SharedFunctionalGroupsSequence = [_shared(scan)]
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.PixelData = _packed(labels, drawn)
    _refer_to_series(dataset, origin)


def _packed(labels: Labels, drawn: list[tuple[int, int]]) -> bytes:
    """One bit each, the first pixel the lowest bit; frames follow each other without a gap (PS3.5, 8.2)."""
    if labels[0].size % 8 == 0:
        packed = b"".join(np.packbits(labels[k] == value, bitorder="little").tobytes() for k, value in drawn)
    else:
        planes = np.concatenate([(labels[k] == value).ravel() for k, value in drawn])
        packed = np.packbits(planes, bitorder="little").tobytes()
    return packed + b"\0" * (len(packed) % 2)


def _frame(segment: int, k: int, place: list[str], images: list[Dataset]) -> Dataset:
    item = Dataset()
    item.FrameContentSequence = [_item(DimensionIndexValues=[segment, k + 1])]
    item.PlanePositionSequence = [_item(ImagePositionPatient=place)]
    item.SegmentIdentificationSequence = [_item(ReferencedSegmentNumber=segment)]
    if images:
        derivation = [code("113076", "Segmentation")]
        item.DerivationImageSequence = [_item(DerivationCodeSequence=derivation, SourceImageSequence=images)]
    else:
        item.DerivationImageSequence = []
    return item


def _shared(scan: Volume) -> Dataset:
    spacing = [format_number_as_ds(value) for value in scan.geometry.spacing]
    axes = scan.geometry.axes
    item = Dataset()
    item.PixelMeasuresSequence = [_item(PixelSpacing=spacing[1:], SliceThickness=spacing[0], SpacingBetweenSlices=spacing[0])]
    orientation = [format_number_as_ds(float(value)) for axis in (2, 1) for value in axes[axis]]
    item.PlaneOrientationSequence = [_item(ImageOrientationPatient=orientation)]
    return item


def _references(origin: DicomSource | None, count: int) -> list[list[Dataset]]:
    """Which image each slice was drawn on; nothing where slices and images are not the same."""
    if origin is None or len(origin.instance_uids) != count:
        return [[] for _ in range(count)]
    found = []
    for uid, frame in zip(origin.instance_uids, origin.frames or (0,) * count, strict=True):
        image = _item(ReferencedSOPClassUID=origin.sop_class_uid, ReferencedSOPInstanceUID=uid)
        if frame:
            image.ReferencedFrameNumber = frame
        purpose = code("121322", "Source image for image processing operation")
        image.PurposeOfReferenceCodeSequence = [purpose]
        found.append([image])
    return found


def _refer_to_series(dataset: Dataset, origin: DicomSource | None) -> None:
    if origin is None:
        return
    images = [
        _item(ReferencedSOPClassUID=origin.sop_class_uid, ReferencedSOPInstanceUID=uid)
        for uid in dict.fromkeys(origin.instance_uids)
    ]
    dataset.ReferencedSeriesSequence = [_item(SeriesInstanceUID=origin.series_uid, ReferencedInstanceSequence=images)]


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _save(dataset: Dataset, target: Path) -> None:
    dataset.file_meta = file_meta(dataset)
    with atomic_file(target) as temporary:
        pydicom.dcmwrite(temporary, dataset, enforce_file_format=True)
        again = pydicom.dcmread(temporary)
        if again.PixelData != dataset.PixelData or again.NumberOfFrames != dataset.NumberOfFrames:
            raise WriteFailed(f"{target.name} was not the same when it was read back, so it was not kept. Check the disk.")
