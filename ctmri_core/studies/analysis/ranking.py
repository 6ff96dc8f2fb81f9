"""Pictures of one case in order: who comes first, whether anyone is preferred, whether readers agree on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ctmri_core.statistics import ranks
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.readings import Readings
from ctmri_core.studies.analysis import pooled
from ctmri_core.studies.analysis.answered import Answered, Row
from ctmri_core.studies.analysis.found import RankedArm, Ranking, Value
from ctmri_core.studies.analysis.values import finite, value_of, within

Table = NDArray[np.float64]


def ranking(answered: Answered) -> Ranking | None:
    """None for other designs, and where nothing was answered."""
    rows, arms = answered.first, answered.arms
    if answered.design != "rank" or not rows:
        return None
    ordered = [(row.reader, answered.key[row.items[0].token], arm, place) for row in rows for arm, place in _places(row).items()]
    order = {arm: number for number, arm in enumerate(arms)}
    ordered.sort(key=lambda one: order[one[2]])
    counting = [one for one in ordered if one[0] in answered.pooled]
    patients = {answered.key[row.items[0].token]: row.items[0].patient for row in rows}
    table = Readings.of(counting, {one[1]: True for one in counting}, patients)
    asked, confidence = answered.protocol.analysis, 1 - answered.protocol.analysis.alpha
    whole = table.complete()
    overall = ranks.concordance(_mean_by_patient(whole)) if whole.cases else pooled.NOBODY
    return Ranking(
        arms=tuple(_arm(answered, arm, table, rows) for arm in arms), cases=len(whole.cases),
        friedman=_friedman(overall, confidence), w=None if isinstance(overall, NotComputable) else finite(overall.w),
        among_readers=_among_readers(whole),
        by_reader={reader: _of_reader(table, reader, confidence) for reader in table.readers},
        differences=pooled.between(table, "accuracy", asked) if len(arms) > 1 else (),
    )  # fmt: skip


def _places(row: Row) -> dict[str, float]:
    """1 is best, by arm."""
    arm = {item.token: item.arm for item in row.items}
    return {arm[token]: float(place) for place, token in enumerate(row.answer.choice.split(","), 1)}


def _mean_by_patient(whole: Readings) -> Table:
    """(patients, arms): rankings of several readers, or of several pictures of one patient, are not independent."""
    of_cases, units = whole.scores.mean(axis=1).T, whole.units
    return np.array([of_cases[units == patient].mean(axis=0) for patient in np.unique(units)])


def _friedman(found: ranks.Concordance | NotComputable, confidence: float) -> Value:
    if isinstance(found, NotComputable):
        return Value(confidence=confidence, because=found.because)
    return Value(value=found.test.statistic, df=float(found.df), p=found.test.p, confidence=confidence)


def _among_readers(whole: Readings) -> Value:
    """Mean over cases; its interval would need a model of cases, and is not given."""
    found = [ranks.concordance(whole.scores[:, :, case].T) for case in range(len(whole.cases))]
    known = [one.w for one in found if not isinstance(one, NotComputable)]
    if not known:
        return Value(because="No case was ranked by two readers.")
    return Value(value=float(np.mean(known)))


def _of_reader(table: Readings, reader: str, confidence: float) -> Value:
    """Kendall's W of his rankings over cases, with Friedman's p."""
    found = ranks.concordance(table.of_readers(reader).scores[:, 0].T)
    if isinstance(found, NotComputable):
        return Value(confidence=confidence, because=found.because)
    return Value(value=found.w, p=found.test.p, confidence=confidence)


def _arm(answered: Answered, arm: str, table: Readings, rows: Sequence[Row]) -> RankedArm:
    asked = answered.protocol.analysis
    places = [_places(row)[arm] for row in rows if arm in _places(row)]
    most = max(len(row.items) for row in rows)
    known = arm in table.modalities
    mean = value_of(pooled.mean_of(table, arm, "accuracy", asked)[0] if known else pooled.NOBODY, 1 - asked.alpha)
    mean = within(mean, 1, most).model_copy(update={"null": None, "p": None})
    return RankedArm(
        arm=arm, mean=mean, first=places.count(1.0), rankings=len(places),
        by_place=tuple(places.count(float(place)) for place in range(1, most + 1)),
    )  # fmt: skip
