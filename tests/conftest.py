"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest


def _shared_data_folder() -> Path | None:
    named = os.environ.get("CTMRI_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    return folder / "data" if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data; tests that need it skip, and say so, where it is absent."""
    folder = _shared_data_folder()
    if folder is None:
        pytest.skip("development data absent: set CTMRI_SHARED to the folder that holds data/")
    return folder
