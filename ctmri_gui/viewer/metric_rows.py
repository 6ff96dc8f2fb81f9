"""What the table of several models says: a line for each, the best one, and how far the others are from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ctmri_gui.viewer.metric_kinds import METRICS, NO_NUMBER, Metric, Scores, number
from ctmri_gui.viewer.roles import Pair, Role

BEST = "best"
Found = Mapping[Pair, Scores | None]


@dataclass(frozen=True)
class ModelRow:
    """`name`: on one line or two; `tip`: the whole, or why there are no numbers; `role`: whose pane it leads to."""

    pair: Pair
    name: str
    tip: str

    @property
    def role(self) -> Role:
        """The synthetic image that is told of; of two, the second."""
        one, other = self.pair
        return other if other.is_synthetic else one

    @property
    def ranked(self) -> bool:
        """Whether one row can be better than another: numbers of two models say which are alike, not which is right."""
        return not self.pair[1].is_synthetic


@dataclass(frozen=True)
class Cell:
    """`text`: a figure, and below it how far it is from the best one, or that it is the best."""

    text: str
    best: bool = False


def cells(rows: Iterable[ModelRow], found: Found, name: str) -> dict[Pair, Cell]:
    """One column: a metric by its name. Rows without numbers have a dash."""
    metric = METRICS[name]
    values = {row.pair: _value(found.get(row.pair), metric) for row in rows}
    known = [value for value in values.values() if not math.isnan(value)]
    ranked = len(known) > 1 and all(row.ranked for row in rows)
    best = (min(known) if metric.high_is_bad else max(known)) if ranked else math.nan
    return {pair: _cell(value, best, metric) for pair, value in values.items()}


def heading(found: Iterable[Scores | None], name: str) -> str:
    """`MAE HU`."""
    metric = METRICS[name]
    unit = metric.unit or (next((scores.unit for scores in found if scores is not None), "") if name == "MAE" else "")
    return f"{name} {unit.replace('% of range', '%')}".rstrip()


def _value(scores: Scores | None, metric: Metric) -> float:
    return math.nan if scores is None else metric.of(scores)


def _cell(value: float, best: float, metric: Metric) -> Cell:
    figure = number(value, metric.digits)
    if math.isnan(best) or figure == NO_NUMBER:
        return Cell(figure)
    if figure == number(best, metric.digits):
        return Cell(f"{figure}\n{BEST}", best=True)
    away = value - best
    told = NO_NUMBER if math.isinf(away) else f"{away:+.{metric.digits}f}".replace("-", "−")
    return Cell(f"{figure}\n{told}")
