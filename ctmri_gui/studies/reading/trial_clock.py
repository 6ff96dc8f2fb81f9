"""How long one trial takes, without the time in which the reader paused."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter


class _Meter:
    """Adds up the time in which it is on, ms."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._sum = now, 0.0
        self._since: float | None = None

    def turn(self, on: bool) -> None:
        if on and self._since is None:
            self._since = self._now()
        elif not on and self._since is not None:
            self._sum += self._now() - self._since
            self._since = None

    @property
    def ms(self) -> float:
        running = 0.0 if self._since is None else self._now() - self._since
        return 1000 * (self._sum + running)


class TrialClock:
    """Runs from the moment a picture stands on the screen. `now`: seconds that never go back."""

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self._elapsed, self._lost = _Meter(now), _Meter(now)
        self._running = self._away = False
        self.first_action_ms: float | None = None

    @property
    def running(self) -> bool:
        return self._running

    @property
    def elapsed_ms(self) -> float:
        """Without pauses, with the time in which another window had the keys."""
        return self._elapsed.ms

    @property
    def focus_lost_ms(self) -> float:
        """Of `elapsed_ms`, how long another window had the keys."""
        return min(self._lost.ms, self._elapsed.ms)

    def run(self, on: bool) -> None:
        """Begins, pauses, goes on."""
        self._running = on
        self._turn()

    def look_away(self, away: bool) -> None:
        """Whether another window has the keys now."""
        self._away = away
        self._turn()

    def act(self) -> None:
        """The reader did something; the first time is kept."""
        if self._running and self.first_action_ms is None:
            self.first_action_ms = self.elapsed_ms

    def _turn(self) -> None:
        self._elapsed.turn(self._running)
        self._lost.turn(self._running and self._away)
