"""How many independent trials one reader needs: exact, from the binomial distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.intervals import binomial_chances

_STAYS_ABOVE = 60
"""Power of exact tests goes up and down with the number of trials; a number counts where so many after it have it, too."""
_SMALLEST = 0.01  # difference of an accuracy that is planned for


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
    """Exact, for the independent trials of one reader; several readers of the same cases: `mrmc_power`."""
    return tuple(
        PlanningRow(each, None, *(trials_against_chance(each, power, alpha=alpha) for power in (0.8, 0.9))) for each in accuracies
    ) + tuple(
        PlanningRow(None, each, *(trials_for_equivalence(each, power, alpha=alpha) for power in (0.8, 0.9))) for each in margins
    )


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
