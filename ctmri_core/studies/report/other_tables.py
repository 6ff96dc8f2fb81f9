"""Tables beside the main question: agreement, time and order, pictures, reasons, custom questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctmri_core.reporting.document import Block, Cell, Column, Paragraph, Table, count, number
from ctmri_core.reporting.wording import probability
from ctmri_core.studies.analysis.found import Agreed
from ctmri_core.studies.analysis.results import Asked, CaseScores, Course, Reason, StudyResults
from ctmri_core.studies.report.wording import arm_label, missing, percent, span_cell, value_cell

_MOST_ON_PAPER = 40
_ALIKE = (
    "Kappa falls when nearly all answers are of one kind, however well readers agree; AC1 does not. Agreement is not accuracy:"
    " readers can agree and be wrong."
)


def agreement_table(results: StudyResults, found: Sequence[Agreed]) -> Table | None:
    """Among readers, then each with himself."""
    if not found:
        return None
    columns = (
        Column("Of", numeric=False), Column("Among", numeric=False), Column("Measure", numeric=False), Column("Value"),
        Column(f"{percent(1 - results.card.protocol.analysis.alpha)} interval"), Column("Seen", "share alike"),
        Column("Pictures"),
    )  # fmt: skip
    rows = tuple(
        (
            one.of, one.reader or "readers", one.measure, value_cell(one.value), span_cell(one.value), number(one.observed, 3),
            count(one.cases),
        )
        for one in sorted(found, key=lambda one: (one.of, one.reader))
    )  # fmt: skip
    why = missing(*((one.reader or one.measure, one.value) for one in found))
    return Table("Agreement", columns, rows, (_ALIKE, *why), keys=3)


def course_tables(found: Course) -> Iterator[Block]:
    """Learning and fatigue in a sentence, times in a table."""
    odds = found.odds_of_ten
    if odds.value is not None:
        yield Paragraph(
            f"Over ten trials the odds of a right answer change by a factor of {odds.value:.3f} ({percent(odds.confidence)}"
            f" interval {span_cell(odds).text}, p {probability(odds.p).text}; logistic regression on the number of the trial with"
            " a level for each reader). Above 1 readers learn, below 1 they tire."
        )
    else:
        yield Paragraph(f"Learning and fatigue: {odds.because}")
    over = found.over_readers
    if over.value is not None:
        yield Paragraph(
            f"Readers took {over.value:+.1f} s more for synthetic than for real pictures in the median"
            f" (signed ranks over readers, p {probability(over.p).text}).".replace("-", "−")
        )
    columns = (
        Column("Reader", numeric=False), Column("Pictures", numeric=False), Column("Trials"), Column("5 %", "s"),
        Column("25 %", "s"),
        Column("Median", "s"), Column("75 %", "s"), Column("95 %", "s"), Column("p", "real against synthetic"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in found.times:
        tested = found.real_against_synthetic.get(one.reader) if not one.of else None
        seconds = (number(quantile, 1) for quantile in one.quantiles)
        p = probability(None if tested is None else tested.p)
        rows.append((one.reader or "all", one.of or "all", count(one.trials), *seconds, p))
    above = ("p: rank sums, of each reader.",) if found.real_against_synthetic else ()
    yield Table("Time for an answer", columns, tuple(rows), above, keys=2)


def case_table(results: StudyResults, found: Sequence[CaseScores]) -> Table | None:
    """All pictures, the hardest first; what each is stands in it, so only of a closed study."""
    if not found or not results.closed:
        return None
    signal = "finding" if results.card.protocol.design == "diagnosis" else "synthetic"
    columns = (
        Column("Picture", numeric=False), Column("Kind", numeric=False), Column("Case", numeric=False),
        Column("Region", numeric=False),
        Column("Right", "of readers"), Column("Share right"), Column("Mean score", f"higher: {signal}"),
        Column("Median time", "s"),
    )  # fmt: skip
    rows = tuple(
        (
            one.token[:8], arm_label(one.arm), one.case, one.region or "–", f"{one.right} of {one.readers}",
            number(one.right / one.readers, 2), number(one.mean_score, 2, signed=True), number(one.median_s, 1),
        )
        for one in found
    )  # fmt: skip
    return Table("Every picture, the hardest first", columns, rows, sortable=True, most_on_paper=_MOST_ON_PAPER)


def reason_table(found: Sequence[Reason], *, judged: bool) -> Table | None:
    """`judged`: whether answers are right or wrong."""
    if not found:
        return None
    columns = (
        Column("Reason", numeric=False), Column("On real pictures"), Column("On synthetic pictures"),
        *((Column("Answer right"), Column("Answer wrong")) if judged else ()),
    )  # fmt: skip
    rows = tuple(
        (one.tag, count(one.on_real), count(one.on_synthetic),
         *((count(one.when_right), count(one.when_wrong)) if judged else ()))
        for one in found
    )  # fmt: skip
    return Table("Reasons that readers ticked", columns, rows, ("How often; of a pair, the synthetic picture.",))


def asked_table(found: Sequence[Asked]) -> Table | None:
    if not found:
        return None
    columns = (
        Column("Question", numeric=False), Column("Pictures", numeric=False), Column("Answers"), Column("Mean"), Column("SD"),
        Column("Median"), Column("Counts", numeric=False),
    )  # fmt: skip
    rows = tuple(
        (
            one.text, arm_label(one.arm), count(one.answers), number(one.mean, 2), number(one.sd, 2), number(one.median, 2),
            ", ".join(f"{name}: {many}" for name, many in one.counts.items()) or "–",
        )
        for one in found
    )  # fmt: skip
    return Table("Other questions", columns, rows, ("Texts stand in the exported answers.",), keys=2)
