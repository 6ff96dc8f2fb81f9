"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest


def pytest_configure() -> None:
    """A suite that runs in the background ignores these signals, and its children would by inheritance."""
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


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
