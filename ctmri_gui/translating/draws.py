"""Several answers of one model, gone through in the place of the picture."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from ctmri_core.volume import Volume
from ctmri_gui.session import Session
from ctmri_gui.viewer.compare.held_key import HeldKey
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

_RATE = "draw_rate"
_PICTURE_AND_ONE = (0, 1)


class Draws(QObject):
    """Stepping puts another answer in the place of the picture, and metrics and saving follow it. Holding a key, or alternating,
    only shows others for a while."""

    changed = Signal()

    def __init__(self, session: Session, views: LinkedViews, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._views, self._settings = session, views, session.settings
        self._passing: Volume | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)
        actions = views.actions_by_name
        actions["draw_next"].triggered.connect(lambda _checked=False: self.step(1))
        actions["draw_previous"].triggered.connect(lambda _checked=False: self.step(-1))
        actions["draw_play"].triggered.connect(self.play)
        self._held = HeldKey(actions["draw_hold"], self.hold, self.let_go)
        session.volumeChanged.connect(lambda role, _volume: self._follow() if role is Role.SYNTHETIC else None)
        self._follow()

    @property
    def answers(self) -> tuple[Volume, ...]:
        """The picture, then the draws; nothing where there is no draw."""
        made = self._session.made
        return made.answers if made is not None and made.draws else ()

    @property
    def number(self) -> int:
        """Which of the answers is shown: 0 for the picture."""
        shown = self._session.volumes[Role.SYNTHETIC]
        return next((number for number, one in enumerate(self.answers) if one is shown), 0)

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    @property
    def seen(self) -> int:
        """The number of the answer on the panes, be it for a while only."""
        return next((number for number, one in enumerate(self.answers) if one is self._passing), self.number)

    @property
    def rate(self) -> int:
        """Answers per second."""
        return int(self._settings[_RATE])

    def set_rate(self, rate: int) -> None:
        self._settings[_RATE] = rate
        self._timer.setInterval(round(1000 / rate))

    def step(self, forward: int) -> None:
        """To the next of the answers, or the one before."""
        if self.answers:
            self.play(False)
            self._session.show_answer(self.number + forward)

    def hold(self) -> None:
        """The picture while a draw is shown, else the first draw, until it is let go."""
        if self.answers:
            self._show(self.answers[0 if self.number else 1])

    def let_go(self) -> None:
        self._show(None)

    def play(self, on: bool) -> None:
        """Alternates the draws; a single one with the picture."""
        if on and self.answers:
            self._timer.start(round(1000 / self.rate))
            self._go_on()
        else:
            self._timer.stop()
            self._show(None)
        self._tell()

    def _go_on(self) -> None:
        answers = self.answers
        if not answers:
            self.play(False)
            return
        cycle = list(range(1, len(answers))) if len(answers) > len(_PICTURE_AND_ONE) else list(_PICTURE_AND_ONE)
        seen = self.seen
        self._show(answers[cycle[(cycle.index(seen) + 1) % len(cycle)] if seen in cycle else cycle[0]])

    def _show(self, volume: Volume | None) -> None:
        self._passing = volume
        self._views.contents.show_instead(Role.SYNTHETIC, volume)
        self._tell()

    def _follow(self) -> None:
        """Another answer, or another translation."""
        self._timer.stop()
        self._show(None)

    def _tell(self) -> None:
        actions, there = self._views.actions_by_name, bool(self.answers)
        for name in ("draw_next", "draw_previous", "draw_hold", "draw_play"):
            actions[name].setEnabled(there)
        actions["draw_play"].setChecked(self.playing)
        self.changed.emit()
