"""What the main window has to do with preparing scans: the way there, and on to training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ctmri_gui.session import Session
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_gui.preparing.prepare_window import PrepareWindow


class PrepareLink(QObject):
    """Lives as long as the main window. The window is made when it is first asked for. `train`: opens training with a folder."""

    def __init__(self, session: Session, settings: Settings, train: Callable[[str], None], main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._train = session, settings, train
        self._window: PrepareWindow | None = None

    @property
    def window(self) -> PrepareWindow:
        if self._window is None:
            from ctmri_gui.preparing.prepare_window import PrepareWindow
            from ctmri_gui.preparing.preparer import Preparer

            jobs = self._session.jobs
            preparer = Preparer(jobs, self)
            self._window = PrepareWindow(jobs, self._settings, preparer)
            self._window.trainWanted.connect(self._train)
            preparer.show = self._window.present
        return self._window

    def open(self) -> None:
        self.window.present()

    def close(self) -> None:
        """Closes the window for good."""
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
            self._window = None
