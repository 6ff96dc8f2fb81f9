"""Agreement of any number of readers with gaps, on categories, ranks or grades (Krippendorff, Content Analysis, 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ctmri_core.statistics.agreement import NOTHING_IN_COMMON, ONE_CATEGORY
from ctmri_core.statistics.answers import Interval, NotComputable
from ctmri_core.statistics.kernels import Floats

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Alpha:
    """`value`: 1 for complete agreement, 0 for that of chance. `interval`: percentiles over `cases` drawn again and again."""

    value: float
    interval: Interval
    cases: int


def alpha(
    ratings: Any, level: Level = "nominal", *, confidence: float = 0.95, draws: int = 2000, seed: int = 0
) -> Alpha | NotComputable:
    """Of numbers (readers, cases), NaN where not judged; cases judged once do not count."""
    table = np.asarray(ratings, np.float64)
    values = np.unique(table[np.isfinite(table)])
    tally = np.stack([(table == value).sum(axis=0) for value in values], axis=1) if len(values) else np.zeros((table.shape[1], 0))
    tally = tally[tally.sum(axis=1) > 1].astype(np.float64)
    if not len(tally):
        return NOTHING_IN_COMMON
    others = tally[:, None, :] - np.eye(len(values))
    pairs = tally[:, :, None] * others / (tally.sum(axis=1) - 1)[:, None, None]
    value = float(_alpha(pairs.sum(axis=0)[None], values, level)[0])
    if np.isnan(value):
        return ONE_CATEGORY
    weights = np.random.default_rng(seed).multinomial(len(tally), np.full(len(tally), 1 / len(tally)), size=draws)
    again = _alpha(np.tensordot(weights.astype(np.float64), pairs, 1), values, level)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(np.where(np.isnan(again), 1.0, again), (tail, 100 - tail))  # answers all alike agree
    return Alpha(value, Interval(float(low), float(high), confidence), len(tally))


def _alpha(together: Floats, values: Floats, level: Level) -> Floats:
    """Of coincidences (draws, values, values), (draws,); NaN where all answers are alike."""
    seen = together.sum(axis=2)
    apart = _distances(seen, values, level)
    expected = np.einsum("dv,dw,dvw->d", seen, seen, apart) / (seen.sum(axis=1) - 1)
    found: Floats = 1 - np.einsum("dvw,dvw->d", together, apart) / np.where(expected > 0, expected, np.nan)
    return found


def _distances(seen: Floats, values: Floats, level: Level) -> Floats:
    """Squared, between values, (draws, values, values); ranks are as far apart as there are answers between them."""
    if level == "nominal":
        return np.broadcast_to(1 - np.eye(len(values)), (*seen.shape, len(values)))
    at = np.cumsum(seen, axis=1) - seen / 2 if level == "ordinal" else np.broadcast_to(values, seen.shape)
    far: Floats = (at[:, :, None] - at[:, None, :]) ** 2
    return far
