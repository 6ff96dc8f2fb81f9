"""What a run does between two steps because somebody asked for it, or because it is due."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ctmri_core.events import Event, Noted, Paused, StopSignal
from ctmri_core.training.clock import RunClock
from ctmri_core.training.length import RunLength
from ctmri_core.training.orders import Orders
from ctmri_core.training.processes import Processes
from ctmri_core.training.schedules import Plateau
from ctmri_core.training.settings import TrainingSettings

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Asked:
    """All processes of a run are asked the same. `pause`: wait, and ask again."""

    end: bool
    checkpoint: bool
    pictures: bool
    pause: bool


class Steering:
    """Of a run, or of the part since it was resumed after `begun_at` steps."""

    def __init__(
        self, orders: Orders, settings: TrainingSettings, length: RunLength, together: Processes, begun_at: int
    ) -> None:
        self.ended_with_epoch = False
        self._orders = orders
        self._between_checkpoints = settings.checkpoint_seconds
        self._length = length
        self._together = together
        self._begun_at = begun_at
        self._paused = False
        self._saved_at, self._saved = time.monotonic(), 0

    def saved(self, iteration: int) -> None:
        """A checkpoint was written."""
        self._saved_at, self._saved = time.monotonic(), iteration

    def asked(self, iteration: int, stop: StopSignal, clock: RunClock, plateau: Plateau) -> Asked:
        """After `iteration` steps. Every process must ask at the same time; the first one's clock and plateau are everybody's."""
        orders = self._orders
        self.ended_with_epoch = (
            orders.ends_with_epoch and iteration > self._begun_at and self._length.ends_epoch(iteration)
        )
        due = iteration not in (0, self._saved) and time.monotonic() - self._saved_at >= self._between_checkpoints
        end = stop() or self.ended_with_epoch
        said = self._together.agreed(
            [end, orders.take("checkpoint") or due, orders.take("sample"), orders.paused, clock.seconds, plateau.factor]
        )
        clock.seconds, plateau.factor = said[4:]
        return Asked(bool(said[0]), bool(said[1]), bool(said[2]), bool(said[3] and not said[0]))

    def told(self, iteration: int, asked: Asked) -> Iterator[Event]:
        """What is to be said of it: that a pause begins or ends, and which words were no orders."""
        if asked.pause != self._paused:
            self._paused = asked.pause
            yield Paused(iteration=iteration, paused=asked.pause)
        for answer in self._orders.answers():
            yield Noted(message=answer)

    def wait(self) -> None:
        """A moment of a pause; only the first process does, the others wait for what it says next."""
        if self._together.first:
            self._orders.wait(_SECONDS_BETWEEN_LOOKS)

    def how_far(self, iteration: int) -> str:
        """Of a run that was ended."""
        epochs = iteration // self._length.steps_per_epoch
        asked = f" as asked, at the end of {epochs} epoch{'s' if epochs > 1 else ''} and" if self.ended_with_epoch else ""
        return f"Stopped{asked} after {iteration} steps; the state is kept."
