"""How many trials and patients a reader study needs, and how long one reader will sit at it.

One reader against chance: exact, from the binomial distribution (`ctmri_core.statistics.power`). Several readers, and grades and
findings: by the components of Obuchowski and Rockette, from what is assumed of readers and cases (`SizePlan.words` says what).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ctmri_core.statistics import mrmc_power, power
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.mrmc import HoldsFor
from ctmri_core.statistics.power import PlanningRow, planning_table
from ctmri_core.studies.leak_audit import FEWEST_PATIENTS
from ctmri_core.studies.protocol import Analysis, Design, Shown

SECONDS: dict[Shown, float] = {"slice": 8.0, "volume": 45.0}
"""To look at one picture and answer (READER_STUDY D1: 8 s, 30 to 60 s)."""
SITTING_MINUTES = 45.0
READERS_DIFFER = 0.05
"""Assumed standard deviation of readers' true shares of correct answers, or areas."""
ALIKE = 0.2
"""Assumed correlation of two readers' answers to one picture."""
GRADE_SPREAD = 1.0
"""Assumed standard deviation, in grades, of the difference between two pictures of a patient as one reader grades them."""
GRADERS_DIFFER = 0.15
"""Assumed standard deviation of readers' true differences, in grades."""
_AT_CHANCE = 0.005
_ANOTHER_LOOK = 0.5
"""Of the time for the first, what each further picture of a trial takes."""
_PILOT = 100
__all__ = ["PlanningRow", "SizePlan", "planning_table", "size_plan"]


@dataclass(frozen=True)
class SizePlan:
    """`trials`: of the test that each reader needs, repeats and practice not counted; `cases`: patients for them; `minutes`: of
    one reader, repeats and practice counted; `words`: what was planned for, what was assumed, one sentence each."""

    trials: int
    cases: int
    minutes: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """`expected`: as `size_plan` takes it."""

    design: Design
    expected: float
    power: float
    analysis: Analysis
    readers: int

    @property
    def holds_for(self) -> HoldsFor:
        return "readers and cases" if self.readers > 1 and self.analysis.readers_random else "cases"


def size_plan(
    design: Design, *, expected: float, power: float = 0.8, analysis: Analysis, readers: int, shown: Shown, repeats: float,
    practice: int, paired: bool = True, models: int = 1,
) -> SizePlan | NotComputable:  # fmt: skip
    """The smallest study with at least `power` (0.5 to 0.99).

    `expected`, what is truly so: the share of correct answers or the area (`yes_no`, `two_alternatives`; 0.5 asks for
    equivalence within the margin, else for better than chance), the share of cases on which the better of two models comes first
    (`rank`), the mean grade of synthetic less that of real pictures (`grading`, not inferior within the margin), the area on both
    kinds (`diagnosis`, not inferior within the margin). `models`: how many make synthetic pictures. Raises `ValueError` for a
    power that is none, no readers or no models.
    """
    if not 0.5 <= power <= 0.99 or readers < 1 or models < 1:
        raise ValueError("a study has a power of 0.5 to 0.99, a reader and a model at least")
    asked = _Asked(design, expected, power, analysis, readers)
    problem = _out_of_range(asked)
    if problem:
        return NotComputable(problem)
    needed, words = _needed(asked)
    if isinstance(needed, NotComputable):
        return needed
    cases, trials = _size(design, needed, paired, models)
    if cases == FEWEST_PATIENTS:
        words = (*words, f"Fewer than {FEWEST_PATIENTS} patients are too few for the leak audit.")
    pictures = {"rank": models + 1.0, "two_alternatives": 2.0}.get(design, 1.0)
    minutes = _minutes(trials, repeats, practice, shown, pictures)
    return SizePlan(trials, cases, minutes, (*words, *_sitting(minutes), *_of_pictures(design, models, paired)))


def _out_of_range(asked: _Asked) -> str:
    if asked.design == "grading":
        return "" if -4 <= asked.expected <= 4 else "An expected difference of grades lies between -4 and 4."
    lowest = 0.55 if asked.design == "diagnosis" else 0.5
    if not lowest <= asked.expected < 1:
        return f"What is expected lies between {lowest:g} and 1, 1 itself left out."
    return ""


def _needed(asked: _Asked) -> tuple[int | NotComputable, tuple[str, ...]]:
    """Independent trials of each reader; of grades and findings, patients."""
    if asked.design == "grading":
        return _grades(asked)
    if asked.design == "diagnosis":
        return _findings(asked)
    return _against_chance(asked)


def _against_chance(asked: _Asked) -> tuple[int | NotComputable, tuple[str, ...]]:
    margin, alpha = asked.analysis.margin, asked.analysis.alpha
    equal = abs(asked.expected - 0.5) < _AT_CHANCE
    area = asked.analysis.primary == "auc" and asked.design == "yes_no"
    figure = "area under the ROC curve" if area else "share of right answers"
    if equal and margin >= 0.5:
        return NotComputable("A margin of one half or more lets everything pass."), ()
    differs = f"to differ from one half where it is {asked.expected:g}"
    aim = f"to be equivalent to one half within {margin:g}" if equal else differs
    words = [f"Planned for the {figure} {aim}, with a power of {100 * asked.power:g} %."]
    if asked.readers == 1 and not area:
        words.append("Exact, for independent trials of one reader; what is found holds for that reader.")
        if equal:
            return power.trials_for_equivalence(margin, asked.power, alpha=alpha), tuple(words)
        return power.trials_against_chance(asked.expected, asked.power, alpha=alpha), tuple(words)
    spread = mrmc_power.assumed_spread(asked.expected, READERS_DIFFER if asked.readers > 1 else 0.0, ALIKE)
    if area:
        spread = _spread_of_area(asked.expected, READERS_DIFFER if asked.readers > 1 else 0.0, parts=1)
    words.append(_assumed(asked))
    fewest = mrmc_power.cases_for_equivalence if equal else mrmc_power.cases_to_differ
    effect = margin if equal else asked.expected - 0.5
    needed = fewest(spread, effect, asked.readers, asked.power, holds_for=asked.holds_for, alpha=alpha)
    return _or_why(needed, asked), tuple(words)


def _grades(asked: _Asked) -> tuple[int | NotComputable, tuple[str, ...]]:
    margin = asked.analysis.margin
    own = GRADE_SPREAD**2 / 2 / _PILOT  # of one arm: the difference has twice that
    spread = mrmc_power.Spread(GRADERS_DIFFER**2 / 2 if asked.readers > 1 else 0.0, own, ALIKE * own, _PILOT, 2)
    words = (
        f"Planned for mean grades of synthetic pictures not inferior within {margin:g} where they truly differ by"
        f" {asked.expected:g}, with a power of {100 * asked.power:g} %.",
        f"Assumed: differences between two pictures of a patient vary by {GRADE_SPREAD:g} grade (standard deviation), those"
        f" between readers by {GRADERS_DIFFER:g}, and two readers' grades of one picture have a correlation of {ALIKE:g}.",
    )
    return _not_inferior(asked, spread, margin + asked.expected), words


def _findings(asked: _Asked) -> tuple[int | NotComputable, tuple[str, ...]]:
    margin = asked.analysis.margin
    spread = _spread_of_area(asked.expected, READERS_DIFFER if asked.readers > 1 else 0.0, parts=2)
    words = (
        f"Planned for an area under the ROC curve on synthetic pictures not inferior within {margin:g} where both are"
        f" {asked.expected:g}, with a power of {100 * asked.power:g} %, half of the patients with the finding.",
        _assumed(asked),
    )
    return _not_inferior(asked, spread, margin), words


def _not_inferior(asked: _Asked, spread: mrmc_power.Spread, room: float) -> int | NotComputable:
    if room <= 0:
        return NotComputable("What is expected lies beyond the margin: no study can show that it is not inferior.")
    needed = mrmc_power.cases_for_noninferiority(
        spread, room, asked.readers, asked.power, holds_for=asked.holds_for, alpha=asked.analysis.alpha
    )
    return _or_why(needed, asked)


def _or_why(needed: int | NotComputable, asked: _Asked) -> int | NotComputable:
    if isinstance(needed, int) or asked.holds_for == "cases":
        return needed
    return NotComputable(f"{needed.because} More readers, or a result that is to hold for these readers alone, make it possible.")


def _spread_of_area(area: float, readers_differ: float, parts: int) -> mrmc_power.Spread:
    """Variance of an area from half and half of `_PILOT` pictures (Hanley and McNeil, Radiology 143, 1982). Two modalities of the
    same patients and readers: what they share falls out, half of each is assumed to."""
    each = _PILOT / 2
    twice, once = area / (2 - area), 2 * area**2 / (1 + area)
    own = (area * (1 - area) + (each - 1) * (twice - area**2 + once - area**2)) / each**2
    kept = 1.0 if parts == 1 else 0.5
    return mrmc_power.Spread(kept * readers_differ**2, kept * own, ALIKE * kept * own, _PILOT, parts)


def _assumed(asked: _Asked) -> str:
    if asked.readers == 1:
        return "What is found holds for this reader and other cases."
    holds = "other readers and cases" if asked.holds_for == "readers and cases" else "these readers and other cases"
    return (
        f"Assumed: readers' true values vary by {READERS_DIFFER:g} (standard deviation), and two readers' answers to one picture"
        f" have a correlation of {ALIKE:g}. What is found holds for {holds}."
    )


def _size(design: Design, needed: int, paired: bool, models: int) -> tuple[int, int]:
    """Patients, no fewer than the leak audit needs, and trials: `needed` are trials of a choice between real and synthetic, else
    patients."""
    twice = design == "yes_no" and paired
    cases = max(FEWEST_PATIENTS, -(-needed // 2) if twice else needed)
    return cases, cases * (1 + models if design in ("grading", "diagnosis") else 2 if twice else 1)


def _minutes(trials: int, repeats: float, practice: int, shown: Shown, pictures: float) -> float:
    each = SECONDS[shown] * (1 + _ANOTHER_LOOK * (pictures - 1))
    return round((trials + round(repeats * trials) + practice) * each / 60, 1)


def _sitting(minutes: float) -> tuple[str, ...]:
    if minutes <= SITTING_MINUTES:
        return ()
    count = math.ceil(minutes / SITTING_MINUTES)
    return (f"More than {SITTING_MINUTES:g} minutes tire a reader: let each read in {count} sittings or more.",)


def _of_pictures(design: Design, models: int, paired: bool) -> tuple[str, ...]:
    words = []
    if design == "yes_no" and paired:
        words.append("Two pictures of a patient count as two trials; where they are answered alike, more patients are needed.")
    if models > 1 and design in ("yes_no", "two_alternatives"):
        words.append(f"For all {models} models together; to say it of each, {models} times as many are needed.")
    return tuple(words)
