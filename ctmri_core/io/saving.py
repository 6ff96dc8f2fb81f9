"""Saving volumes: NIfTI, MHA or NRRD by suffix; DICOM or PNG slices in a folder. All is read back and compared before it gets
its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from ctmri_core.errors import FileRefused, Stopped, WriteFailed
from ctmri_core.events import Event, Noted, Progress, StopSignal, Work, never, relayed
from ctmri_core.files import atomic_file, check_writable, provoke_refusal, same_file, write_failed
from ctmri_core.io.burned_in import with_mark
from ctmri_core.io.deidentify import check_pseudonym, pseudonymous
from ctmri_core.io.dicom_export import write_dicom_series
from ctmri_core.io.inputs import with_inputs
from ctmri_core.io.opening import load, scan
from ctmri_core.io.png_export import write_png_slices
from ctmri_core.io.provenance import provenance_of, sidecar_path
from ctmri_core.io.value_range import finite_range
from ctmri_core.io.volume_files import write_meta_image, write_nifti, write_nrrd
from ctmri_core.volume import Volume

_WRITERS = {".nii.gz": write_nifti, ".nii": write_nifti, ".mha": write_meta_image, ".nrrd": write_nrrd}
_KNOWN = ", ".join(_WRITERS)
_PIXELS_STAY = "The pictures themselves are not searched: text burned into them stays. Look through them before you share them."
_BURNED_IN = "The header says that text about the patient is burned into the pictures; it stays. Do not share them like that."
_BURNED_IN_ANNOTATION = "00280301"

Slices = Literal["dicom", "png"]
"""What a folder holds."""


def save(
    volume: Volume,
    target: str | Path,
    *,
    source: Volume | None = None,
    overwrite: bool = True,
    slices: Slices = "dicom",
    deidentify: bool = False,
    pseudonym: str = "",
    burn_in: bool = False,
    stop: StopSignal = never,
) -> Work[Path | None]:
    """A file by its suffix, or `slices` in the folder `target` when it has none. Raises `WriteFailed`.

    `source`: what a synthetic volume was made from; its patient, study and images are referred to in DICOM. The files of
    `volume` and `source` are never written over; `overwrite`: whether another file may be. `deidentify`: under a pseudonym,
    rebuilt from an allow-list; `pseudonym`: the same under one of the user's, by which several runs meet. `burn_in`: the word
    SYNTHETIC in a corner of every slice of what a model made. Returns `target`, None
    exactly when `stop` ended it; then nothing is left behind.
    """
    target = Path(target)
    check_target(target, sources=paths_of(volume, source), overwrite=overwrite)
    deidentify = deidentify or bool(pseudonym)
    if deidentify:
        check_pseudonym(pseudonym, volume)
        burned_in = volume.dicom is not None and volume.dicom.term(_BURNED_IN_ANNOTATION) == "YES"
        yield Noted(message=_BURNED_IN if burned_in else _PIXELS_STAY, serious=burned_in)

    if burn_in:
        volume = with_mark(volume, as_seen=bool(_suffix(target)))

    def given() -> Volume:
        return pseudonymous(volume, source, pseudonym) if deidentify else with_inputs(volume, source)

    try:
        if _suffix(target):
            yield from _save_file(given(), target, stop)
        elif slices == "png":
            yield from write_png_slices(given(), target, stop=stop)
        else:
            named = volume if deidentify else with_inputs(volume, source)
            yield from write_dicom_series(named, target, source=source, deidentify=deidentify, pseudonym=pseudonym, stop=stop)
    except Stopped:
        return None
    return target


def _save_file(volume: Volume, path: Path, stop: StopSignal) -> Work[None]:
    """Writes the file, and a `.provenance.json` beside it.

    The file appears whole, after it was read back with equal voxels and corners within 1e-4 mm. A synthetic volume is
    marked inside the file. Raises `WriteFailed`, of NaN too, and `Stopped` when `stop` ended it.
    """
    suffix = _suffix(path)
    finite_range(volume)
    with atomic_file(sidecar_path(path)) as record:  # takes its room first, so that no image stands without its record
        record.write_text(provenance_of(volume).model_dump_json(indent=2), encoding="utf-8")
        with atomic_file(path) as temporary:
            for done in _WRITERS[suffix](volume, temporary):
                yield Progress(done=done, total=volume.geometry.shape[0], unit="slices", message=f"writing {path.name}")
                if stop():
                    raise Stopped(f"Writing {path.name} was stopped.")
            yield from _compare(volume, temporary, path.name, stop)


def check_target(target: str | Path, *, sources: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Raises `WriteFailed` early, before hours of work, when `target` cannot or must not be written.

    `sources`: files or folders of volumes that must outlive it, whatever `overwrite` says, which stands for any other file.
    For a moment a file is made beside `target`, as the disk has the last word on whether that can be done.
    """
    target = Path(target)
    try:
        _check_names(target, sources, overwrite=overwrite)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise write_failed(target, error) from error
    check_writable(target)
    if _suffix(target):
        check_writable(sidecar_path(target))


def _check_names(target: Path, sources: Iterable[Path], *, overwrite: bool) -> None:
    if not target.name and not target.is_dir():
        raise WriteFailed("The name of the file or folder to be written is empty. Give it a name.")
    _refuse_sources(target, sources)
    if target.is_dir():
        if any(target.iterdir()):
            raise WriteFailed(f"{target.absolute().name} is a folder that is not empty. Choose another name or empty it first.")
    elif not _suffix(target):
        if target.suffix or target.exists():
            raise WriteFailed(f"{target.name}: the name must end in {_KNOWN}; for slices name a new folder without a dot.")
    elif target.exists() and not overwrite:
        raise WriteFailed(f"{target.name} exists already. Choose another name, or say that it is to be replaced (--overwrite).")


def paths_of(*volumes: Volume | None) -> list[Path]:
    """Files and folders of what must outlive it: where it was read from other files than the one that was opened, those too."""
    given = [volume for volume in volumes if volume is not None]
    return [path for volume in given for path in (volume.path, *volume.files) if path is not None]


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
    return "" if path.is_dir() else next((suffix for suffix in _WRITERS if name.endswith(suffix)), "")


def _compare(volume: Volume, written: Path, name: str, stop: StopSignal) -> Work[None]:
    try:
        (series,) = scan(written)
        again = yield from _checking(name, load(series, stop))
    except FileRefused as refusal:
        provoke_refusal(written)
        why = refusal.problem.rstrip(".")
        raise WriteFailed(f"{name} could not be read back ({why}). Nothing partial was left behind. Check the disk.") from refusal
    if again is None:
        raise Stopped(f"Writing {name} was stopped.")
    tolerance = max(1e-4, 2.5e-7 * float(np.abs(volume.geometry.corners).max()))  # NIfTI keeps positions in 24 bits
    same_grid = again.geometry.is_close(volume.geometry, tolerance)
    if not same_grid or not np.array_equal(again.voxels, volume.voxels):
        raise WriteFailed(f"{name} was not the same when it was read back, so it was not kept. Check the disk.")
    if (again.synthetic is None) != (volume.synthetic is None):
        raise WriteFailed(f"{name} lost its mark of being synthetic, so it was not kept.")


def _checking(name: str, reading: Work[Volume | None]) -> Work[Volume | None]:
    """`reading`, whose progress says what it is done for."""

    def hear(event: Event) -> Event | None:
        return event.model_copy(update={"message": f"checking {name}"}) if isinstance(event, Progress) else None

    return relayed(reading, hear)
