"""What statistics of a study found: values, and tables of them by reader, model, group and design."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

ALL = "all models"
"""Modality of all synthetic pictures together."""
Primary = Literal["accuracy", "auc"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Frozen):
    """A statistic with its interval (`confidence`, a part of 1) and its two-sided test against `null`.

    `df`: None for the normal distribution or an exact test. `because`: why there is no value, or no interval and test beside it.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    se: float | None = None
    df: float | None = None
    null: float | None = None
    p: float | None = None
    because: str = ""


class MarginTest(_Frozen):
    """Two one-sided tests, each at `alpha`, against `null` ± `margin`, and the interval of confidence 1 - 2 alpha that says the
    same: `equivalent` where it lies inside, `not_inferior` where its lower end lies above null - margin.

    `p`: of both tests, the larger; `p_inferior`: of the one that asks whether it is worse; `p_holm`: whichever was asked,
    corrected for all models, where there are several; what is said then follows it, and not the interval of one alone.
    """

    margin: float
    alpha: float
    null: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_inferior: float | None = None
    p_holm: float | None = None
    equivalent: bool = False
    not_inferior: bool = False
    because: str = ""


class Counted(_Frozen):
    """`right` of `trials`. A picture that is synthetic (or has the finding) is a signal: `hits` of `signals` were called so, and
    `false_alarms` of `noises`. Of two alternatives there are neither."""

    trials: int = 0
    right: int = 0
    signals: int = 0
    hits: int = 0
    noises: int = 0
    false_alarms: int = 0


class ReaderScores(_Frozen):
    """One reader on the pictures of one arm with the real ones (`arm` "all models": on all). Repeats do not count.

    `criterion`: above 0 for who rather says "real" (or "absent"); `log_beta`: natural; `left`: of two alternatives, the share of
    answers that said left; `verdict`: in the only allowed words, empty where chance is not what is asked.
    """

    reader: str
    arm: str = ALL
    counts: Counted
    accuracy: Value
    margin: MarginTest
    d_prime: Value
    criterion: float | None = None
    log_beta: float | None = None
    area: Value = Value()
    left: Value | None = None
    verdict: str = ""


class Pooled(_Frozen):
    """Readers together (Obuchowski and Rockette, Hillis's degrees of freedom). `holds_for`: other readers and cases, or other
    cases with these readers. `patients`: of the cases. `worse`: beyond chance on the wrong side. `p_holm`: of the estimate,
    corrected for all models where there are several; `verdict` follows it."""

    modality: str
    figure: Primary
    readers: tuple[str, ...]
    cases: int
    patients: int
    holds_for: str
    estimate: Value
    margin: MarginTest
    verdict: str
    worse: bool = False
    p_holm: float | None = None


class Naive(_Frozen):
    """All answers as if they were independent, which they are not: for comparison, never a verdict."""

    right: int
    trials: int
    estimate: Value
    icc: float | None = None
    design_effect: float | None = None


class Difference(_Frozen):
    """`second` less `first`. `p_holm`: corrected for all of its table. `how`: `same cases`, or `other cases` of both."""

    first: str
    second: str
    estimate: Value
    p_holm: float | None = None
    how: Literal["same cases", "other cases", "readers"] = "same cases"
    margin: MarginTest | None = None


class Called(_Frozen):
    """How often pictures of an arm were called real. `reader`: empty for all, with the interval over readers and cases."""

    arm: str
    reader: str
    called_real: int
    trials: int
    share: Value


class Curve(_Frozen):
    """`reader`: empty for the average of all."""

    reader: str
    false_alarms: tuple[float, ...]
    hits: tuple[float, ...]


class Group(_Frozen):
    name: str
    readers: int
    cases: int
    estimate: Value


class Subgroup(_Frozen):
    """By `of` (region, centre, model, experience, specialty): the figure in each group, and differences of all pairs."""

    of: str
    figure: Primary
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]


class Telling(_Frozen):
    """Real against synthetic: `pooled` holds the primary figure first; `by_model`, `differences` only with several models.

    `incomplete`: the area from all readings, those of unfinished readers too, by U-statistics.
    """

    readers: tuple[ReaderScores, ...]
    pooled: tuple[Pooled, ...]
    naive: Naive | None
    incomplete: Value | None
    by_model: tuple[Pooled, ...] = ()
    differences: tuple[Difference, ...] = ()
    called: tuple[Called, ...] = ()
    curves: tuple[Curve, ...] = ()


class Marked(_Frozen):
    """Of pictures with the finding, on how many the reader set a mark within the radius; `false_marks`: all others, of all
    pictures of the arm."""

    reader: str
    arm: str
    present: int
    on_it: int
    share: Value
    false_marks: int
    pictures: int


class Diagnosis(_Frozen):
    """Finding present or absent, by arm. `areas`: of readers together; `differences`: arm less real, with the study's margin."""

    readers: tuple[ReaderScores, ...]
    areas: tuple[Pooled, ...]
    differences: tuple[Difference, ...]
    marked: tuple[Marked, ...] = ()
    curves: dict[str, tuple[Curve, ...]] = {}


class Graded(_Frozen):
    """Of one arm on one scale: `mean` and `acceptable` (share of grades of at least the one set) over readers and cases."""

    arm: str
    grades: int
    counts: dict[str, int]
    mean: Value
    acceptable: Value


class ReaderGrades(_Frozen):
    reader: str
    arm: str
    grades: int
    mean: float
    acceptable: float


class Scale(_Frozen):
    """`differences`: arm less real where there are real pictures, models among each other else."""

    key: str
    text: str
    low: float
    high: float
    acceptable: float
    arms: tuple[Graded, ...]
    readers: tuple[ReaderGrades, ...]
    differences: tuple[Difference, ...]
    verdict: str = ""


class RankedArm(_Frozen):
    """`mean`: 1 is best; `first`: how often it was best, of `rankings`."""

    arm: str
    mean: Value
    first: int
    rankings: int
    by_place: tuple[int, ...]


class Ranking(_Frozen):
    """`friedman`: that no arm is preferred, on one mean ranking a case; `w` of the same. `among_readers`: Kendall's W of the
    readers of each case, mean over cases; `by_reader`: of each reader's rankings over cases."""

    arms: tuple[RankedArm, ...]
    cases: int
    friedman: Value
    w: float | None
    among_readers: Value
    by_reader: dict[str, Value]
    differences: tuple[Difference, ...]


class Agreed(_Frozen):
    """`of`: what was judged; `reader`: empty for agreement among readers, else of one with himself on `cases` repeats."""

    of: str
    measure: str
    reader: str = ""
    value: Value
    observed: float | None = None
    cases: int = 0
