"""Saving a volume with what goes with it (maps of it, other answers) so that all of it appears, or nothing does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ctmri_core.domain import Domain
from ctmri_core.events import StopSignal, Work, never
from ctmri_core.files import staged_beside
from ctmri_core.io.provenance import sidecar_path
from ctmri_core.io.saving import Slices, check_target, paths_of, save
from ctmri_core.volume import Volume

_MAPS_OF_SERIES = ".nii.gz"
"""DICOM knows no series of voxels that are neither CT nor MR which every viewer takes; PNG has no unit."""


def path_beside(target: Path, word: str, *, is_map: bool = False) -> Path:
    """Where what `word` names is written: `head_cycle.nii.gz` beside `head.nii.gz`, the folder `head_draw1` beside `head`; a map
    beside a folder is a NIfTI file."""
    target = target.absolute()
    name = target.name.lower()
    suffix = "" if target.is_dir() else ".nii.gz" if name.endswith(".nii.gz") else target.suffix
    stem = target.name[: len(target.name) - len(suffix)]
    return target.with_name(f"{stem}_{word}{suffix or (_MAPS_OF_SERIES if is_map else '')}")


def save_together(
    outputs: Sequence[tuple[Volume, Path]],
    *,
    source: Volume | None = None,
    overwrite: bool = True,
    slices: Slices = "dicom",
    deidentify: bool = False,
    pseudonym: str = "",
    burn_in: bool = False,
    stop: StopSignal = never,
) -> Work[bool]:
    """Each volume at its path, all in one folder, as `save` does; the first one, which the others tell of, appears last.

    False exactly when `stop` ended it. Then, and when it fails, all is as it was before. Raises what `save` does.
    """
    main = outputs[0][1].absolute()
    for volume, target in outputs:
        check_target(target, sources=paths_of(volume, source), overwrite=overwrite)
    with staged_beside(main) as stage:
        for volume, target in outputs:
            if target.is_dir():
                (stage / target.name).mkdir()  # a folder that is there may have any name
            written = yield from save(
                volume, stage / target.absolute().name, source=source, slices=slices, deidentify=deidentify,
                pseudonym=pseudonym, burn_in=burn_in and volume.domain is not Domain.UNKNOWN, stop=stop,
            )  # fmt: skip
            if written is None:
                return False
        _appear(stage, [target.absolute() for _, target in outputs])
    return True


def _appear(stage: Path, targets: Sequence[Path]) -> None:
    """Takes what is in `stage` to its place, the first of `targets` last; takes it back when the disk refuses one."""
    finals = [part for target in reversed(targets) for part in (sidecar_path(target), target) if (stage / part.name).exists()]
    aside = stage / "before"
    aside.mkdir()
    moved: list[Path] = []
    try:
        for final in finals:
            if final.is_dir():
                final.rmdir()  # an empty one, as was checked
            elif final.exists():
                final.replace(aside / final.name)
            (stage / final.name).replace(final)
            moved.append(final)
    except OSError:
        for final in moved:
            with suppress(OSError):
                shutil.rmtree(final) if final.is_dir() else final.unlink()
        for old in aside.iterdir():
            with suppress(OSError):
                old.replace(targets[0].with_name(old.name))
        raise
