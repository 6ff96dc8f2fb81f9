"""How many trials, cases and readers a study needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ctmri_core.statistics.answers import NotComputable, root
from ctmri_core.statistics.intervals import binomial_chances
from ctmri_core.statistics.mrmc import Analysis, HoldsFor

_STAYS_ABOVE = 60
"""Power of exact tests goes up and down with the number of trials; a number counts where so many after it have it, too."""
_SMALLEST = 0.01  # difference of an accuracy that is planned for
_MOST = 100_000  # cases


def critical_count(trials: int, *, alpha: float = 0.05) -> int | None:
    """The fewest correct of `trials` with an exact two-sided p against one half of at most `alpha`; None where not even all."""
    at_least = binomial_chances(trials, 0.5)[::-1].cumsum()[::-1]
    enough = (2 * at_least <= alpha).nonzero()[0]
    return int(enough[0]) if len(enough) else None


def power_against_chance(trials: int, accuracy: float, *, alpha: float = 0.05) -> float:
    """Of the exact two-sided binomial test against one half, for `trials` independent trials at the true `accuracy`."""
    count = critical_count(trials, alpha=alpha)
    if count is None:
        return 0.0
    chances = binomial_chances(trials, accuracy)
    return float(chances[count:].sum() + chances[: trials - count + 1].sum())


def power_of_equivalence(trials: int, margin: float, *, accuracy: float = 0.5, alpha: float = 0.05) -> float:
    """Of the exact two one-sided tests that accuracy is one half within `margin`, at the true `accuracy`."""
    upper = binomial_chances(trials, min(0.5 + margin, 1.0)).cumsum()
    most = int((upper < alpha).sum()) - 1  # at most that many correct answers; by symmetry at least trials - most
    if 2 * most < trials:
        return 0.0
    return float(binomial_chances(trials, accuracy)[trials - most : most + 1].sum())


def trials_against_chance(accuracy: float, power: float = 0.8, *, alpha: float = 0.05) -> int | NotComputable:
    """The fewest trials with at least `power` to show that `accuracy` is not one half, staying there for the next 60."""
    return _fewest(
        lambda trials: power_against_chance(trials, accuracy, alpha=alpha) >= power, abs(accuracy - 0.5), power, alpha / 2
    )


def trials_for_equivalence(
    margin: float, power: float = 0.8, *, accuracy: float = 0.5, alpha: float = 0.05
) -> int | NotComputable:
    """The fewest trials with at least `power` to show equivalence to one half within `margin`, staying there for the next 60."""
    return _fewest(
        lambda trials: power_of_equivalence(trials, margin, accuracy=accuracy, alpha=alpha) >= power,
        margin - abs(accuracy - 0.5), power, alpha,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanningRow:
    """Trials for 80 % and 90 % power to show that a true `accuracy` is not one half, or, at one half, equivalence in `margin`."""

    accuracy: float | None
    margin: float | None
    trials_80: int | NotComputable
    trials_90: int | NotComputable


def planning_table(
    accuracies: tuple[float, ...] = (0.55, 0.6, 0.65, 0.7, 0.75), margins: tuple[float, ...] = (0.15, 0.1, 0.05),
    *, alpha: float = 0.05,
) -> tuple[PlanningRow, ...]:  # fmt: skip
    """Exact, for the independent trials of one reader; several readers of the same cases need `mrmc_power`."""
    return tuple(
        PlanningRow(each, None, *(trials_against_chance(each, power, alpha=alpha) for power in (0.8, 0.9))) for each in accuracies
    ) + tuple(
        PlanningRow(None, each, *(trials_for_equivalence(each, power, alpha=alpha) for power in (0.8, 0.9))) for each in margins
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """How figures vary in a pilot study of `cases` cases: over its readers, and over cases (for one figure and between readers).

    Of a comparison: var(TR), Var - Cov1 and Cov2 - Cov3; of one modality: var(R), Var and Cov2. `parts`: 2 of a comparison.
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


def mrmc_power(
    spread: Spread, effect: float, readers: int, cases: int, *, holds_for: HoldsFor = "readers and cases", alpha: float = 0.05
) -> float | NotComputable:
    """To find a true `effect` (difference of two modalities, or excess over chance) with as many readers and cases.

    Hillis, Obuchowski and Berbaum, Acad Radiol 18, 2011, for two modalities; of one modality by the same algebra from the test of
    Hillis 2014. `cases`: in the pilot's proportion of both kinds.
    """
    from scipy.special import chdtri, chndtr, fdtri, ncfdtr

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
    if not root(error):
        return NotComputable("The pilot study shows no variance to plan with.")
    away = readers * effect**2 / (spread.parts * error)
    if math.isinf(df):
        return 1 - float(chndtr(chdtri(1, alpha), 1, away))
    return 1 - float(ncfdtr(1, df, away, fdtri(1, df, 1 - alpha)))


def mrmc_cases(
    spread: Spread, effect: float, readers: int, power: float = 0.8, *,
    holds_for: HoldsFor = "readers and cases", alpha: float = 0.05,
) -> int | NotComputable:  # fmt: skip
    """The fewest cases with at least `power`; where even a hundred thousand have less, more readers are needed."""
    most = mrmc_power(spread, effect, readers, _MOST, holds_for=holds_for, alpha=alpha)
    if isinstance(most, NotComputable):
        return most
    if most < power:
        return NotComputable(f"With {readers} readers no number of cases gives this power: readers differ too much for so few.")
    few, enough = 1, _MOST
    while enough - few > 1:
        middle = (few + enough) // 2
        reached = mrmc_power(spread, effect, readers, middle, holds_for=holds_for, alpha=alpha)
        few, enough = (few, middle) if isinstance(reached, float) and reached >= power else (middle, enough)
    return enough


def _fewest(enough: Callable[[int], bool], distance: float, power: float, tail: float) -> int | NotComputable:
    """The first of a run of trials that are all enough for an effect of `distance`; the search starts below the normal answer."""
    from scipy.special import ndtri

    if distance < _SMALLEST:
        return NotComputable(f"To show an effect under {100 * _SMALLEST:g} % takes more trials than can be read.")
    since, trials = None, max(1, int(0.2 * ((ndtri(1 - tail) + ndtri(power)) / distance) ** 2) - 10)
    while since is None or trials <= since + _STAYS_ABOVE:
        if not enough(trials):
            since = None
        elif since is None:
            since = trials
        trials += 1
    return since
