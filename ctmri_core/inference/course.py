"""How far several passes over a volume are, and how long the rest will take."""

from __future__ import annotations

import time

from ctmri_core.events import Progress

_TELL_TIME_LEFT_AFTER = 3.0


class Course:
    """`total` slices of `passes`; the rate is that since it was made. `done`: slices so far; `whole`: passes so far."""

    def __init__(self, total: int, passes: int) -> None:
        self.total, self.passes = total, passes
        self.done = self.whole = self._before = 0
        self._begun = time.perf_counter()

    def at(self, done: int, what: str = "") -> Progress:
        """`done` slices of the present pass. `what` it does, where it is not one of many alike."""
        self.done = self._before + done
        seconds = time.perf_counter() - self._begun
        rate = self.done / max(seconds, 1e-9)
        tells = seconds >= _TELL_TIME_LEFT_AFTER or self.done == self.total
        left = round((self.total - self.done) / rate, 1) if tells else None
        message = what or (f"pass {self.whole + 1} of {self.passes}" if self.passes > 1 else "")
        return Progress(
            done=self.done, total=self.total, unit="slices", rate=round(rate, 3), seconds_left=left, message=message
        )  # fmt: skip

    def pass_is_whole(self) -> None:
        """What is done is counted from here on."""
        self._before = self.done
        self.whole += 1
