"""Where the files that ship with the program are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import ctmri_core


def resources_folder() -> Path:
    """The folder with shipped models, icons and licences. In a wheel it lies inside the package."""
    package = Path(ctmri_core.__file__).parent
    installed = package / "resources"
    return installed if installed.is_dir() else package.parent / "resources"
