"""What is known of one direction after a validation."""

from __future__ import annotations

from dataclasses import dataclass

from ctmri_core.training.settings import Metric


@dataclass
class Scores:
    """`metrics` by name; `saturation`: share of the synthetic body at either end of the range, None of what is no picture."""

    metrics: dict[str, float]
    saturation: float | None

    def of(self, metric: Metric) -> float:
        """The value of one metric, whatever its unit."""
        return next(value for name, value in self.metrics.items() if name.startswith(metric))


def lower_is_better(metric: Metric) -> bool:
    return metric == "mae"
