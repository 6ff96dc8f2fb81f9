"""Starts the reader's window: a process of its own, which knows no truth and goes on when the main window is closed."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QProcess

MODULE = "ctmri_gui.studies.reading"


def reading_command(place: Path, reader: str = "") -> list[str]:
    """Program and words."""
    words = [sys.executable, "-m", MODULE, str(place)]
    return [*words, "--reader", reader] if reader else words


def start_reading(place: Path, reader: str = "") -> bool:
    """Whether the process could be started."""
    program, *words = reading_command(place, reader)
    started = QProcess.startDetached(program, words)
    return bool(started[0] if isinstance(started, tuple) else started)
