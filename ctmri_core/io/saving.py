"""Saving volumes: NIfTI, MHA or NRRD by suffix, DICOM into a folder. All is read back and compared before it gets its name."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from ctmri_core.errors import FileRefused, Stopped, WriteFailed
from ctmri_core.events import Event, Progress, StopSignal, Work, finish, never, relayed
from ctmri_core.files import atomic_file, check_writable, provoke_refusal, same_file, write_text
from ctmri_core.io.dicom_export import write_dicom_series
from ctmri_core.io.formats import FILE_SUFFIXES
from ctmri_core.io.itk_formats import META_IMAGE_READER, NRRD_READER
from ctmri_core.io.nifti import NIFTI_READER
from ctmri_core.io.provenance import mark_of, provenance_of, sidecar_path
from ctmri_core.io.series import Reader
from ctmri_core.volume import Volume

_READERS: dict[str, Reader] = {".nii.gz": NIFTI_READER, ".nii": NIFTI_READER, ".mha": META_IMAGE_READER, ".nrrd": NRRD_READER}
_LEVEL = 1  # of zlib, as nibabel takes for gzip: several times as fast as the usual 6 for a tenth more bytes
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SCANNER_SPACE = 1
_NIFTI_DATA_OFFSET = 352


def save(
    volume: Volume, target: str | Path, *, source: Volume | None = None, overwrite: bool = True, stop: StopSignal = never
) -> Work[Path | None]:
    """A file by its suffix, or a DICOM series in the folder `target` when it has none. Raises `WriteFailed`.

    `source`: what a synthetic volume was made from; its patient, study and images are referred to in DICOM. The files of
    `volume` and `source` are never written over; `overwrite`: whether another file may be. Returns `target`, None exactly
    when `stop` ended it; then nothing is left behind.
    """
    target = Path(target)
    check_target(target, sources=_paths_of(volume, source), overwrite=overwrite)
    try:
        if _suffix(target):
            yield from _save_file(volume, target, stop)
        else:
            yield from write_dicom_series(volume, target, source=source, stop=stop)
    except Stopped:
        return None
    return target


def save_volume(volume: Volume, path: str | Path) -> Path:
    """`save` for a file, without listening to it. Returns `path`; raises `WriteFailed`."""
    path = Path(path)
    _refuse_sources(path, _paths_of(volume))
    finish(_save_file(volume, path, never))
    return path


def _save_file(volume: Volume, path: Path, stop: StopSignal) -> Work[None]:
    """Writes the file, and a `.provenance.json` beside it.

    The file appears whole, after it was read back with equal voxels and corners within 1e-4 mm. A synthetic volume is
    marked inside the file. Raises `WriteFailed`, and `Stopped` when `stop` ended it.
    """
    suffix = _suffix(path)
    if not suffix:
        raise WriteFailed(f"{path.name} cannot be written: its name must end in {', '.join(FILE_SUFFIXES)}.")
    write = _write_nifti if suffix.startswith(".nii") else _write_itk
    with atomic_file(path) as temporary:
        for done in write(volume, temporary):
            yield Progress(done=done, total=volume.geometry.shape[0], unit="slices", message=f"writing {path.name}")
            if stop():
                raise Stopped(f"Writing {path.name} was stopped.")
        yield from _compare(volume, temporary, _READERS[suffix], path.name, stop)
    write_text(sidecar_path(path), provenance_of(volume).model_dump_json(indent=2))


def check_target(target: str | Path, *, sources: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Raises `WriteFailed` early, before hours of work, when `target` cannot or must not be written.

    `sources`: files or folders of volumes that must outlive it, whatever `overwrite` says, which stands for any other file.
    For a moment a file is made beside `target`, as the disk has the last word on whether that can be done.
    """
    target = Path(target)
    if not target.name and not target.is_dir():
        raise WriteFailed("The name of the file or folder to be written is empty. Give it a name.")
    _refuse_sources(target, sources)
    if target.is_dir():
        if any(target.iterdir()):
            raise WriteFailed(f"{target.absolute().name} is a folder that is not empty. Choose another name or empty it first.")
    elif not _suffix(target):
        if target.suffix or target.exists():
            known = ", ".join(FILE_SUFFIXES)
            raise WriteFailed(f"{target.name}: the name must end in {known}; for DICOM name a new folder without a dot.")
    elif target.exists() and not overwrite:
        raise WriteFailed(f"{target.name} exists already. Choose another name, or say that it is to be replaced (--overwrite).")
    check_writable(target)


def _paths_of(*volumes: Volume | None) -> list[Path]:
    return [volume.path for volume in volumes if volume is not None and volume.path is not None]


def _refuse_sources(target: Path, sources: Iterable[Path]) -> None:
    """A folder as source stands for all that is in it."""
    for source in sources:
        for written in (target, sidecar_path(target)):
            if same_file(written, source) or (written.is_file() and _is_within(written, source)):
                raise WriteFailed(f"{written.name} is what was opened, so it is not written over. Choose another name.")


def _is_within(path: Path, folder: Path) -> bool:
    return folder.is_dir() and path.resolve().is_relative_to(folder.resolve())


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return "" if path.is_dir() else next((suffix for suffix in FILE_SUFFIXES if name.endswith(suffix)), "")


def _write_nifti(volume: Volume, path: Path) -> Iterator[int]:
    """Yields how many slices are written."""
    affine = (_LPS_TO_RAS @ volume.geometry.affine)[:, [2, 1, 0, 3]]
    header = nib.Nifti1Image(volume.voxels.T, affine, dtype=volume.voxels.dtype).header
    header.set_sform(affine, _SCANNER_SPACE)
    header.set_qform(affine, _SCANNER_SPACE)
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header.set_data_offset(_NIFTI_DATA_OFFSET)
    header["descrip"] = mark_of(volume)
    yield 0
    with ExitStack() as opened:
        file: IO[bytes] = opened.enter_context(path.open("wb"))
        if path.suffix.lower() == ".gz":
            packed = gzip.GzipFile("", "wb", _LEVEL, file, mtime=0)
            file = cast(IO[bytes], opened.enter_context(packed))
        file.write(header.binaryblock.ljust(_NIFTI_DATA_OFFSET, b"\0"))
        for k, voxels in enumerate(volume.voxels, 1):  # (k, j, i) in C order is (i, j, k) in Fortran order
            file.write(np.ascontiguousarray(voxels).data)
            yield k


def _write_itk(volume: Volume, path: Path) -> Iterator[int]:
    """Yields how many slices are written. ITK writes all of them in one step."""
    yield 0
    image = sitk.GetImageFromArray(volume.voxels)
    spacing, origin, direction = volume.geometry.to_itk()
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    image.SetMetaData("Comment" if path.suffix.lower() == ".mha" else "content", mark_of(volume))
    try:
        sitk.WriteImage(image, str(path), useCompression=True, compressionLevel=_LEVEL)
    except RuntimeError as error:  # ITK's only kind; its text is a page with paths in it and no cause
        provoke_refusal(path)
        raise OSError("ITK could not write the file") from error
    yield volume.geometry.shape[0]


def _compare(volume: Volume, written: Path, reader: Reader, name: str, stop: StopSignal) -> Work[None]:
    try:
        (series,) = reader.scan(written)
        again = yield from _checking(name, reader.load(series, stop))
    except FileRefused as refusal:
        provoke_refusal(written)
        why = refusal.problem.rstrip(".")
        raise WriteFailed(f"{name} could not be read back ({why}). Nothing partial was left behind. Check the disk.") from refusal
    tolerance = max(1e-4, 2.5e-7 * float(np.abs(volume.geometry.corners).max()))  # NIfTI keeps positions in 24 bits
    same_grid = again.geometry.is_close(volume.geometry, tolerance)
    if not same_grid or not np.array_equal(again.voxels, volume.voxels):
        raise WriteFailed(f"{name} was not the same when it was read back, so it was not kept. Check the disk.")
    if (again.synthetic is None) != (volume.synthetic is None):
        raise WriteFailed(f"{name} lost its mark of being synthetic, so it was not kept.")


def _checking(name: str, reading: Work[Volume]) -> Work[Volume]:
    """`reading`, whose progress says what it is done for."""

    def hear(event: Event) -> Event | None:
        return event.model_copy(update={"message": f"checking {name}"}) if isinstance(event, Progress) else None

    return relayed(reading, hear)
