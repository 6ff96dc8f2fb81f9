"""How far several passes over a volume are, and how long the rest will take."""

from __future__ import annotations

import time

from ctmri_core.events import Progress

_TELL_TIME_LEFT_AFTER = 3.0


class Course:
    """`total` slices of all passes; the rate is that since it was made."""

    def __init__(self, total: int) -> None:
        self.total, self._before, self._done = total, 0, 0
        self._begun = time.perf_counter()

    @property
    def done(self) -> int:
        return self._before + self._done

    def next_pass(self) -> None:
        """What is done is counted from here on."""
        self._before, self._done = self.done, 0

    def at(self, done: int, message: str = "") -> Progress:
        """`done` slices of the present pass."""
        self._done = done
        seconds = time.perf_counter() - self._begun
        rate = self.done / max(seconds, 1e-9)
        tells = seconds >= _TELL_TIME_LEFT_AFTER or self.done == self.total
        left = round((self.total - self.done) / rate, 1) if tells else None
        told = round(rate, 3)
        return Progress(done=self.done, total=self.total, unit="slices", rate=told, seconds_left=left, message=message)
