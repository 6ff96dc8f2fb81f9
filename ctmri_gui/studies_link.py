"""What the main window has to do with reader studies: the way there, and flagged places that are to be looked at in its viewer.

All of studies is imported only when it is needed: the window stands before.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QWidget

from ctmri_gui import file_choice
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.panels.side_window import WindowLink
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.studies.analysis.results import Flagged
    from ctmri_gui.studies.flagged_place import ShownPlace
    from ctmri_gui.studies.studies_window import StudiesWindow


class StudiesLink(WindowLink["StudiesWindow"]):
    """Places are shown in the main window's `views`."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._views = session, settings, views
        self._places = Latest(session.jobs)
        self._wanted: np.ndarray | None = None
        session.scanOpened.connect(self._go_to_wanted)

    def new_study(self) -> None:
        """The steps, as far as they were gone before."""
        from ctmri_gui.studies.studies_window import SETUP

        self.window.go(SETUP)
        self.open()

    def open_study(self) -> None:
        """Those before, and a way to any other."""
        from ctmri_gui.studies.studies_window import BEFORE

        self.window.go(BEFORE)
        self.open()

    def rehearse(self) -> None:
        from ctmri_gui.studies.studies_window import REHEARSE

        self.window.go(REHEARSE)
        self.open()

    def _made(self) -> StudiesWindow:
        from ctmri_gui.studies.studies import Studies
        from ctmri_gui.studies.studies_window import StudiesWindow

        studies = Studies(self._session.jobs, self._settings, self)
        window = StudiesWindow(self._session, self._settings, studies)
        window.placeWanted.connect(self._load_place)
        window.sourceWanted.connect(self._ask_source)
        studies.show = window.present
        return window

    def _load_place(self, flagged: Flagged) -> None:
        from ctmri_gui.studies.flagged_place import load_place

        studies = self.window.studies
        if studies.folder is not None:
            begin = partial(load_place, studies.folder, flagged, studies.passphrase)
            self._places.ask("Open a flagged place", begin, self._show_place)

    def _show_place(self, shown: ShownPlace) -> None:
        """In a case of its own."""
        self._session.show_scored(None, Made(shown.made), shown.real)
        self._views.model.show_place(shown.at, Role.SYNTHETIC)
        if shown.marked:
            self._views.set_crosshair(shown.at.tolist())
        self._to_pictures()

    def _ask_source(self, flagged: Flagged) -> None:
        """The scan itself, where its place is known, else the one that is named."""
        known = Path(flagged.source) if flagged.source else None
        if known is None or not known.is_absolute() or not known.exists():
            files = file_choice.existing_files(self.window, f"The scan {flagged.source}".strip(), self._settings["last_folder"])
            known = files[0] if files else None
        if known is not None:
            self._wanted = None if flagged.lps is None else np.asarray(flagged.lps, np.float64)
            self._session.open_paths([known], alone=True)
            self._to_pictures()

    def _go_to_wanted(self) -> None:
        """The scan is open: its place is gone to, once."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._views.model.show_place(wanted, Role.SOURCE)

    def _to_pictures(self) -> None:
        self._raise_main()
        self._views.focus_active()
