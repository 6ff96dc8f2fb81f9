"""Learning rate schedules: pure functions of how far the run has come."""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["constant", "linear", "cosine"]


def learning_rate_factor(schedule: Schedule, position: float, total: float, constant: float = 0.0) -> float:
    """What the base learning rate is multiplied with, in [0, 1].

    `position`: units (epochs, iterations or seconds) finished so far, from 0; `total`: units in all; `constant`: units at
    the beginning of a `linear` schedule during which nothing falls. Linear: Zhu et al. 2017, appendix (constant, then
    straight to zero just after the last epoch); cosine: Loshchilov and Hutter 2017, Eq. 5, without restarts.
    """
    if schedule == "constant":
        return 1.0
    position = min(max(position, 0.0), total)
    if schedule == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * position / total))
    factor = 1.0 - max(0.0, position + 1.0 - constant) / (total - constant + 1.0)
    return max(0.0, factor)
