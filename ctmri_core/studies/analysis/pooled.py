"""Readers together: the analysis of several readers and cases, the margin, and the verdict in the only words allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from ctmri_core.statistics import equivalence, intervals, mrmc, multiplicity, subgroups
from ctmri_core.statistics.answers import Estimate, NotComputable
from ctmri_core.statistics.figures import Figure
from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis.found import Difference, MarginTest, Naive, Pooled, Primary, Value
from ctmri_core.studies.analysis.values import margin_of, value_of
from ctmri_core.studies.protocol import Analysis

NOBODY = NotComputable("There is no picture that all readers have read.")
FIGURES: dict[Primary, Figure] = {"accuracy": "mean", "auc": "auc"}


def holds_for(asked: Analysis, readers: int) -> mrmc.HoldsFor:
    """One reader shows nothing of others, whatever was planned."""
    return "readers and cases" if asked.readers_random and readers > 1 else "cases"


def together(readings: Readings, modality: str, figure: Primary, asked: Analysis, *, two_kinds: bool = True) -> Pooled:
    """Against chance. `readings`: 1 and 0 for `accuracy`, scores for `auc`; of the cases that all readers have read. `two_kinds`:
    as of `mean_of`."""
    null = 0.5
    found, complete = mean_of(readings, modality, figure, asked, null, two_kinds=two_kinds)
    margin = equivalence.of_estimate(found, asked.margin, null=null, alpha=asked.alpha)
    told = equivalence.verdict(found, margin, asked.margin, asked.alpha)
    return Pooled(
        modality=modality, figure=figure, readers=complete.readers, cases=len(complete.cases),
        patients=len(np.unique(complete.units)),
        holds_for=holds_for(asked, len(complete.readers)), estimate=value_of(found, 1 - asked.alpha),
        margin=margin_of(margin, asked.margin, asked.alpha, null), verdict=told.words, worse=told.worse,
    )  # fmt: skip


def models_together(found: Sequence[Pooled], asked: Analysis) -> tuple[Pooled, ...]:
    """Verdicts of several models by one figure, with Holm's correction of both tests over them."""
    apart, alike = holm([one.estimate for one in found]), multiplicity.holm([one.margin.p for one in found])
    return tuple(_of_several(*each, asked) for each in zip(found, apart, alike, strict=True))


def _of_several(one: Pooled, p_apart: float | None, p_alike: float | None, asked: Analysis) -> Pooled:
    beyond = p_apart is not None and p_apart < asked.alpha
    equivalent = p_alike is not None and p_alike < asked.alpha
    above = one.estimate.value is not None and one.estimate.value > 0.5
    told = equivalence.Verdict(beyond and above, beyond and not above, equivalent, asked.margin)
    margin = one.margin.model_copy(update={"p_holm": p_alike, "equivalent": equivalent})
    said = {"p_holm": p_apart, "margin": margin, "verdict": told.words, "worse": told.worse}
    return one.model_copy(update=said)


def mean_of(
    readings: Readings, modality: str, figure: Primary, asked: Analysis, null: float = 0.5, *, two_kinds: bool = False
) -> tuple[Estimate | NotComputable, Readings]:
    """The mean figure of one modality over readers, and what it was taken from. `two_kinds`: cases have a signal or none, and
    where these are not equally many, accuracy is the mean of both kinds' shares: always saying the commoner one is chance."""
    one = readings.of_modalities(modality)
    complete = one.of_cases(np.isfinite(one.scores[0]).any(axis=0)).complete()
    if not complete.cases:
        return NOBODY, complete
    uneven = two_kinds and figure == "accuracy" and 2 * np.count_nonzero(complete.signal) != len(complete.cases)
    analysis = mrmc.analyse(_calls(complete), "auc") if uneven else mrmc.analyse(complete, FIGURES[figure])
    if isinstance(analysis, NotComputable):
        return analysis, complete
    held = holds_for(asked, len(complete.readers))
    return mrmc.against(analysis, modality, null=null, holds_for=held, confidence=1 - asked.alpha), complete


def _calls(right: Readings) -> Readings:
    """What was said, from whether it was right. The area under the curve of bare calls is the mean of both kinds' shares."""
    return replace(right, scores=np.where(right.signal, right.scores, 1 - right.scores))


def naive(readings: Readings, asked: Analysis) -> Naive | None:
    """Of answers that are 1 or 0, all readers and cases in one heap. None where there are none."""
    found = intervals.naive_pool(readings.scores[0], confidence=1 - asked.alpha)
    if isinstance(found, NotComputable):
        return None
    pooled = found.naive
    return Naive(
        right=pooled.successes, trials=pooled.trials, estimate=value_of(pooled, 1 - asked.alpha), icc=found.icc,
        design_effect=found.design_effect,
    )  # fmt: skip


def between(
    readings: Readings, figure: Primary, asked: Analysis, pairs: Sequence[tuple[str, str]] = (), *, margin: bool = False
) -> tuple[Difference, ...]:
    """Second less first of `pairs` of modalities, or of all, with Holm's correction over them.

    Where both were shown of the same cases, by these; else as groups of different cases. `margin`: whether the second is not
    worse than the first by the study's margin is asked too, at alpha / 2, so that the interval shown says the same of one pair;
    of several with Holm's correction.
    """
    wanted = list(pairs) or list(combinations(readings.modalities, 2))
    found = [_one_pair(readings, first, second, figure, asked) for first, second in wanted]
    shown = [value_of(each, 1 - asked.alpha) for each, _ in found]
    margins = _margins([each for each, _ in found], asked) if margin else [None] * len(found)
    return tuple(
        Difference(
            first=first, second=second, estimate=value, p_holm=p, how="same cases" if same else "other cases", margin=kept
        )
        for (first, second), (_, same), value, p, kept in zip(wanted, found, shown, holm(shown), margins, strict=True)
    )


def holm(values: Sequence[Value]) -> list[float | None]:
    """Of their p."""
    return multiplicity.holm([value.p for value in values])


def _margins(found: Sequence[Estimate | NotComputable], asked: Analysis) -> list[MarginTest]:
    """Whether each is not inferior."""
    alpha = asked.alpha / 2
    tests = [equivalence.of_estimate(one, asked.margin, null=0.0, alpha=alpha) for one in found]
    each = [margin_of(test, asked.margin, alpha, 0.0) for test in tests]
    if len(each) < 2:
        return each
    corrected = multiplicity.holm([one.p_inferior for one in each])
    return [
        one.model_copy(update={"p_holm": p, "not_inferior": p is not None and p < alpha})
        for one, p in zip(each, corrected, strict=True)
    ]


def _one_pair(
    readings: Readings, first: str, second: str, figure: Primary, asked: Analysis
) -> tuple[Estimate | NotComputable, bool]:
    """And whether it is of the same cases."""
    two = readings.of_modalities(first, second)
    shared = two.complete()
    confidence = 1 - asked.alpha
    if len(shared.cases) >= _shared_enough(two):
        analysis = mrmc.analyse(shared, FIGURES[figure])
        if isinstance(analysis, NotComputable):
            return analysis, True
        compared = mrmc.compare(analysis, holds_for=holds_for(asked, len(shared.readers)), confidence=confidence)
        return (compared if isinstance(compared, NotComputable) else compared.differences[0].estimate), True
    laid_out, groups = _side_by_side(two)
    return subgroups.case_groups(laid_out, "both", groups, ~groups, FIGURES[figure], confidence=confidence), False


def _shared_enough(two: Readings) -> int:
    """Cases from which a pair is compared on what both have: half of the smaller side, and two."""
    seen = np.isfinite(two.scores).any(axis=1).sum(axis=1)
    return max(2, int(seen.min()) // 2)


def _side_by_side(two: Readings) -> tuple[Readings, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Both modalities' cases one behind the other in one, and which are the first's."""
    scores = np.concatenate([two.scores[0], two.scores[1]], axis=1)
    names = tuple(f"{modality} {case}" for modality in two.modalities for case in two.cases)
    groups = np.arange(len(names)) < len(two.cases)
    signal = np.concatenate([two.signal, two.signal])
    laid_out = Readings(("both",), two.readers, names, signal, scores[None], two.patients * 2)
    read = np.isfinite(scores).all(axis=0)
    return laid_out.of_cases(read), groups[read]
