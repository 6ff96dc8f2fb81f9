"""Title, unit and direction of better of all that an evaluation has measured, single labels (`dice:LABEL`) among it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from ctmri_core.evaluation.results import Evaluation, Kind


class MeasureWords(NamedTuple):
    """`unit`: empty for bare numbers."""

    title: str
    unit: str
    better: Literal["higher", "lower", "nearer to 0"]


OF_LABELS: Mapping[str, MeasureWords] = MappingProxyType({
    "dice": MeasureWords("Dice", "", "higher"), "hausdorff_95": MeasureWords("HD95", "mm", "lower"),
    "label_mae": MeasureWords("MAE", "", "lower"),
})  # fmt: skip
"""What is measured of a label; the unit of its MAE is the evaluation's."""


def words_of(evaluation: Evaluation, key: str, kind: Kind = "translation") -> MeasureWords:
    """What is not known goes by its key."""
    metric = evaluation.metric(key, kind)
    if metric is not None:
        return MeasureWords(metric.title, metric.unit, metric.better)
    measure, _, label = key.partition(":")
    title, unit, better = OF_LABELS.get(measure, MeasureWords(measure, "", "higher"))
    unit = evaluation.unit if measure == "label_mae" else unit
    return MeasureWords(f"{title}, {label}" if label else title, unit, better)
