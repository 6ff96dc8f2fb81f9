"""What the main window has to do with evaluations: the way there, and cases that are to be looked at in its viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ctmri_gui.panels.side_window import WindowLink
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_gui.evaluation.evaluation_window import EvaluationWindow
    from ctmri_gui.evaluation.scored_case import ShownCase


class EvaluationLink(WindowLink["EvaluationWindow"]):
    """Cases are shown in the main window's `views`."""

    def __init__(self, session: Session, settings: Settings, views: LinkedViews, main: QWidget) -> None:
        super().__init__(main)
        self._session, self._settings, self._views = session, settings, views

    def _made(self) -> EvaluationWindow:
        from ctmri_gui.evaluation.evaluation_window import EvaluationWindow
        from ctmri_gui.evaluation.evaluations import Evaluations

        evaluations = Evaluations(self._session.jobs, self._settings, self)
        window = EvaluationWindow(self._session, self._settings, evaluations)
        window.caseReady.connect(self.show_case)
        evaluations.show = window.present
        return window

    def show_case(self, shown: ShownCase) -> None:
        """In a case of its own, at the worst slice."""
        self._session.show_scored(shown.source, shown.made, shown.truth)
        if shown.worst is not None:
            self._views.model.show_place(shown.worst, Role.TRUTH if shown.source is None else Role.SOURCE)
        self._raise_main()
        self._views.focus_active()
