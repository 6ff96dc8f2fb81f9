"""Says it when an image has come for which the layout in use has no pane, and offers one that has."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from ctmri_core.volume import Volume
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.session import Session
from ctmri_gui.viewer.arrangement import Arrangement
from ctmri_gui.viewer.layouts import SIDE_BY_SIDE
from ctmri_gui.viewer.roles import MAIN, Role


class OutOfSight(QObject):
    """Follows the session as long as the window lives. Going back to another case is no reason to say it again."""

    def __init__(self, session: Session, arrangement: Arrangement, bars: MessageBars, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._arrangement, self._bars = session, arrangement, bars
        self._entering = False
        self._said = ""
        self._come: list[Role] = []
        session.caseChanged.connect(lambda: self._enter(True))
        session.translationChanged.connect(lambda _state: self._enter(False))  # the last of what a case on entering tells
        session.volumeChanged.connect(self._note)
        arrangement.changed.connect(self._take_back)

    def _enter(self, entering: bool) -> None:
        self._entering = entering

    def _note(self, role: Role, volume: Volume | None) -> None:
        if volume is None or self._entering:
            return
        if not self._come:
            QTimer.singleShot(0, self, self._say)  # once, of all that come together
        self._come.append(role)

    def _say(self) -> None:
        come, self._come = self._come, []
        hidden = [role for role in MAIN if role in come and self._is_hidden(role)]
        if not hidden:
            return
        names = " and ".join(role.label.lower() for role in hidden)
        self._said = f"This layout has no pane for the {names}."
        show = partial(self._arrangement.show, SIDE_BY_SIDE)
        self._bars.show_message(self._said, Kind.INFO, passing=True, offers=[("Side by side", show)])

    def _take_back(self) -> None:
        if self._said and not any(self._is_hidden(role) for role in MAIN):
            self._bars.close_message(self._said)
            self._said = ""

    def _is_hidden(self, role: Role) -> bool:
        return self._session.volumes[role] is not None and self._arrangement.first(role) is None
