"""How long the rest of a run will take."""

from __future__ import annotations

_SMOOTHING = 0.1


class Pace:
    """Steps by a running mean of their own time, and for each a share of what validations, pictures and checkpoints took so far.

    The first step, which warms up, does not count once there is a second.
    """

    def __init__(self) -> None:
        self._steps = 0
        self._spent = 0.0
        self._mean = 0.0

    def add(self, seconds: float) -> None:
        """One more step."""
        self._steps += 1
        self._spent += seconds
        self._mean = seconds if self._steps <= 2 else self._mean + _SMOOTHING * (seconds - self._mean)

    def seconds_left(self, steps: int, elapsed: float) -> float:
        """For `steps` more, when all that was added and what came between took `elapsed` seconds."""
        beside = max(elapsed - self._spent, 0.0) / max(self._steps, 1)
        return max(steps, 0) * (self._mean + beside)
