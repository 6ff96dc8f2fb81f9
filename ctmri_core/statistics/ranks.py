"""Whether readers put k models into the same order, and whether models differ (Friedman 1937; Kendall, Babington Smith 1939)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ctmri_core.statistics.answers import NotComputable, Significance


@dataclass(frozen=True, slots=True)
class Concordance:
    """`w`: Kendall's, 0 for no agreement to 1 for one order. `test`: Friedman's chi-squared that no model is preferred, with
    `df`.

    `mean_ranks`: of each model, low ranks for low values; `rankings`: how many. Both are corrected for ties.
    """

    w: float
    test: Significance
    df: int
    mean_ranks: tuple[float, ...]
    rankings: int


def concordance(values: Any) -> Concordance | NotComputable:
    """Of ranks or grades (rankings, models), each row by one reader of one case; rows with NaN do not enter.

    p is for many rankings or models (of three, some ten rankings). The rankings of a test are independent: of several readers
    of the same cases, give one mean row for each case, or for each reader.
    """
    from scipy.special import chdtrc
    from scipy.stats import rankdata

    table = np.asarray(values, np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    rankings, models = table.shape
    if rankings < 2 or models < 2:
        return NotComputable("Concordance needs two complete rankings of two models.")
    ranks = rankdata(table, axis=1)
    ties = sum(float((count**3 - count).sum()) for count in (np.unique(row, return_counts=True)[1] for row in ranks))
    sums = ranks.sum(axis=0)
    below = rankings**2 * (models**3 - models) - rankings * ties
    if below <= 0:
        return NotComputable("All models are ranked alike in all rankings.")
    w = 12 * float(((sums - sums.mean()) ** 2).sum()) / below
    chi2 = rankings * (models - 1) * w
    test = Significance(chi2, float(chdtrc(models - 1, chi2)), 0.0)
    return Concordance(w, test, models - 1, tuple((sums / rankings).tolist()), rankings)
