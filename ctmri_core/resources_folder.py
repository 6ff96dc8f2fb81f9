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


def model_folders() -> tuple[Path, ...]:
    """Shipped models first, then the user's own."""
    return resources_folder() / "models", user_models_folder()
