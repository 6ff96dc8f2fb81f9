"""Ties models that are compared to the window: their panes, what these say while they wait, and when comparing can begin."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from ctmri_gui.jobs.queue import JobState
from ctmri_gui.session import Session
from ctmri_gui.viewer.layouts import MODELS, SIDE_BY_SIDE
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import FURTHER, SYNTHETICS, Role


class ModelsLink(QObject):
    """`commands`: those of the window, of which it follows and answers those about comparing models."""

    def __init__(self, session: Session, views: LinkedViews, commands: Mapping[str, QAction], window: QWidget) -> None:
        super().__init__(window)
        self._session, self._views = session, views
        self._compare, self._drop = commands["compare_models"], commands["drop_models"]
        self._tip = self._compare.toolTip()
        session.modelsBegun.connect(self._show_panes)
        session.translationChanged.connect(self._show_translation)
        library = session.library
        for told in (library.markedChanged, library.chose, session.volumeChanged, session.previewed, session.translationChanged):
            told.connect(lambda *_: self._follow())
        session.previewOver.connect(self._follow)
        self._compare.triggered.connect(lambda _checked=False: session.compare_models())
        self._drop.triggered.connect(lambda _checked=False: self._let_go())
        self._follow()

    def _show_panes(self, count: int) -> None:
        truth = (Role.TRUTH,) if self._session.volumes[Role.TRUTH] is not None else ()
        self._views.show_models((Role.SOURCE, *SYNTHETICS[:count], *truth))

    def _show_translation(self, state: JobState | None) -> None:
        """The pane that waits for the result says how far it is; those after it, that they wait."""
        running, *waiting = self._session.translation.places if state is not None else (None,)
        for role in SYNTHETICS:
            if state is not None and role is running:
                words = self._session.translation.words
                headline = "Cancelling …" if state.stopping else "Translating …"
                self._views.set_empty(role, headline, " · ".join(part for part in (words, state.text) if part))
            elif role in waiting:
                self._views.set_empty(role, "Waiting for its turn", "Another model translates first")
            else:
                self._views.set_empty(role)

    def _let_go(self) -> None:
        self._session.drop_models()
        if self._views.pane_layout.name == MODELS:
            self._views.arrangement.show(SIDE_BY_SIDE)

    def _follow(self) -> None:
        problem, count = self._session.comparing_problem, len(self._session.library.marked)
        self._compare.setEnabled(not problem and self._session.translation.state is None)
        self._compare.setText(f"Compare {count} &models" if count > 1 else "Compare &models")
        self._compare.setToolTip(problem or self._tip)
        self._drop.setEnabled(any(self._session.volumes[role] is not None for role in FURTHER))
