"""The training window: a new run, the run that goes on, and all runs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.training.trainings import Trainings


class TrainingWindow(QWidget):
    """Its frame."""

    modelWanted = Signal()

    def __init__(self, session: Session, settings: Settings, trainings: Trainings) -> None:
        super().__init__()
        self.session, self.settings, self.trainings = session, settings, trainings

    def present(self) -> None:
        self.show()

    def show_current(self) -> None:
        pass

    def show_verdict(self, folder: Path) -> None:
        pass

    def close_for_good(self) -> None:
        self.close()
