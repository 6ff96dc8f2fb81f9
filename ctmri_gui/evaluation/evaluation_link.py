"""What the main window has to do with evaluations: the way there, and cases that are to be looked at in its viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_gui.evaluation.evaluation_window import EvaluationWindow
    from ctmri_gui.evaluation.scored_case import ShownCase


class EvaluationLink(QObject):
    """Lives as long as the main window. The window of evaluations is made when it is first asked for."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._views, self._main = session, settings, views, main
        self._window: EvaluationWindow | None = None

    @property
    def window(self) -> EvaluationWindow:
        if self._window is None:
            from ctmri_gui.evaluation.evaluation_window import EvaluationWindow
            from ctmri_gui.evaluation.evaluations import Evaluations

            evaluations = Evaluations(self._session.jobs, self._settings, self)
            self._window = EvaluationWindow(self._session, self._settings, evaluations)
            self._window.caseReady.connect(self.show_case)
            evaluations.show = self._window.present
        return self._window

    def open(self) -> None:
        self.window.present()

    def show_case(self, shown: ShownCase) -> None:
        """In a case of its own, at the worst slice."""
        self._session.show_scored(shown.source, shown.made, shown.truth)
        if shown.worst is not None:
            self._views.model.show_place(shown.worst, Role.TRUTH if shown.source is None else Role.SOURCE)
        self._main.raise_()
        self._main.activateWindow()
        self._views.focus_active()

    def close(self) -> None:
        """Closes the window for good."""
        if self._window is not None:
            self._window.close()
            self._window.deleteLater()
            self._window = None
