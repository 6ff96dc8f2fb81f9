"""What a run says of its steps, and how often."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from ctmri_core.events import Health, Step
from ctmri_core.training.health import losses_alone, memory_in_use, signals
from ctmri_core.training.length import RunLength
from ctmri_core.training.optimisation import StepReport
from ctmri_core.training.pace import Pace

_SECONDS_BETWEEN_STEPS = 0.2
_SECONDS_BETWEEN_SIGNALS = 2.0


class Telling:
    """Of a run, or of the part since it was resumed after `seconds` of training. The first and the last step are told always."""

    def __init__(self, length: RunLength, device: torch.device, seconds: float) -> None:
        self._length = length
        self._device = device
        self._begun_at = seconds
        self._pace = Pace()
        self._untold: Step | None = None
        self._told = self._signalled = time.monotonic()

    def of(
        self, report: StepReport, iteration: int, seconds: float, learning_rate: float, elapsed: float
    ) -> Iterator[Step | Health]:
        """After the `iteration`-th step, which took `seconds`, of a run that has trained for `elapsed` seconds."""
        length, now = self._length, time.monotonic()
        self._pace.add(seconds)
        if length.steps is None:
            left = length.total - elapsed
        else:
            left = self._pace.seconds_left(length.steps - iteration, elapsed - self._begun_at)
        self._untold = Step(
            iteration=iteration, epoch=(iteration - 1) // length.steps_per_epoch, losses=losses_alone(report),
            learning_rate=learning_rate, seconds=seconds, share=length.share(iteration, elapsed), seconds_left=max(left, 0.0),
            elapsed=elapsed,
        )  # fmt: skip
        if iteration == 1 or now - self._told >= _SECONDS_BETWEEN_STEPS:
            yield from self.rest()
            self._told = now
        if iteration == 1 or now - self._signalled >= _SECONDS_BETWEEN_SIGNALS:
            yield Health(iteration=iteration, signals=signals(report) | memory_in_use(self._device))
            self._signalled = now

    def rest(self) -> Iterator[Step]:
        """The last step, where it is not told yet."""
        if self._untold is not None:
            yield self._untold
        self._untold = None
