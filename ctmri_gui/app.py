"""Composition root: the only place that builds services and hands them on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ctmri_gui.jobs.job import stop_and_join_all
from ctmri_gui.logs import start_logging
from ctmri_gui.main_window import MainWindow
from ctmri_gui.messages import Funnel, Kind
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.theme import app_icon, apply_theme

_SIGNAL_CHECK_MS = 500


def build_window(
    paths: Sequence[Path] = (), *, demo: bool = False, settings: Settings | None = None, models: Sequence[Path] | None = None
) -> MainWindow:
    """A window with its own session, dressed as the settings say; a `QApplication` must exist.

    `paths`: scans and model files to open; `models`: folders to take models from (default: shipped and the user's own).
    Nothing heavy is imported until the event loop runs.
    """
    settings = settings or Settings()
    app = QApplication.instance()
    if isinstance(app, QApplication):
        apply_theme(app, settings["theme"], settings["text_size"])
    session = Session(settings, models)
    window = MainWindow(session, settings)
    if settings.problem:
        window.messages.show_message(settings.problem, Kind.WARNING)

    def begin() -> None:
        session.library.refresh()
        if demo:
            session.open_demo()
        session.open_paths(paths)
        session.warm_up()
        window.training.look_for_interrupted()

    QTimer.singleShot(0, window, begin)
    return window


def run(paths: Sequence[Path], *, demo: bool) -> int:
    """Shows the window and stays until it is closed. Returns the exit status."""
    start_logging()
    app = QApplication(sys.argv[:1])
    app.setApplicationName("CT-MRI Studio")
    app.setWindowIcon(app_icon())
    funnel = Funnel(app)
    funnel.install()
    window = build_window(paths, demo=demo)
    funnel.show_in(lambda text: window.messages.show_message(text, Kind.ERROR))
    _close_on_interrupt(window)
    window.show()
    status = app.exec()
    stop_and_join_all()
    _end_reader()
    return status


def _close_on_interrupt(window: MainWindow) -> None:
    """Ctrl+C in the terminal, or its end, closes the window in order; the timer gives Python a moment to notice."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # SIGHUP is none of Windows
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: window.training.end())
    timer = QTimer(window)
    timer.timeout.connect(lambda: None)
    timer.start(_SIGNAL_CHECK_MS)


def _end_reader() -> None:
    if "ctmri_core.io.reader_process" in sys.modules:
        sys.modules["ctmri_core.io.reader_process"].shutdown()
