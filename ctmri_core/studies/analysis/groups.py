"""Whether regions, centres, or kinds of readers differ in the primary figure, each with Holm's correction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics import subgroups
from ctmri_core.statistics.answers import Estimate, NotComputable
from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis import pooled
from ctmri_core.studies.analysis.answered import Answered, all_together
from ctmri_core.studies.analysis.found import ALL, Difference, Group, Primary, Subgroup
from ctmri_core.studies.analysis.telling import as_figure, counting, figures
from ctmri_core.studies.analysis.values import value_of
from ctmri_core.studies.truth import ItemTruth

EXPERIENCED = 5
"""Years from which a reader is experienced: fixed, so that nobody chooses it by the results."""
Found = Estimate | NotComputable


def by_groups(answered: Answered) -> tuple[Subgroup, ...]:
    """Those of which there are two groups or more; none of designs without right answers."""
    rows = counting(answered)
    if answered.design in ("grading", "rank") or not rows:
        return ()
    figure: Primary = "auc" if answered.design == "diagnosis" else figures(answered)[0]
    scores = as_figure(answered, all_together(rows), figure)
    return (*_of_cases(answered, scores, figure), *_of_readers(answered, scores, figure))


def _of_cases(answered: Answered, scores: Readings, figure: Primary) -> Iterator[Subgroup]:
    truth, complete = {item.token: item for item in answered.truth.items}, scores.complete()
    ways: tuple[tuple[str, Callable[[ItemTruth], str]], ...] = (
        ("region", lambda item: item.region), ("centre", lambda item: item.centre)
    )  # fmt: skip
    for of, named in ways:
        groups = _cases_of_groups([named(truth[token]) for token in complete.cases])
        found = [
            subgroups.case_groups(complete, ALL, *chosen, pooled.FIGURES[figure], confidence=_confidence(answered))
            for chosen in combinations(groups.values(), 2)
        ]
        if found:
            shown = tuple(_group(answered, name, complete.of_cases(chosen), figure) for name, chosen in groups.items())
            yield _subgroup(answered, of, figure, shown, found, "other cases")


def _cases_of_groups(names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    return {name: np.array([one == name for one in names], np.bool_) for name in sorted(set(names)) if name}


def _of_readers(answered: Answered, scores: Readings, figure: Primary) -> Iterator[Subgroup]:
    for of, groups in _readers_of_groups(answered, scores.readers).items():
        found = [
            subgroups.reader_groups(
                scores.of_readers(*first, *second).complete(), ALL, first, second, pooled.FIGURES[figure],
                confidence=_confidence(answered),
            )
            for first, second in combinations(groups.values(), 2)
        ]  # fmt: skip
        if found:
            shown = tuple(_group(answered, name, scores.of_readers(*who), figure) for name, who in groups.items())
            yield _subgroup(answered, of, figure, shown, found, "readers")


def _readers_of_groups(answered: Answered, readers: Sequence[str]) -> Mapping[str, dict[str, list[str]]]:
    ways: dict[str, dict[str, list[str]]] = {"experience": {}, "specialty": {}}
    facts = answered.gathered.facts
    for reader in readers:
        if reader in facts:
            said = f"{EXPERIENCED} years or more" if facts[reader].years >= EXPERIENCED else f"fewer than {EXPERIENCED} years"
            ways["experience"].setdefault(said, []).append(reader)
            ways["specialty"].setdefault(facts[reader].specialty.strip().lower() or "not told", []).append(reader)
    return {of: dict(sorted(groups.items())) for of, groups in ways.items()}


def _group(answered: Answered, name: str, scores: Readings, figure: Primary) -> Group:
    kinds = answered.design in ("yes_no", "diagnosis")
    found, complete = pooled.mean_of(scores, ALL, figure, answered.protocol.analysis, two_kinds=kinds)
    estimate = value_of(found, _confidence(answered))
    return Group(name=name, readers=len(complete.readers), cases=len(complete.cases), estimate=estimate)


def _subgroup(
    answered: Answered, of: str, figure: Primary, groups: tuple[Group, ...], found: Sequence[Found],
    how: Literal["other cases", "readers"],
) -> Subgroup:  # fmt: skip
    values = [value_of(each, _confidence(answered)) for each in found]
    pairs = combinations((group.name for group in groups), 2)
    differences = tuple(
        Difference(first=first, second=second, estimate=value, p_holm=p, how=how)
        for (first, second), value, p in zip(pairs, values, pooled.holm(values), strict=True)
    )
    return Subgroup(of=of, figure=figure, groups=groups, differences=differences)


def _confidence(answered: Answered) -> float:
    return 1 - answered.protocol.analysis.alpha
