"""How many readers and cases a study of several readers needs, from a pilot study or from what is assumed.

Hillis, Obuchowski and Berbaum, Acad Radiol 18, 2011, for two modalities; one modality, and equivalence, by the same algebra
from the tests of Hillis, Stat Med 33, 2014. Cases are in the pilot's proportion of both kinds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ctmri_core.statistics.answers import NotComputable, root, t_quantile
from ctmri_core.statistics.mrmc import Analysis, HoldsFor

_MOST = 100_000  # cases


@dataclass(frozen=True, slots=True)
class Spread:
    """How figures vary: over readers, and with `cases` cases over these, one figure (`own`) and between readers (`shared`).

    Of a comparison: var(TR), Var - Cov1 and Cov2 - Cov3; of one modality: var(R), Var and Cov2. `parts`: 2 of a comparison,
    else 1.
    """

    readers: float
    own: float
    shared: float
    cases: int
    parts: int


def spread_of_difference(pilot: Analysis) -> Spread | NotComputable:
    """What a pilot with two modalities or more says of the next comparison; components below 0 count as 0."""
    found = pilot.components
    if math.isnan(found.ms_interaction):
        return NotComputable("A pilot study needs two readers and two modalities.")
    own = found.variance - found.cov1
    return Spread(max(found.ms_interaction - own + found.between_readers, 0.0), own, found.between_readers, pilot.cases, 2)


def spread_of_modality(pilot: Analysis, modality: str) -> Spread | NotComputable:
    """What a pilot says of the next test of one modality against chance; components below 0 count as 0."""
    found = pilot.single[pilot.modalities.index(modality)]
    if math.isnan(found.ms_reader):
        return NotComputable("A pilot study needs two readers.")
    shared = max(found.cov2, 0.0)
    return Spread(max(found.ms_reader - found.variance + shared, 0.0), found.variance, shared, pilot.cases, 1)


def assumed_spread(accuracy: float, between_readers: float, icc: float) -> Spread:
    """Of one modality's accuracy, without a pilot study.

    `between_readers`: standard deviation of readers' true accuracies; `icc`: how alike readers answer one case, 0 to 1.
    """
    if not (0 < accuracy < 1 and between_readers >= 0 and 0 <= icc <= 1):
        raise ValueError("no accuracy, standard deviation and correlation")
    own, cases = accuracy * (1 - accuracy), 100
    return Spread(between_readers**2, own / cases, icc * own / cases, cases, 1)


def power_to_differ(
    spread: Spread, effect: float, readers: int, cases: int, *, holds_for: HoldsFor = "readers and cases", alpha: float = 0.05
) -> float | NotComputable:
    """To find a true `effect`: a difference of two modalities, or of one from chance."""
    from scipy.special import chdtri, chndtr, fdtri, ncfdtr

    planned = _planned(spread, readers, cases, holds_for)
    if isinstance(planned, NotComputable):
        return planned
    se, df = planned
    away = (effect / se) ** 2
    if math.isinf(df):
        return 1 - float(chndtr(chdtri(1, alpha), 1, away))
    return 1 - float(ncfdtr(1, df, away, fdtri(1, df, 1 - alpha)))


def power_of_equivalence(
    spread: Spread, margin: float, readers: int, cases: int, *, holds_for: HoldsFor = "readers and cases", alpha: float = 0.05
) -> float | NotComputable:
    """To show equivalence within `margin` where there is truly no difference; a little low where it is below one half."""
    from scipy.special import nctdtr, ndtr

    planned = _planned(spread, readers, cases, holds_for)
    if isinstance(planned, NotComputable):
        return planned
    se, df = planned
    needed = t_quantile(1 - alpha, df)
    missed = float(ndtr(needed - margin / se) if math.isinf(df) else nctdtr(df, margin / se, needed))
    return max(1 - 2 * missed, 0.0)


def power_of_noninferiority(
    spread: Spread, room: float, readers: int, cases: int, *, holds_for: HoldsFor = "readers and cases", alpha: float = 0.05
) -> float | NotComputable:
    """That the lower end of the two-sided interval at 1 - `alpha` lies above the margin; `room`: margin and true difference."""
    from scipy.special import nctdtr, ndtr

    planned = _planned(spread, readers, cases, holds_for)
    if isinstance(planned, NotComputable):
        return planned
    se, df = planned
    needed = t_quantile(1 - alpha / 2, df)
    return 1 - float(ndtr(needed - room / se) if math.isinf(df) else nctdtr(df, room / se, needed))


def cases_to_differ(
    spread: Spread, effect: float, readers: int, power: float = 0.8, *,
    holds_for: HoldsFor = "readers and cases", alpha: float = 0.05,
) -> int | NotComputable:  # fmt: skip
    """The fewest cases with at least `power` to find a true `effect`."""
    return _fewest(
        lambda cases: power_to_differ(spread, effect, readers, cases, holds_for=holds_for, alpha=alpha), power, readers
    )


def cases_for_equivalence(
    spread: Spread, margin: float, readers: int, power: float = 0.8, *,
    holds_for: HoldsFor = "readers and cases", alpha: float = 0.05,
) -> int | NotComputable:  # fmt: skip
    """The fewest cases with at least `power` to show equivalence within `margin` where there is truly no difference."""
    return _fewest(
        lambda cases: power_of_equivalence(spread, margin, readers, cases, holds_for=holds_for, alpha=alpha), power, readers
    )


def cases_for_noninferiority(
    spread: Spread, room: float, readers: int, power: float = 0.8, *,
    holds_for: HoldsFor = "readers and cases", alpha: float = 0.05,
) -> int | NotComputable:  # fmt: skip
    """The fewest cases with at least `power` to show that a difference lies above the margin, `room` away from it in truth."""
    return _fewest(
        lambda cases: power_of_noninferiority(spread, room, readers, cases, holds_for=holds_for, alpha=alpha), power, readers
    )


def _planned(spread: Spread, readers: int, cases: int, holds_for: HoldsFor) -> tuple[float, float] | NotComputable:
    """Standard error and degrees of freedom that a study of this size can expect."""
    if readers < 2 and holds_for != "cases":
        return NotComputable("A result that holds for other readers needs two readers.")
    scale = spread.cases / cases
    over_readers = spread.readers + scale * (spread.own - spread.shared)
    over_cases = scale * (spread.own + (readers - 1) * spread.shared)
    df = math.inf
    if holds_for == "cases":
        error = over_cases
    elif holds_for == "readers":
        error, df = over_readers, readers - 1
    else:
        error = spread.readers + over_cases
        df = (readers - 1) * (error / over_readers) ** 2 if over_readers > 0 else math.inf
    se = root(spread.parts * error / readers)
    return (se, df) if se else NotComputable("There is no variance to plan with.")


def _fewest(reached: Callable[[int], float | NotComputable], power: float, readers: int) -> int | NotComputable:
    """By halving between one case and a hundred thousand."""
    most = reached(_MOST)
    if isinstance(most, NotComputable):
        return most
    if most < power:
        return NotComputable(f"With {readers} readers no number of cases gives this power: readers differ too much for so few.")
    few, enough = 0, _MOST
    while enough - few > 1:
        middle = (few + enough) // 2
        found = reached(middle)
        few, enough = (few, middle) if isinstance(found, float) and found >= power else (middle, enough)
    return enough
