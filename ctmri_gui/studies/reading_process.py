"""Starts the reader's window: a process of its own, which knows no truth and goes on when the main window is closed."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QProcess

from ctmri_gui.settings import Settings

MODULE = "ctmri_gui.studies.reading"


def reading_command(place: Path, reader: str, settings: Settings) -> list[str]:
    """Program and words: colours and text size are those of this program."""
    words = [sys.executable, "-m", MODULE, str(place), "--reader", reader, "--text-size", str(settings["text_size"])]
    return [*words, "--light"] if settings["theme"] == "light" else words


def start_reading(place: Path, reader: str, settings: Settings) -> bool:
    """Whether the process could be started."""
    program, *words = reading_command(place, reader, settings)
    started = QProcess.startDetached(program, words)
    return bool(started[0] if isinstance(started, tuple) else started)
