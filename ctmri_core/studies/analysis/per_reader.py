"""What one reader's answers say by themselves: counts, exact intervals, sensitivity, the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence

from ctmri_core.statistics import equivalence, intervals, roc, signal_detection
from ctmri_core.statistics.answers import Estimate, NotComputable
from ctmri_core.statistics.intervals import Proportion
from ctmri_core.studies.analysis.answered import Row
from ctmri_core.studies.analysis.found import ALL, Counted, Curve, ReaderScores, Value
from ctmri_core.studies.analysis.values import margin_of, value_of
from ctmri_core.studies.protocol import Analysis, Design
from ctmri_core.studies.truth import REAL


def counted(rows: Sequence[Row], design: Design) -> Counted:
    right = sum(row.right for row in rows)
    if design == "two_alternatives":
        return Counted(trials=len(rows), right=right)
    signals = [row for row in rows if row.signal]
    hits, alarms = sum(row.called for row in signals), sum(row.called and not row.signal for row in rows)
    return Counted(
        trials=len(rows), right=right, signals=len(signals), hits=hits, noises=len(rows) - len(signals), false_alarms=alarms
    )


def reader_scores(reader: str, rows: Sequence[Row], design: Design, asked: Analysis, arm: str = ALL) -> ReaderScores:
    """Of one reader's `rows`. Against chance by exact tests, or where kinds are not equally many by the mean of both kinds
    (`pooled.mean_of`); of two alternatives the area is the share of right pairs."""
    confidence = 1 - asked.alpha
    counts = counted(rows, design)
    accuracy: Estimate | Proportion | NotComputable
    if design != "two_alternatives" and counts.signals != counts.noises:
        bare = roc.area(*_calls(rows), confidence=confidence)
        accuracy = bare if isinstance(bare, NotComputable) else bare.area
        margin = equivalence.of_estimate(accuracy, asked.margin, alpha=asked.alpha)
    else:
        accuracy = intervals.proportion(counts.right, counts.trials, confidence=confidence)
        margin = equivalence.of_proportion(counts.right, counts.trials, asked.margin, alpha=asked.alpha)
    told = equivalence.verdict(accuracy, margin, asked.margin, asked.alpha)
    shown = ReaderScores(
        reader=reader, arm=arm, counts=counts, accuracy=value_of(accuracy, confidence), d_prime=Value(),
        margin=margin_of(margin, asked.margin, asked.alpha, 0.5), verdict=told.words if counts.trials else "",
    )  # fmt: skip
    if design == "two_alternatives":
        return shown.model_copy(update=_of_pairs(rows, counts, confidence))
    return shown.model_copy(update=_of_single(rows, counts, confidence))


def curve_of(reader: str, rows: Sequence[Row]) -> Curve | None:
    """None where one kind was not read."""
    found = roc.curve(*_scores(rows))
    if isinstance(found, NotComputable):
        return None
    return Curve(reader=reader, false_alarms=tuple(found.false_alarms.tolist()), hits=tuple(found.hits.tolist()))


def average_of(curves: Sequence[tuple[str, Sequence[Row]]]) -> tuple[Curve, ...]:
    """Of each reader, then their average where there are several."""
    made = [(reader, roc.curve(*_scores(rows))) for reader, rows in curves]
    known = [curve for _, curve in made if not isinstance(curve, NotComputable)]
    shown = [one for reader, rows in curves if (one := curve_of(reader, rows)) is not None]
    mean = roc.average_curve(known)
    if len(known) > 1 and not isinstance(mean, NotComputable):
        shown.append(Curve(reader="", false_alarms=tuple(mean.false_alarms.tolist()), hits=tuple(mean.hits.tolist())))
    return tuple(shown)


def _of_pairs(rows: Sequence[Row], counts: Counted, confidence: float) -> dict[str, object]:
    found = signal_detection.forced_choice(counts.right, counts.trials, confidence=confidence)
    left = intervals.proportion(sum(row.answer.choice == "0" for row in rows), len(rows), confidence=confidence)
    d_prime = found if isinstance(found, NotComputable) else found.d_prime
    accuracy = intervals.proportion(counts.right, counts.trials, confidence=confidence)
    return {
        "d_prime": value_of(d_prime, confidence), "left": value_of(left, confidence), "area": value_of(accuracy, confidence)
    }  # fmt: skip


def _of_single(rows: Sequence[Row], counts: Counted, confidence: float) -> dict[str, object]:
    area = value_of(roc.area(*_scores(rows), confidence=confidence), confidence)
    found = signal_detection.yes_no(
        counts.hits, counts.signals, counts.false_alarms, counts.noises, confidence=confidence
    )
    if isinstance(found, NotComputable):
        return {"area": area, "d_prime": value_of(found, confidence)}
    d_prime = value_of(found.d_prime, confidence)
    return {"area": area, "d_prime": d_prime, "criterion": found.criterion, "log_beta": found.log_beta}


def _scores(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Of cases without and with the signal."""
    return [row.score for row in rows if not row.signal], [row.score for row in rows if row.signal]


def _calls(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """As `_scores`, without how sure the reader was."""
    return [float(row.called) for row in rows if not row.signal], [float(row.called) for row in rows if row.signal]


def of_model(rows: Sequence[Row], model: str) -> list[Row]:
    """Pictures of one model with the real ones."""
    return [row for row in rows if row.item.arm in (REAL, model)]
