"""Where the files that ship with the program are, and where the user's own models are."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

import ctmri_core

APPLICATION = "ctmri-studio"


def resources_folder() -> Path:
    """The folder with shipped models, icons and licences. In a wheel it lies inside the package."""
    package = Path(ctmri_core.__file__).parent
    installed = package / "resources"
    return installed if installed.is_dir() else package.parent / "resources"


def user_models_folder() -> Path:
    """Where a user's own model files are kept; `CTMRI_MODELS_DIR` overrides the place."""
    named = os.environ.get("CTMRI_MODELS_DIR")
    return Path(named) if named else Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "models"


def user_runs_folder() -> Path:
    """Where training runs of the window are kept; `CTMRI_RUNS_DIR` overrides the place."""
    named = os.environ.get("CTMRI_RUNS_DIR")
    return Path(named) if named else Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "runs"


def user_datasets_folder() -> Path:
    """Where the window keeps slices that it prepared to learn from; `CTMRI_DATASETS_DIR` overrides the place."""
    named = os.environ.get("CTMRI_DATASETS_DIR")
    return Path(named) if named else Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "datasets"


def user_config_folder() -> Path:
    """Where settings are kept; `CTMRI_CONFIG_DIR` overrides the place."""
    named = os.environ.get("CTMRI_CONFIG_DIR")
    return Path(named) if named else platformdirs.user_config_path(APPLICATION, appauthor=False)


def noncommercial_folder() -> Path:
    """Where models lie that came with the program, learnt from data under a licence that forbids commercial use. It has a licence
    of its own, and the program works where it is absent."""
    return resources_folder() / "models" / "noncommercial"


def shipped_model_folders() -> tuple[Path, ...]:
    """Where models lie that came with the program."""
    return resources_folder() / "models", noncommercial_folder()


def model_folders() -> tuple[Path, ...]:
    """Shipped models first, then the user's own."""
    return *shipped_model_folders(), user_models_folder()
