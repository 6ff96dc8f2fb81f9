"""DICOM Segmentations: written by highdicom, to be read back by pydicom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from ctmri_core.geometry import Geometry
from tests.contracts.picture_samples import NAME


def write_segmentation(folder: Path, voxels: np.ndarray, geometry: Geometry) -> Path:
    """Of the labels 0 to 2, by the rest of each value when it is divided by 3."""
    path = folder / f"{NAME}.dcm"
    labels = (voxels % 3).astype(np.uint8)
    segmentation(images_on(geometry), np.stack([labels == 1, labels == 2], -1), ["liver", "Lésion 2"]).save_as(path)
    return path


def segmentation(images: Sequence[Dataset], masks: np.ndarray, names: Sequence[str], **more: object) -> hd.seg.Segmentation:
    """`masks`: (k, rows, columns, segments)."""
    segments = [
        hd.seg.SegmentDescription(n, name, codes.SCT.Tissue, codes.SCT.Tissue, "MANUAL") for n, name in enumerate(names, 1)
    ]
    kind = more.pop("segmentation_type", "BINARY")
    return hd.seg.Segmentation(
        images, masks, kind, segments, generate_uid(), 1, generate_uid(), 1, "Nobody", "None", "1", "1", **more,
    )  # fmt: skip


def images_on(geometry: Geometry) -> list[Dataset]:
    """Of a CT series, without their pixels."""
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    found = []
    for k in range(geometry.shape[0]):
        image = Dataset()
        image.SOPClassUID, image.SOPInstanceUID, image.Modality = CTImageStorage, generate_uid(), "CT"
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
        image.PatientID = image.PatientName = image.PatientBirthDate = image.PatientSex = image.StudyID = ""
        image.AccessionNumber = image.StudyDate = image.StudyTime = image.ReferringPhysicianName = ""
        image.ImagePositionPatient = [f"{value:.9g}" for value in geometry.index_to_mm((k, 0, 0))]
        image.ImageOrientationPatient = [f"{value:.12g}" for axis in (2, 1) for value in geometry.axes[axis]]
        image.PixelSpacing, image.SliceThickness = list(geometry.spacing[1:]), geometry.spacing[0]
        image.Rows, image.Columns = geometry.shape[1:]
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        found.append(image)
    return found


def read_segmentation(path: Path) -> tuple[np.ndarray, Geometry]:
    """The number of the segment in each voxel of the planes that are there, which follow each other."""
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    turn = [float(value) for value in shared.PlaneOrientationSequence[0].ImageOrientationPatient]
    measures = shared.PixelMeasuresSequence[0]
    normal = np.cross(turn[:3], turn[3:])
    places = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in dataset.PerFrameFunctionalGroupsSequence])
    segments = [
        int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber) for frame in dataset.PerFrameFunctionalGroupsSequence
    ]
    along = np.round(places.astype(float) @ normal, 4)
    planes = np.unique(along)
    labels = np.zeros((len(planes), dataset.Rows, dataset.Columns), np.int16)
    for number, place, frame in zip(segments, along, dataset.pixel_array, strict=True):
        labels[np.searchsorted(planes, place)][frame > 0] = number
    step = float(np.diff(planes).mean())
    first = places.astype(float)[int(along.argmin())]
    spacing = (step, *map(float, measures.PixelSpacing))
    direction = (tuple(normal.tolist()), tuple(turn[3:]), tuple(turn[:3]))
    return labels, Geometry(labels.shape, spacing, tuple(first.tolist()), direction)
