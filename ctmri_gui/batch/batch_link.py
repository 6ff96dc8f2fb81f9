"""What the main window has to do with batches: the way there. The window is made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ctmri_gui.session import Session
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_gui.batch.batch_window import BatchWindow


class BatchLink(QObject):
    """Lives as long as the main window."""

    def __init__(self, session: Session, settings: Settings, main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._main = session, settings, main
        self._window: BatchWindow | None = None

    @property
    def window(self) -> BatchWindow:
        if self._window is None:
            from ctmri_gui.batch.batch import Batch
            from ctmri_gui.batch.batch_window import BatchWindow

            batch = Batch(self._session.jobs, self)
            self._window = BatchWindow(self._session, self._settings, batch)
            self._window.resultOpened.connect(self._raise_main)
            batch.show = self._window.present
        return self._window

    def open(self) -> None:
        self.window.present()

    def close(self) -> None:
        """Closes the window for good."""
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
            self._window = None

    def _raise_main(self) -> None:
        self._main.raise_()
        self._main.activateWindow()
