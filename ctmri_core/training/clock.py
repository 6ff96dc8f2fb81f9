"""How long a run has trained: the clock of its length and schedules. It stands still while the run pauses."""

from __future__ import annotations

import time


class RunClock:
    """`seconds`: of training, as of the last step."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._zero = time.monotonic() - seconds
        self._stopped_at: float | None = None

    def read(self) -> float:
        """Brings `seconds` up to now."""
        self.seconds = time.monotonic() - self._zero
        return self.seconds

    def stand(self, *, still: bool) -> None:
        """Stops the clock, or lets it go on from where it was stopped."""
        if still and self._stopped_at is None:
            self._stopped_at = time.monotonic()
        elif not still and self._stopped_at is not None:
            self._zero += time.monotonic() - self._stopped_at
            self._stopped_at = None
