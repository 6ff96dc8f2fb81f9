"""The folders in which a user's training runs lie: the usual one, and those chosen for single runs."""

from __future__ import annotations

from pathlib import Path

from ctmri_core.resources_folder import user_runs_folder
from ctmri_gui.private_paths import tells_of_patient
from ctmri_gui.settings import Settings

_KEY, _MOST = "training_folders", 12


def run_places(settings: Settings) -> tuple[Path, ...]:
    """The usual one first."""
    return tuple(dict.fromkeys((user_runs_folder(), *map(Path, settings[_KEY]))))


def remember_place(settings: Settings, folder: Path) -> None:
    """A run begins in `folder`: it is looked for there as well from now on, unless its path tells of a patient."""
    if folder != user_runs_folder() and not tells_of_patient(folder):
        others = [each for each in settings[_KEY] if each != str(folder)]
        settings[_KEY] = (str(folder), *others[: _MOST - 1])
        settings.save()
