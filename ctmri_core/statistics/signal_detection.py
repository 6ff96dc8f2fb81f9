"""How well one reader tells signal from noise, apart from how willingly they say "signal" (Green and Swets 1966).

The signal is the synthetic picture. `log-linear` correction: half a case is added to each count and one to each total (Hautus,
Behav Res Methods 27, 1995), which keeps rates off 0 and 1. Standard errors are those of the delta method (Gourevitch and
Galanter, Psychometrika 32, 1967).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ctmri_core.statistics.answers import Estimate, NotComputable, estimate
from ctmri_core.statistics.intervals import NO_TRIALS

Correction = Literal["always", "at the ends"]
"""When counts are corrected: always, or only where a rate would be 0 or 1."""


@dataclass(frozen=True, slots=True)
class YesNo:
    """`hit_rate`: of signals called signal; `false_alarm_rate`: of noise called signal; both as corrected where `corrected`.

    `d_prime`: z(H) - z(F), tested against 0. `criterion`: -(z(H) + z(F)) / 2, above 0 for readers who rather say "noise".
    `log_beta`: (z(F)^2 - z(H)^2) / 2, natural logarithm of the likelihood ratio at the criterion.
    """

    hit_rate: float
    false_alarm_rate: float
    corrected: bool
    d_prime: Estimate
    criterion: float
    log_beta: float


@dataclass(frozen=True, slots=True)
class ForcedChoice:
    """`correct`: part of pairs, as corrected where `corrected`; `d_prime`: sqrt(2) z(correct), tested against 0."""

    correct: float
    corrected: bool
    d_prime: Estimate


def yes_no(
    hits: int, signals: int, false_alarms: int, noises: int, *, correction: Correction = "always", confidence: float = 0.95
) -> YesNo | NotComputable:
    """Of `hits` among `signals` and `false_alarms` among `noises`, all of one reader."""
    if not signals or not noises:
        return NotComputable("Sensitivity to a difference needs answers to both kinds of case; of one there is none.")
    corrected = correction == "always" or hits in (0, signals) or false_alarms in (0, noises)
    hit, alarm = _rate(hits, signals, corrected), _rate(false_alarms, noises, corrected)
    z_hit, z_alarm = _z(hit), _z(alarm)
    se = math.sqrt(_variance(hit, z_hit, signals) + _variance(alarm, z_alarm, noises))
    d_prime = estimate(z_hit - z_alarm, se, null=0.0, confidence=confidence)
    return YesNo(hit, alarm, corrected, d_prime, -(z_hit + z_alarm) / 2, (z_alarm**2 - z_hit**2) / 2)


def forced_choice(
    correct: int, pairs: int, *, correction: Correction = "always", confidence: float = 0.95
) -> ForcedChoice | NotComputable:
    """Of `correct` choices among `pairs`, all of one reader; the side is assumed not to matter."""
    if not pairs:
        return NO_TRIALS
    corrected = correction == "always" or correct in (0, pairs)
    rate = _rate(correct, pairs, corrected)
    z = _z(rate)
    d_prime = estimate(math.sqrt(2) * z, math.sqrt(2 * _variance(rate, z, pairs)), null=0.0, confidence=confidence)
    return ForcedChoice(rate, corrected, d_prime)


def _rate(count: int, total: int, corrected: bool) -> float:
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is no count of answers")
    return (count + 0.5) / (total + 1) if corrected else count / total


def _z(rate: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(rate))


def _variance(rate: float, z: float, count: int) -> float:
    """Of z(rate)."""
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return rate * (1 - rate) / (count * density**2)
