"""Where studies of the window lie, and which of them are rehearsals."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ctmri_core.resources_folder import user_runs_folder
from ctmri_core.studies.study_folder import STUDY
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.settings import Settings

_KEPT, _MOST = "study_folders", 12


def usual_place() -> Path:
    return user_runs_folder() / "studies"


def rehearsals_place() -> Path:
    """What lies here may be deleted by a button."""
    return user_runs_folder() / "rehearsals"


def is_rehearsal(folder: Path) -> bool:
    return folder.absolute().parent == rehearsals_place().absolute()


def is_study(folder: Path) -> bool:
    return (folder / STUDY).is_file()


def new_folder(place: Path, word: str, now: datetime) -> Path:
    """Named by its day and a number alone."""
    number = 1
    while (folder := place / f"{word}-{now:%Y-%m-%d}-{number}").exists():
        number += 1
    return folder


def remember(settings: Settings, folder: Path) -> None:
    """From now on it is listed; not where its path tells of a patient, and not a rehearsal, which lies where all do."""
    if not is_rehearsal(folder) and settings["remember_recent"] and not tells_of_patient(folder):
        others = [each for each in settings[_KEPT] if each != str(folder)]
        settings[_KEPT] = (str(folder), *others[: _MOST - 1])
        settings.save()


def known_studies(settings: Settings) -> tuple[Path, ...]:
    """Those remembered, then those that lie where the window makes them; each once."""
    remembered = [Path(each) for each in settings[_KEPT]]
    beside = [each for place in (usual_place(), rehearsals_place()) if place.is_dir() for each in sorted(place.iterdir())]
    return tuple(dict.fromkeys(each for each in (*remembered, *beside) if is_study(each)))
