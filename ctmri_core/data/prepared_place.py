"""Where prepared slices may be written."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ctmri_core.data.dataset import DatasetFolder, key_of
from ctmri_core.data.decisions import DECISIONS
from ctmri_core.errors import FileRefused, TrainingFailed, shown_name


def full_name(source: str) -> str:
    """By which a source is known again: the whole path of a folder."""
    return source if source.startswith("phantom:") else str(Path(source).absolute())


def check_place(folder: Path, source: str) -> None:
    """Refuses a folder in which prepared slices would lie among other things, or take the place of those of another source.

    Raises `TrainingFailed`.
    """
    name = shown_name(folder)
    if folder.exists() and not folder.is_dir():
        raise TrainingFailed(f"{name} is a file. Name a folder for the prepared slices.")
    there = DatasetFolder(folder)
    if there.exists():
        with suppress(FileRefused):  # what is damaged is prepared again
            index = there.read()
            if index.made_from.get("data") != key_of(full_name(source), index.salt):
                raise TrainingFailed(f"{name} holds slices of other data. Name another folder, or delete it first.")
    elif folder.is_dir() and any(not path.name.startswith(".") and path.name != DECISIONS for path in folder.iterdir()):
        raise TrainingFailed(f"{name} is not empty and holds no prepared slices. Name a new folder.")
