"""Cine: goes through the slices of a pane, and of those linked with it, by itself."""

from __future__ import annotations

from weakref import WeakSet

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ctmri_gui.viewer.gestures import Gestures
from ctmri_gui.viewer.linked_views import LinkedViews

SLOWEST, FASTEST = 1, 60


class Cine(QObject):
    """Plays from the slice that is shown. Whoever goes to a slice meanwhile, by wheel, key or click, pauses it.

    `rate`: slices per second; where pictures take longer, it goes slower and skips none. `there_and_back`: turns round at the
    ends instead of beginning anew.
    """

    changed = Signal(bool)  # whether it plays

    def __init__(self, views: LinkedViews, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views, self._model = views, views.model
        self.there_and_back = False
        self._pane, self._k, self._step = "", -1, 1
        self._moving = False
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._go_on)
        self.rate = 10
        self._model.posesChanged.connect(self._on_poses)
        self._model.volumesChanged.connect(self.pause)
        self._followed: WeakSet[Gestures] = WeakSet()
        views.panesChanged.connect(self._follow_panes)
        self._follow_panes()

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    @property
    def rate(self) -> int:
        return self._rate

    @rate.setter
    def rate(self, rate: int) -> None:
        self._rate = min(max(rate, SLOWEST), FASTEST)
        self._timer.setInterval(round(1000 / self._rate))

    def toggle(self) -> None:
        (self.pause if self.playing else self.play)()

    def play(self) -> None:
        """Goes on in the active pane; nothing where it has no more than one slice."""
        pane = self._views.active_pane
        if self._count(pane) > 1:
            self._pane, self._k, self._step = pane, self._model.pose(pane).k, 1
            self._timer.start()
            self.changed.emit(True)

    def pause(self) -> None:
        if self.playing:
            self._timer.stop()
            self.changed.emit(False)

    def _follow_panes(self) -> None:
        """Listens to the panes there are now."""
        for pane in self._views.panes.values():
            gestures = pane.canvas.gestures
            if gestures not in self._followed:
                self._followed.add(gestures)
                gestures.pressed.connect(self.pause)

    def _go_on(self) -> None:
        count = self._count(self._pane)
        if count < 2:
            self.pause()
            return
        k = self._k + self._step
        if not 0 <= k < count:
            self._step = -self._step if self.there_and_back else 1
            k = self._k + self._step if self.there_and_back else 0
        self._moving = True
        try:
            self._model.set_slice(k, self._pane)
        finally:
            self._moving = False
        self._k = k

    def _on_poses(self, panes: tuple[str, ...]) -> None:
        """Zoom and position may change while it plays."""
        if self.playing and not self._moving and self._pane in panes and self._model.pose(self._pane).k != self._k:
            self.pause()

    def _count(self, pane: str) -> int:
        shown = self._model.displayed(pane)
        return 0 if shown is None else shown.grid.shape[0]
