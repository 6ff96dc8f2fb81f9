"""Composition root of the reader's process: no settings, no recent files, no way to models, metrics or the truth."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from ctmri_core.errors import CtmriError
from ctmri_core.studies.reading import PACKED, Reading
from ctmri_gui.logs import start_logging
from ctmri_gui.messages import Funnel
from ctmri_gui.studies.reading.reading_window import ReadingWindow
from ctmri_gui.theme import app_icon, apply_theme

_NAME = "Reader study"
_BUG = "Something unexpected happened. What you answered is saved; go on, or close this window and open it again."


def run(place: Path | None, reader: str, *, windowed: bool, light: bool, text_size: int) -> int:
    """Shows the window and stays until it is closed. `place`: asked for when None. Returns the exit status."""
    start_logging()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl+C in the terminal: what was answered is on the disk
    app = QApplication([_NAME])
    app.setApplicationName(_NAME)
    app.setWindowIcon(app_icon())
    funnel = Funnel(app)
    funnel.install()
    apply_theme(app, "light" if light else "dark", text_size)
    place = place or _ask_for_place()
    if place is None:
        return 0
    try:
        reading = Reading(place, reader)
    except CtmriError as error:
        if sys.stderr is not None:  # none without a terminal
            sys.stderr.write(f"{error}\n")
        QMessageBox.critical(None, _NAME, str(error))
        return 1
    window = ReadingWindow(reading)
    funnel.show_in(lambda _: window.say(_BUG))
    (window.show if windowed else window.showFullScreen)()
    return app.exec()


def _ask_for_place() -> Path | None:
    chosen, _ = QFileDialog.getOpenFileName(None, "Open the study you were sent", "", f"Reader studies (*{PACKED})")
    return Path(chosen) if chosen else None
