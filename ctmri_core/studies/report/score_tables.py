"""Tables of what readers told apart: each by himself, together, by model and group; findings, grades, rankings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctmri_core.reporting.document import Block, Cell, Column, Number, Paragraph, Table, count, number
from ctmri_core.reporting.wording import probability
from ctmri_core.studies.analysis.found import (
    ALL,
    Diagnosis,
    Difference,
    Naive,
    Pooled,
    Ranking,
    ReaderScores,
    Scale,
    Subgroup,
    Telling,
)
from ctmri_core.studies.analysis.results import StudyResults
from ctmri_core.studies.report.wording import FIGURES, arm_label, margin_cell, missing, percent, span_cell, value_cell

_UNEVEN = (
    "Where both kinds are not equally many, the share of right answers is the mean of both kinds' shares (interval and test by"
    " DeLong): who always says the commoner kind is at one half."
)
_CRITERION = "Criterion: above 0 for a reader who rather says “real” (or “absent”). d′ with the log-linear correction."
_POOLED = (
    "Several readers of several pictures: Obuchowski and Rockette with Hillis's degrees of freedom. Equivalence: two one-sided"
    " tests against one half ± the margin."
)
_SEVERAL = "Verdicts and p of equivalence are corrected for the number of models (Holm); intervals are of each model alone."
_SHORT = {"accuracy": "share right", "auc": "area under ROC"}
_NAIVE = (
    "Naive: all answers of all readers as if each were of another picture. They are not, so its interval is too narrow and its"
    " p too small; it stands here for comparison with older studies only, and no verdict comes of it."
)


def reader_table(results: StudyResults, scores: Sequence[ReaderScores], title: str) -> Table:
    """One row for each reader (and arm, where there are several)."""
    asked = results.card.protocol.analysis
    arms, pairs = len({one.arm for one in scores}) > 1, results.card.protocol.design == "two_alternatives"
    interval, judged = f"{percent(1 - asked.alpha)} interval", any(one.verdict for one in scores)
    columns = (
        Column("Reader", numeric=False), *([Column("Kind", numeric=False)] if arms else []),
        Column("Right", f"of {_shown(results)}"),
        Column("Share right"), Column(interval, "exact"), Column("p", "against 0.5"),
        *([Column("Verdict", numeric=False)] if judged else []), Column("d′"),
        Column("Said left") if pairs else Column("Criterion"), Column("Area", "under ROC"), Column(interval, "area"),
    )  # fmt: skip
    rows = tuple(_reader_row(one, arms=arms, pairs=pairs, judged=judged) for one in scores)
    why = missing(*((one.reader, value) for one in scores for value in (one.accuracy, one.d_prime, one.area)))
    uneven = not pairs and any(one.counts.signals != one.counts.noises for one in scores)
    above = ("Repeats do not count.", "Side: the share of answers that said left." if pairs else _CRITERION,
             *([_UNEVEN] if uneven else []), *why)  # fmt: skip
    return Table(title, columns, rows, above, keys=2 if arms else 1)


def _reader_row(one: ReaderScores, *, arms: bool, pairs: bool, judged: bool) -> tuple[Cell, ...]:
    left = one.left.value if one.left is not None else None
    return (
        one.reader, *([arm_label(one.arm)] if arms else []), f"{one.counts.right} of {one.counts.trials}",
        value_cell(one.accuracy),
        span_cell(one.accuracy), probability(one.accuracy.p), *([one.verdict or "–"] if judged else []),
        number(one.d_prime.value, 2),
        number(left if pairs else one.criterion, 2), value_cell(one.area), span_cell(one.area),
    )  # fmt: skip


def pooled_table(results: StudyResults, pooled: Sequence[Pooled], naive: Naive | None, title: str) -> Table:
    """Readers together, and the naive count, named so."""
    asked = results.card.protocol.analysis
    chance = results.card.protocol.design != "diagnosis"
    several = any(one.p_holm is not None for one in pooled)
    columns = (
        Column("Kind", numeric=False), Column("Figure", numeric=False), Column("Value"),
        Column(f"{percent(1 - asked.alpha)} interval"), Column("p", "against 0.5"), *([Column("p", "Holm")] if several else []),
        *((Column("Verdict", numeric=False), Column(f"{percent(1 - 2 * asked.alpha)} interval", f"within ±{asked.margin:g}?"),
           Column("p", "equivalence")) if chance else ()),
        Column("df"), Column("Readers", f"× {_shown(results)}"),
    )  # fmt: skip
    rows = [_pooled_row(one, place == 0, chance=chance, several=several) for place, one in enumerate(pooled)]
    if naive is not None and chance:
        rows.append((
            "all answers", "naive, to compare", value_cell(naive.estimate), span_cell(naive.estimate),
            probability(naive.estimate.p), "none: naive", Number("–"), Number("–"), Number("–"), f"{naive.trials} answers",
        ))  # fmt: skip
    why = missing(*((FIGURES[one.figure], value) for one in pooled for value in (one.estimate, one.margin)))
    effect = f"Design effect of the naive share: {naive.design_effect:.2f}." if naive and naive.design_effect else ""
    above = (_POOLED, _SEVERAL if several else "", *([_NAIVE, effect] if naive is not None and chance else []), *why)
    return Table(title, columns, tuple(rows), tuple(filter(None, above)), keys=2)


def _pooled_row(one: Pooled, first: bool, *, chance: bool, several: bool) -> tuple[Cell, ...]:
    figure = _SHORT[one.figure] + (" (primary)" if first and one.modality == ALL else "")
    alike = one.margin.p if one.margin.p_holm is None else one.margin.p_holm
    tested = (one.verdict, span_cell(one.margin), probability(alike)) if chance else ()
    return (
        arm_label(one.modality), figure, value_cell(one.estimate), span_cell(one.estimate), probability(one.estimate.p),
        *([probability(one.p_holm)] if several else []), *tested, number(one.estimate.df, 1), f"{len(one.readers)} × {one.cases}",
    )  # fmt: skip


def _shown(results: StudyResults) -> str:
    return "pairs" if results.card.protocol.design == "two_alternatives" else "pictures"


def difference_table(title: str, differences: Sequence[Difference], confidence: float, about: str) -> Table:
    """Second less first, with Holm's correction over the table."""
    margin = any(one.margin is not None for one in differences)
    columns = (
        Column("First", numeric=False), Column("Second", numeric=False), Column("Second less first"),
        Column(f"{percent(confidence)} interval"), Column("p"), Column("p", "Holm"), Column("Compared on", numeric=False),
        *([Column("Margin", numeric=False)] if margin else []),
    )  # fmt: skip
    rows = tuple(
        (
            arm_label(one.first), arm_label(one.second), number(one.estimate.value, 3, signed=True), span_cell(one.estimate),
            probability(one.estimate.p), probability(one.p_holm), one.how, *([margin_cell(one.margin)] if margin else []),
        )
        for one in differences
    )  # fmt: skip
    why = missing(*((f"{arm_label(one.first)}, {arm_label(one.second)}", one.estimate) for one in differences))
    return Table(title, columns, rows, (about, *why), keys=2)


def telling_tables(results: StudyResults, found: Telling) -> Iterator[Block]:
    """Together first, then each reader, then models."""
    confidence = 1 - results.card.protocol.analysis.alpha
    yield pooled_table(results, found.pooled, found.naive, "Readers together")
    if found.incomplete is not None and found.incomplete.value is not None:
        yield Paragraph(
            f"With all readings, those of unfinished readers too (U-statistics), the area is {found.incomplete.value:.3f}"
            f" ({percent(confidence)} interval {span_cell(found.incomplete).text}).", small=True,
        )  # fmt: skip
    yield reader_table(results, [one for one in found.readers if one.arm == ALL], "Each reader")
    if found.by_model:
        yield pooled_table(results, found.by_model, None, "Models, readers together")
        about = "Of the share of synthetic pictures that were recognised."
        yield difference_table("Differences of models", found.differences, confidence, about)
        yield reader_table(results, [one for one in found.readers if one.arm != ALL], "Each reader, by model")


def called_table(results: StudyResults, found: Telling) -> Table | None:
    """What was said of what: the confusion matrix by arm. None for two alternatives."""
    if not found.called:
        return None
    confidence = percent(1 - results.card.protocol.analysis.alpha)
    columns = (
        Column("Pictures", numeric=False), Column("Reader", numeric=False), Column("Called real"), Column("Called synthetic"),
        Column("Share called real"), Column(f"{confidence} interval"),
    )  # fmt: skip
    rows = tuple(
        (
            arm_label(one.arm), one.reader or "all", count(one.called_real), count(one.trials - one.called_real),
            number(one.called_real / one.trials, 3), span_cell(one.share),
        )
        for one in found.called
    )  # fmt: skip
    above = (
        "Real pictures called real and synthetic ones called synthetic are right. The interval of a reader is exact; that of"
        " all is over readers and pictures.",
    )
    return Table("What was called what", columns, rows, above, keys=2)


def diagnosis_tables(results: StudyResults, found: Diagnosis) -> Iterator[Block]:
    """Areas by kind of picture, differences against the margin, each reader, marks."""
    asked = results.card.protocol.analysis
    yield pooled_table(results, found.areas, None, "Area under the ROC curve, by kind of picture")
    if found.differences:
        about = f"Not inferior where the lower end of the interval lies above −{asked.margin:g}."
        yield difference_table("Differences of areas", found.differences, 1 - asked.alpha, about)
    yield reader_table(results, found.readers, "Each reader")
    columns = (
        Column("Reader", numeric=False), Column("Kind", numeric=False), Column("Marked within the radius", "of pictures with it"),
        Column("Share"), Column(f"{percent(1 - asked.alpha)} interval", "exact"), Column("Other marks", "on all pictures"),
    )  # fmt: skip
    rows = tuple(
        (
            one.reader, arm_label(one.arm), f"{one.on_it} of {one.present}", value_cell(one.share), span_cell(one.share),
            f"{one.false_marks} on {one.pictures}",
        )
        for one in found.marked
    )  # fmt: skip
    yield Table("Marks", columns, rows, keys=2)


def scale_tables(results: StudyResults, scale: Scale) -> Iterator[Block]:
    """Means, differences against the margin, the share that is acceptable."""
    asked = results.card.protocol.analysis
    interval = f"{percent(1 - asked.alpha)} interval"
    columns = (
        Column("Kind", numeric=False), Column("Grades"), Column("Mean"), Column(interval),
        Column("Acceptable", f"{scale.acceptable:g} or more"), Column(interval), Column("Counts", "from low to high"),
    )  # fmt: skip
    rows = tuple(
        (
            arm_label(one.arm), count(one.grades), value_cell(one.mean, 2), span_cell(one.mean, 2), value_cell(one.acceptable, 2),
            span_cell(one.acceptable, 2), " / ".join(str(many) for many in one.counts.values()),
        )
        for one in scale.arms
    )  # fmt: skip
    above = f"From {scale.low:g} to {scale.high:g}, higher is better. Means and shares are over readers, of what all have graded."
    why = missing(*((arm_label(one.arm), one.mean) for one in scale.arms))
    yield Table(f"Grades: {scale.text}", columns, rows, (above, *why))
    if scale.differences:
        about = f"Not inferior where the lower end of the interval lies above −{asked.margin:g}."
        yield difference_table(f"Differences: {scale.text}", scale.differences, 1 - asked.alpha, about)
    names = (Column("Reader", numeric=False), Column("Kind", numeric=False))
    heads = (*names, *map(Column, ("Grades", "Mean", "Acceptable")))
    by_reader = tuple(
        (one.reader, arm_label(one.arm), count(one.grades), number(one.mean, 2), number(one.acceptable, 2))
        for one in scale.readers
    )
    yield Table(f"Each reader: {scale.text}", heads, by_reader, keys=2)


def ranking_tables(results: StudyResults, found: Ranking) -> Iterator[Block]:
    """Mean ranks, places, Friedman, Kendall's W, differences of all pairs."""
    confidence = 1 - results.card.protocol.analysis.alpha
    columns = (
        Column("Kind", numeric=False), Column("Mean rank", "1 is best"), Column(f"{percent(confidence)} interval"),
        Column("Best", "of rankings"), Column("How often at each place", "from best to worst"),
    )  # fmt: skip
    rows = tuple(
        (
            arm_label(one.arm), value_cell(one.mean, 2), span_cell(one.mean, 2), f"{one.first} of {one.rankings}",
            " / ".join(map(str, one.by_place)),
        )
        for one in found.arms
    )  # fmt: skip
    chi = found.friedman
    friedman = chi.because.rstrip(".")
    if chi.value is not None and chi.df is not None:
        friedman = f"Friedman χ² {chi.value:.2f}, df {chi.df:g}, p {probability(chi.p).text}"
    w = f"Kendall's W {found.w:.3f} of one mean ranking for each of {found.cases} cases." if found.w is not None else ""
    among = found.among_readers
    readers = f"Readers of one case: {among.because if among.value is None else f'mean W {among.value:.3f}.'}"
    yield Table("Ranks", columns, rows, tuple(filter(None, (f"{friedman}.", w, readers))))
    yield difference_table("Differences of mean ranks", found.differences, confidence, "Below 0 the second is ranked better.")
    heads = (Column("Reader", numeric=False), Column("W over cases"), Column("p"))
    by_reader = tuple((name, value_cell(value), probability(value.p)) for name, value in found.by_reader.items())
    yield Table("Each reader's order over cases", heads, by_reader, missing(*found.by_reader.items()))


def subgroup_tables(results: StudyResults, found: Subgroup) -> Iterator[Block]:
    """The figure in each group, then differences of all pairs."""
    confidence = 1 - results.card.protocol.analysis.alpha
    columns = (
        Column("Group", numeric=False), Column("Readers"), Column("Pictures"), Column("Value"),
        Column(f"{percent(confidence)} interval")
    )  # fmt: skip
    rows = tuple(
        (one.name, count(one.readers), count(one.cases), value_cell(one.estimate), span_cell(one.estimate))
        for one in found.groups
    )
    why = missing(*((one.name, one.estimate) for one in found.groups))
    yield Table(f"By {found.of}", columns, rows, (f"The {FIGURES[found.figure]} over readers.", *why))
    about = f"Of the {FIGURES[found.figure]}; p by Holm over these pairs."
    yield difference_table(f"Differences by {found.of}", found.differences, confidence, about)
