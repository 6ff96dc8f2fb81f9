"""Volumes as DICOM series that other readers open next to their source.

CT or MR Image Storage, marked DERIVED, in the source's study and frame of reference; synthetic volumes are marked so, acquired
ones (of another format, or to be given away under a pseudonym) never. Patient and study attributes come from an allow-list,
attribute by attribute; acquisition parameters are never invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
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
from ctmri_core.events import Noted, Progress, StopSignal, Work, never
from ctmri_core.files import atomic_folder
from ctmri_core.geometry import FloatArray
from ctmri_core.io.deidentify import pseudonymous
from ctmri_core.io.dicom_record import add_record
from ctmri_core.io.export_attributes import can_be_referred_to, code, module_attributes
from ctmri_core.io.export_rules import marks_missing_in
from ctmri_core.io.hashes import planes_sha256
from ctmri_core.io.provenance import provenance_of, sidecar_path
from ctmri_core.io.stored_pixels import StoredPixels, stored_pixels
from ctmri_core.volume import DicomSource, Volume

_IMPLEMENTATION_UID = UID("2.25.318447104389157283360915407182395170234")
"""Names this program as the writer of a file."""
_PATIENT_TAGS = {"00100010", "00100020"}


def write_dicom_series(
    volume: Volume,
    folder: str | Path,
    *,
    source: Volume | None = None,
    deidentify: bool = False,
    pseudonym: str = "",
    stop: StopSignal = never,
) -> Work[tuple[Path, ...]]:
    """Writes one file per slice k into the new (or empty) `folder`, and beside the first the record of how the volume was made;
    the whole series appears or nothing.

    `volume`: CT or MR. Patient and study are those of `volume.dicom` alone, which translation carries over. Without it a new
    study of patient ANONYMOUS is made, the same for all series made from the same voxels: those of `source`, the volume it was
    made from. A `source` that it cannot have been made from is refused, for patients must never be mixed up. `deidentify`: under
    a pseudonym instead, a new one or `pseudonym`. Slices lie where those of the source lay, also where the gantry was tilted. HU
    are kept exactly where they are whole and span no more than 65536; other values are rounded or clipped, which is noted and
    kept as a finding.

    Raises `WriteFailed` for an unknown modality, a wrong source, a patient that cannot be told, values that rounding would
    destroy, or a disk that refuses; `Stopped` when `stop` ended it, which leaves nothing behind.
    """
    folder = Path(folder)
    if volume.domain is Domain.UNKNOWN:
        raise WriteFailed("A volume of unknown modality cannot be exported as DICOM. Say what it is, or save it as NIfTI.")
    if source is not None and not _made_from(volume, source):
        raise WriteFailed(
            "The synthetic volume cannot be shown to come from this source, so it cannot be filed under its patient. "
            "Translate the source again, or save it as NIfTI."
        )
    deidentify = deidentify or bool(pseudonym)
    if deidentify:
        volume, source = pseudonymous(volume, source, pseudonym), None
    origin = _checked_origin(volume)
    pixels = stored_pixels(volume)
    for loss in pixels.losses:
        yield Noted(message=loss.message, serious=loss.serious)
    stand_in = _stand_in(volume, source) if origin is None else ""
    common = module_attributes(volume, pixels, origin, stand_in, deidentified=deidentify)
    record = provenance_of(volume, _content(pixels))
    if volume.synthetic is not None and not deidentify:
        add_record(common, record)
    marks = partial(marks_missing_in, synthetic=volume.synthetic is not None, deidentified=deidentify)
    names = [f"IMG{k + 1:05d}.dcm" for k in range(volume.geometry.shape[0])]
    with atomic_folder(folder) as temporary:
        for k, (name, dataset) in enumerate(zip(names, _slices(volume, pixels, origin, common), strict=True), 1):
            if stop():
                raise Stopped(f"Writing {folder.name} was stopped.")
            pydicom.dcmwrite(temporary / name, dataset, enforce_file_format=True)
            _check(temporary / name, dataset, marks)
            yield Progress(done=k, total=len(names), unit="slices", message=f"writing {folder.name}")
        sidecar_path(temporary / names[0]).write_text(record.model_dump_json(indent=2), encoding="utf-8")
    return tuple(folder / name for name in names)


def _checked_origin(volume: Volume) -> DicomSource | None:
    origin = volume.dicom
    if origin is not None and not _PATIENT_TAGS & origin.patient_and_study.keys():
        raise WriteFailed(
            "PatientName and PatientID of the source's DICOM files are missing or cannot be read, so the series cannot be filed "
            "under the right patient. Save it as NIfTI, or give it a pseudonym (--deidentify)."
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
    for k, place in enumerate(slice_places(volume)):
        dataset = Dataset()
        dataset.update(common)
        dataset.SOPInstanceUID = generate_uid(prefix=None)
        dataset.InstanceNumber = k + 1
        dataset.ImagePositionPatient = [format_number_as_ds(float(value)) for value in place]
        dataset.SliceLocation = format_number_as_ds(float(geometry.axes[0] @ place))
        if origin is not None and can_be_referred_to(origin):
            _refer(dataset, origin, k if len(origin.instance_uids) == geometry.shape[0] else None)
        dataset.PixelData = pixels.values[k].astype("<i2" if pixels.signed else "<u2").tobytes()
        dataset.file_meta = file_meta(dataset)
        yield dataset


def slice_places(volume: Volume) -> FloatArray:
    """(n, 3) LPS mm of the first voxel of each slice: on the grid, or beside it where tilted slices were left as they were."""
    count = volume.geometry.shape[0]
    positions = volume.dicom.positions if volume.dicom is not None else ()
    if len(positions) == count:
        return np.asarray(positions, np.float64)
    return volume.geometry.index_to_mm([(k, 0, 0) for k in range(count)])


def _refer(dataset: Dataset, origin: DicomSource, k: int | None) -> None:
    """The source's slice k, or all of its slices when the grids differ."""
    chosen = slice(None) if k is None else slice(k, k + 1)
    frames: dict[str, list[int]] = {}
    for uid, frame in zip(origin.instance_uids[chosen], _frames(origin)[chosen], strict=True):
        frames.setdefault(uid, []).append(frame)
    images = []
    references = []
    for uid, numbers in frames.items():
        reference = Dataset()
        reference.ReferencedSOPClassUID = origin.sop_class_uid
        reference.ReferencedSOPInstanceUID = uid
        if all(numbers):
            reference.ReferencedFrameNumber = numbers
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


def _frames(origin: DicomSource) -> tuple[int, ...]:
    """From 1; 0 for slices that are instances of their own."""
    return origin.frames or (0,) * len(origin.instance_uids)


def file_meta(dataset: Dataset) -> FileMetaDataset:
    """Of a data set that has its UIDs."""
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


def _content(pixels: StoredPixels) -> str:
    """The hash of the voxels as they are read again."""
    low, high = (int(value) + pixels.intercept for value in (pixels.values.min(), pixels.values.max()))
    limits = np.iinfo(np.int16)
    kind = np.dtype(np.int16 if limits.min <= low and high <= limits.max else np.float32)
    planes = (plane.astype(np.int32) + pixels.intercept for plane in pixels.values)
    return planes_sha256(kind, pixels.values.shape, planes)


def _check(path: Path, dataset: Dataset, marks: Callable[[Dataset], tuple[str, ...]]) -> None:
    again = pydicom.dcmread(path)
    lost = marks(again)
    if lost:
        raise WriteFailed(f"{path.name} was not kept: {', '.join(lost)} would be missing from it or wrong in it.")
    if again.PixelData != dataset.PixelData or again.ImagePositionPatient != dataset.ImagePositionPatient:
        raise WriteFailed(f"{path.name} was not the same when it was read back, so the series was not kept. Check the disk.")
