"""Saving volumes: NIfTI, MHA or NRRD by suffix, DICOM into a folder. All is read back and compared before it gets its name."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from ctmri_core.errors import FileRefused, WriteFailed
from ctmri_core.events import finish
from ctmri_core.files import atomic_file, write_text
from ctmri_core.io.dicom_export import write_dicom_series
from ctmri_core.io.itk_formats import META_IMAGE_READER, NRRD_READER
from ctmri_core.io.nifti import NIFTI_READER
from ctmri_core.io.provenance import mark_of, provenance_of, sidecar_path
from ctmri_core.io.series import Reader, never
from ctmri_core.volume import Volume

SUFFIXES = (".nii.gz", ".nii", ".mha", ".nrrd")
_READERS: dict[str, Reader] = {".nii.gz": NIFTI_READER, ".nii": NIFTI_READER, ".mha": META_IMAGE_READER, ".nrrd": NRRD_READER}
_LEVEL = 1  # of zlib, as nibabel takes for gzip: several times as fast as the usual 6 for a tenth more bytes
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SCANNER_SPACE = 1


def save(volume: Volume, target: str | Path, *, source: Volume | None = None) -> Path:
    """A file by its suffix, or a DICOM series in the folder `target` when it has none. Raises `WriteFailed`.

    `source`: what a synthetic volume was made from; its patient, study and images are referred to in DICOM.
    """
    target = Path(target)
    check_target(target)
    if _suffix(target):
        return save_volume(volume, target)
    write_dicom_series(volume, target, source=source)
    return target


def save_volume(volume: Volume, path: str | Path) -> Path:
    """Writes `.nii`, `.nii.gz`, `.mha` or `.nrrd`, and a `.provenance.json` beside it. Returns `path`.

    The file appears whole, after it was read back with equal voxels and corners within 1e-4 mm. A synthetic volume is
    marked inside the file. Raises `WriteFailed`.
    """
    path = Path(path)
    suffix = _suffix(path)
    if not suffix:
        raise WriteFailed(f"{path.name} cannot be written: its name must end in {', '.join(SUFFIXES)}.")
    with atomic_file(path) as temporary:
        if suffix.startswith(".nii"):
            _write_nifti(volume, temporary)
        else:
            _write_itk(volume, temporary)
        _compare(volume, temporary, _READERS[suffix], path.name)
    write_text(sidecar_path(path), provenance_of(volume).model_dump_json(indent=2))
    return path


def check_target(target: str | Path) -> None:
    """Raises `WriteFailed` early, before hours of work, when `target` is no name that can be written."""
    target = Path(target)
    if target.is_dir():
        if any(target.iterdir()):
            raise WriteFailed(f"{target.name} is a folder that is not empty. Choose another name or empty it first.")
    elif not _suffix(target) and (target.suffix or target.exists()):
        known = ", ".join(SUFFIXES)
        raise WriteFailed(f"{target.name}: the name must end in {known}; for DICOM name a new folder without a dot.")


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return "" if path.is_dir() else next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")


def _write_nifti(volume: Volume, path: Path) -> None:
    affine = (_LPS_TO_RAS @ volume.geometry.affine)[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(volume.voxels.T, affine, dtype=volume.voxels.dtype)
    image.set_sform(affine, _SCANNER_SPACE)
    image.set_qform(affine, _SCANNER_SPACE)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = mark_of(volume)
    image.to_filename(path)


def _write_itk(volume: Volume, path: Path) -> None:
    image = sitk.GetImageFromArray(volume.voxels)
    spacing, origin, direction = volume.geometry.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    image.SetMetaData("Comment" if path.suffix.lower() == ".mha" else "content", mark_of(volume))
    try:
        sitk.WriteImage(image, str(path), useCompression=True, compressionLevel=_LEVEL)
    except RuntimeError as error:  # ITK's only kind; its text is a page with paths in it
        raise WriteFailed(f"{path.name.split('-', 2)[-1]} could not be written. Check the free space of the disk.") from error


def _compare(volume: Volume, written: Path, reader: Reader, name: str) -> None:
    try:
        (series,) = reader.scan(written)
        again = finish(reader.load(series, never))
    except FileRefused as refusal:
        problem = f"{name} could not be written completely ({refusal.problem}). Check the free space of the disk."
        raise WriteFailed(problem) from refusal
    assert again is not None
    tolerance = max(1e-4, 2.5e-7 * float(np.abs(volume.geometry.corners).max()))  # NIfTI keeps positions in 24 bits
    same_grid = again.geometry.is_close(volume.geometry, tolerance)
    if not same_grid or not np.array_equal(again.voxels, volume.voxels):
        raise WriteFailed(f"{name} was not the same when it was read back, so it was not kept. Check the disk.")
    if (again.synthetic is None) != (volume.synthetic is None):
        raise WriteFailed(f"{name} lost its mark of being synthetic, so it was not kept.")
