"""Which model of each direction is the best so far, and where it is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ctmri_core.domain import Direction
from ctmri_core.model_card import LAST
from ctmri_core.training.scores import Scores, lower_is_better
from ctmri_core.training.settings import Metric

Export = Callable[[Direction, str, Mapping[str, float]], Path]
"""(direction, suffix of the file's name, metrics for its card) -> the file."""


class BestModels:
    """`metrics` and model `files` by the name of the direction. Each direction keeps its own best."""

    def __init__(self, metric: Metric, export: Export) -> None:
        self.metrics: dict[str, dict[str, float]] = {}
        self.files: dict[str, Path] = {}
        self._metric = metric
        self._export = export
        self._best: dict[str, float] = {}

    def hear(self, scores: Mapping[Direction, Scores]) -> bool:
        """Writes the models that are better than those before, if any; what is no number is no better than anything."""
        better = False
        for direction, each in scores.items():
            value, name = each.of(self._metric), direction.name
            error = value if lower_is_better(self._metric) else -value
            if not math.isfinite(error):
                continue
            if name not in self._best or error < self._best[name]:
                self.files[name] = self._export(direction, "", each.metrics)
                self._best[name], self.metrics[name] = error, each.metrics
                better = True
        return better

    def finish(self, directions: tuple[Direction, ...]) -> None:
        """Writes the models of the last step beside the best; a direction that nobody measured has no other."""
        for direction in directions:
            last = self._export(direction, LAST, {})
            self.files.setdefault(direction.name, last)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "metrics": self.metrics, "files": {name: path.name for name, path in self.files.items()}}

    def load_state_dict(self, state: Mapping[str, Any], folder: Path) -> None:
        """`folder`: where the models are now."""
        self._best, self.metrics = dict(state["best"]), dict(state["metrics"])
        files = {name: folder / file for name, file in state["files"].items()}
        self.files = {name: path for name, path in files.items() if path.exists() and name in self._best}
