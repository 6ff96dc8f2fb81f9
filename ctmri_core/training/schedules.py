"""Learning rate schedules: pure functions of how far the run has come; what waits for progress keeps a little state.

`position` and `total` are epochs, iterations or seconds, whichever the run is measured in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from ctmri_core.training.settings import TrainingSettings

_LEAST_PROGRESS = 1e-4
"""Share of the best value by which a better one must differ."""


def learning_rate_factor(settings: TrainingSettings, position: float, total: float) -> float:
    """What the base learning rate is multiplied with, in [0, 1], by the run's schedule; `Plateau` comes on top.

    A warm-up rises straight to what the schedule says by then (Goyal et al. 2017, section 2.2), and begins above zero.
    """
    position = min(max(position, 0.0), total)
    return _scheduled(settings, position, total) * _warmed_up(position, total * settings.warm_up)


def _warmed_up(position: float, length: float) -> float:
    return min(1.0, (position + 1.0) / (length + 1.0))


def _scheduled(settings: TrainingSettings, position: float, total: float) -> float:
    match settings.schedule:
        case "linear":
            return linear(position, total, total * settings.constant_share)
        case "cosine":
            return cosine(position, total)
        case "cosine_restarts":
            return cosine_restarts(position, total, settings.cycles, settings.cycle_growth)
        case "poly":
            return float((1.0 - position / total) ** settings.power)
        case "step":
            stage = min(int(position * settings.stages / total), settings.stages - 1)
            return float(settings.decay**stage)
        case _:
            return 1.0


def linear(position: float, total: float, constant: float) -> float:
    """1 for `constant` units, then straight to zero just after the last one (Zhu et al. 2017, appendix)."""
    return max(0.0, 1.0 - max(0.0, position + 1.0 - constant) / (total - constant + 1.0))


def cosine(position: float, total: float) -> float:
    """Loshchilov and Hutter 2017, Eq. 5, without restarts, to zero."""
    return 0.5 * (1.0 + math.cos(math.pi * position / total))


def cosine_restarts(position: float, total: float, cycles: int, growth: int) -> float:
    """Loshchilov and Hutter 2017, Eq. 5: `cycles` warm restarts, each cycle `growth` times as long as the one before."""
    parts = [float(growth**n) for n in range(cycles)]
    ends = [total * end / sum(parts) for end in accumulate(parts)]
    number = next((n for n, end in enumerate(ends) if position < end), cycles - 1)
    start = ends[number - 1] if number else 0.0
    return cosine(position - start, ends[number] - start)


class Plateau:
    """Lowers the rate whenever a metric has made no progress for more than `patience` validations."""

    def __init__(self, decay: float, patience: int) -> None:
        self.factor = 1.0
        self._decay = decay
        self._patience = patience
        self._best: float | None = None
        self._waited = 0

    def hear(self, value: float, *, lower_is_better: bool) -> None:
        """The metric of one more validation."""
        error = value if lower_is_better else -value
        if not math.isfinite(error):
            return  # the next validation may have a number again; a loss that has none ends the run
        if self._best is None or error < self._best - _LEAST_PROGRESS * abs(self._best):
            self._best, self._waited = error, 0
            return
        self._waited += 1
        if self._waited > self._patience:
            self.factor *= self._decay
            self._waited = 0

    def state_dict(self) -> dict[str, Any]:
        return {"factor": self.factor, "best": self._best, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.factor, self._best, self._waited = state["factor"], state["best"], state["waited"]
