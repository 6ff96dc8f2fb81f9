"""Ties measuring to the session: each case has its list, exports go where the user says, what happens is said."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ctmri_gui import file_choice
from ctmri_gui.open_files import KEPT, writes_over
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.measure.measuring import Measuring

_SUFFIXES = (".csv", ".json")
_PATTERN = "Table (*.csv);;JSON (*.json)"


class MeasuringLink(QObject):
    """`dock`: what goes into the window."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, history: History, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._settings, self._window = session, settings, window
        self.measuring = Measuring(views, history, lambda: str(settings["theme"]), self)
        self.dock = self.measuring.dock
        model = self.measuring.model
        session.cases.keep("measurements", model.take, model.put)
        self.measuring.failed.connect(session.failed)
        self.measuring.noted.connect(session.noted)
        self.measuring.written.connect(session.saved)
        self.dock.exportAsked.connect(self.where_to_write)
        settings.changed.connect(self._follow_setting)

    def where_to_write(self) -> None:
        """Asks for a file; its suffix decides between CSV, which is offered, and JSON."""
        folder, number = Path(self._settings["last_folder"] or Path.home()), self._settings.next_number()
        start = folder / f"ct_mri_studio_measurements_{number:03d}.csv"
        chosen = file_choice.new_file(self._window, "Export measurements", start, _PATTERN)
        if chosen is None:
            return
        target = chosen if chosen.suffix.lower() in _SUFFIXES else chosen.with_name(f"{chosen.name}.csv")
        if writes_over(target, self._session.open_files):
            self._session.failed.emit(KEPT.format(name=target.name))
        else:
            self.measuring.write(target)

    def _follow_setting(self, key: str) -> None:
        if key in ("theme", "text_size"):
            self.measuring.dress()

    def close(self) -> None:
        """No more numbers."""
        self.measuring.close()
