"""Synthetic volumes as DICOM series that other readers open next to their source.

CT or MR Image Storage, marked DERIVED and `SyntheticData` = YES, in the source's study and frame of reference. Patient and study
attributes come from an allow-list, attribute by attribute; acquisition parameters are never invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

import ctmri_core
from ctmri_core.domain import Domain
from ctmri_core.errors import Stopped, WriteFailed
from ctmri_core.events import Progress, StopSignal, Work, never
from ctmri_core.files import atomic_folder
from ctmri_core.io.export_attributes import code, module_attributes
from ctmri_core.io.export_rules import marks_missing_in
from ctmri_core.io.stored_pixels import StoredPixels, stored_pixels
from ctmri_core.volume import DicomSource, Volume

_IMPLEMENTATION_UID = UID("2.25.318447104389157283360915407182395170234")
"""Names this program as the writer of a file."""
_PATIENT_TAGS = {"00100010", "00100020"}


def write_dicom_series(
    volume: Volume, folder: str | Path, *, source: Volume | None = None, stop: StopSignal = never
) -> Work[tuple[Path, ...]]:
    """Writes one file per slice k into the new (or empty) `folder`; the whole series appears or nothing.

    `volume`: synthetic, CT or MR. Patient and study are those of `volume.dicom` alone, which translation carries over. Without
    it a new study of patient ANONYMOUS is made, the same for all series made from the same voxels: those of `source`, the
    volume it was made from. A `source` that it cannot have been made from is refused, for patients must never be mixed up.
    HU are kept exactly where they are whole and from -1024 to 64511; MR values are rounded to whole numbers.

    Raises `WriteFailed` for an acquired volume, an unknown modality, a wrong source, a patient that cannot be told, values that
    rounding would destroy, or a disk that refuses; `Stopped` when `stop` ended it, which leaves nothing behind.
    """
    folder = Path(folder)
    if volume.synthetic is None:
        raise WriteFailed("Only synthetic volumes are exported as DICOM; an acquired one has its own files. Save it as NIfTI.")
    if volume.domain is Domain.UNKNOWN:
        raise WriteFailed("A volume of unknown modality cannot be exported as DICOM. Save it as NIfTI.")
    origin = _checked_origin(volume, source)
    pixels = stored_pixels(volume)
    common = module_attributes(volume, pixels, origin, _stand_in(volume, source) if origin is None else "")
    names = [f"IMG{k + 1:05d}.dcm" for k in range(volume.geometry.shape[0])]
    with atomic_folder(folder) as temporary:
        for k, (name, dataset) in enumerate(zip(names, _slices(volume, pixels, origin, common), strict=True), 1):
            if stop():
                raise Stopped(f"Writing {folder.name} was stopped.")
            pydicom.dcmwrite(temporary / name, dataset, enforce_file_format=True)
            _check(temporary / name, dataset)
            yield Progress(done=k, total=len(names), unit="slices", message=f"writing {folder.name}")
    return tuple(folder / name for name in names)


def _checked_origin(volume: Volume, source: Volume | None) -> DicomSource | None:
    origin = volume.dicom
    if source is not None and not _made_from(volume, source):
        raise WriteFailed(
            "The synthetic volume cannot be shown to come from this source, so it cannot be filed under its patient. "
            "Translate the source again, or save it as NIfTI."
        )
    if origin is not None and not _PATIENT_TAGS & origin.patient_and_study.keys():
        raise WriteFailed(
            "PatientName and PatientID of the source's DICOM files are missing or cannot be read, so the synthetic series "
            "cannot be filed under the right patient. Save it as NIfTI."
        )
    return origin


def _made_from(volume: Volume, source: Volume) -> bool:
    """Whether grids agree, and series: the same one, or none on either side."""
    if not source.geometry.is_close(volume.geometry):
        return False
    ids = [(each.dicom.study_uid, each.dicom.series_uid) if each.dicom is not None else None for each in (volume, source)]
    return ids[0] == ids[1]


def _slices(volume: Volume, pixels: StoredPixels, origin: DicomSource | None, common: Dataset) -> Iterator[Dataset]:
    geometry = volume.geometry
    for k in range(geometry.shape[0]):
        dataset = Dataset()
        dataset.update(common)
        dataset.SOPInstanceUID = generate_uid(prefix=None)
        dataset.InstanceNumber = k + 1
        dataset.ImagePositionPatient = [format_number_as_ds(float(value)) for value in geometry.index_to_mm((k, 0, 0))]
        dataset.SliceLocation = format_number_as_ds(float(geometry.axes[0] @ geometry.index_to_mm((k, 0, 0))))
        if origin is not None:
            _refer(dataset, origin, k if len(origin.instance_uids) == geometry.shape[0] else None)
        dataset.PixelData = pixels.values[k].astype("<i2" if pixels.signed else "<u2").tobytes()
        dataset.file_meta = _file_meta(dataset)
        yield dataset


def _refer(dataset: Dataset, origin: DicomSource, k: int | None) -> None:
    """The source's slice k, or all of its slices when the grids differ."""
    uids = origin.instance_uids if k is None else origin.instance_uids[k : k + 1]
    images = []
    references = []
    for uid in uids:
        reference = Dataset()
        reference.ReferencedSOPClassUID = origin.sop_class_uid
        reference.ReferencedSOPInstanceUID = uid
        references.append(reference)
        image = Dataset()
        image.update(reference)
        image.PurposeOfReferenceCodeSequence = [code("121322", "Source image for image processing operation")]
        images.append(image)
    series = Dataset()
    series.SeriesInstanceUID = origin.series_uid
    series.ReferencedInstanceSequence = references
    dataset.SourceImageSequence = images
    dataset.ReferencedSeriesSequence = [series]


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION_UID
    meta.ImplementationVersionName = f"CTMRI_{ctmri_core.__version__}"[:16]
    return meta


def _stand_in(volume: Volume, source: Volume | None) -> str:
    """A hash that stands for the patient and study of voxels without DICOM identity."""
    voxels: NDArray[np.generic] = (source or volume).voxels
    return hashlib.sha256(np.ascontiguousarray(voxels).data).hexdigest()


def _check(path: Path, dataset: Dataset) -> None:
    again = pydicom.dcmread(path)
    lost = marks_missing_in(again)
    if lost:
        raise WriteFailed(f"{path.name} was not kept: {', '.join(lost)} would be missing from it.")
    if again.PixelData != dataset.PixelData or again.ImagePositionPatient != dataset.ImagePositionPatient:
        raise WriteFailed(f"{path.name} was not the same when it was read back, so the series was not kept. Check the disk.")
