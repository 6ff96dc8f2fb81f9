"""The way from the main window to batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ctmri_gui.panels.side_window import WindowLink
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_gui.batch.batch_window import BatchWindow


class BatchLink(WindowLink["BatchWindow"]):
    """What is opened there is shown in the main window."""

    def __init__(self, session: Session, settings: Settings, main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings = session, settings

    def _made(self) -> BatchWindow:
        from ctmri_gui.batch.batch import Batch
        from ctmri_gui.batch.batch_window import BatchWindow

        batch = Batch(self._session.jobs, self)
        window = BatchWindow(self._session, self._settings, batch)
        window.resultOpened.connect(self._raise_main)
        batch.show = window.present
        return window
