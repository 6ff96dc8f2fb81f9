"""The way from the main window to preparing scans, and on to training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ctmri_gui.panels.side_window import WindowLink
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings

if TYPE_CHECKING:
    from ctmri_gui.preparing.prepare_window import PrepareWindow


class PrepareLink(WindowLink["PrepareWindow"]):
    """`train`: opens training with a folder."""

    def __init__(self, session: Session, settings: Settings, train: Callable[[str], None], main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._train = session, settings, train

    def _made(self) -> PrepareWindow:
        from ctmri_gui.preparing.prepare_window import PrepareWindow
        from ctmri_gui.preparing.preparer import Preparer

        jobs = self._session.jobs
        preparer = Preparer(jobs, self)
        window = PrepareWindow(jobs, self._settings, preparer)
        window.trainWanted.connect(self._train)
        preparer.show = window.present
        return window
