"""How far a run has come, in whichever unit it is measured."""

from __future__ import annotations

from datetime import datetime, timedelta

from ctmri_core.training.settings import TrainingSettings

_DEFAULT_EPOCHS = 200


class RunLength:
    """`total` of `unit`: epochs, iterations, or seconds of training.

    A time of day is the next one after `now` (local time without a zone): `seconds`, spent in training before, count as the part
    that is behind.
    """

    def __init__(
        self, settings: TrainingSettings, steps_per_epoch: int, seconds: float = 0.0, now: datetime | None = None
    ) -> None:
        self.steps_per_epoch = steps_per_epoch
        if settings.iterations is not None:
            self.total, self.unit = float(settings.iterations), "iterations"
        elif settings.minutes is not None:
            self.total, self.unit = settings.minutes * 60, "seconds"
        elif settings.until is not None:
            self.total, self.unit = seconds + _seconds_until(settings.until, now or datetime.now()), "seconds"
        else:
            self.total, self.unit = float(settings.epochs or _DEFAULT_EPOCHS), "epochs"

    @property
    def steps(self) -> int | None:
        """How many steps the whole run has; None when the clock decides."""
        return {"epochs": int(self.total) * self.steps_per_epoch, "iterations": int(self.total), "seconds": None}[self.unit]

    def position(self, iteration: int, seconds: float) -> float:
        """Whole epochs, iterations or seconds after `iteration` steps in `seconds`."""
        return {"epochs": iteration // self.steps_per_epoch, "iterations": iteration, "seconds": seconds}[self.unit]

    def done(self, iteration: int, seconds: float) -> bool:
        return self.position(iteration, seconds) >= self.total

    def ends_epoch(self, iteration: int) -> bool:
        return iteration % self.steps_per_epoch == 0

    def share(self, iteration: int, seconds: float) -> float:
        """Of the run that is behind, in [0, 1]."""
        return min(seconds / self.total if self.steps is None else iteration / self.steps, 1.0)


def _seconds_until(time_of_day: str, now: datetime) -> float:
    hour, minute = map(int, time_of_day.split(":"))
    goal = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if goal <= now:
        goal += timedelta(days=1)
    return goal.timestamp() - now.timestamp()  # not of the clock's hands: they may be turned overnight
