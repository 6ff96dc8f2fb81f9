"""What the report of a study says, in order: its verdict and what to know first, how it was made, what was found, how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ctmri_core.reporting.document import Block, Document, Paragraph, Section
from ctmri_core.reporting.wording import plural
from ctmri_core.studies.analysis.results import StudyResults
from ctmri_core.studies.pictures import Pictures
from ctmri_core.studies.report import about_tables, figures, other_tables, score_tables
from ctmri_core.studies.report.cautions import cautions
from ctmri_core.studies.report.gallery import gallery
from ctmri_core.studies.report.methods import methods
from ctmri_core.studies.report.wording import DESIGNS, arm_label

KIND = "CT-MRI Studio: reader study"
_MARK = "Research use, not for diagnosis. Confidential: says what every picture is."
_VERDICTS = (
    "Words of this report: “better than chance”, “equivalent to chance within” the margin, “not inferior”, or “inconclusive”."
    " That a test found no difference does not show that there is none; only the margin does."
)


def contents(results: StudyResults, pictures: Pictures | None = None) -> Document:
    """`pictures`: of the study, for the gallery of a closed one; without them there is none."""
    sections = (
        Section("Result", (Paragraph(results.verdict), Paragraph(_VERDICTS, small=True), *cautions(results))),
        Section("What was studied", (about_tables.facts(results), about_tables.arms_table(results))),
        Section("Flow of cases", tuple(about_tables.flow_tables(results))),
        Section("Do trivial features tell?", tuple(about_tables.leak_audit(results))),
        Section("Readers", (about_tables.readers_table(results),)),
        _section(_TITLES[results.card.protocol.design], _main(results)),
        _section("Agreement", [other_tables.agreement_table(results, results.agreement)]),
        _section("Regions, centres, readers", _groups(results)),
        _section("Time, learning, fatigue", _course(results)),
        _section("Hardest and easiest", [*gallery(results, pictures), other_tables.case_table(results, results.cases)]),
        _section("Reasons and other questions", _words(results)),
        Section("Methods", tuple(map(Paragraph, methods(results)))),
    )
    protocol = results.card.protocol
    readers = plural(len(results.readers), "reader")
    shown = sum(results.flow.shown.get("test", {}).values())
    return Document(
        kind=KIND, title=f"Reader study: {protocol.title}", mark=_MARK,
        subtitle=f"{DESIGNS[protocol.design].capitalize()}. {readers}, {plural(shown, 'picture')}. {results.made:%Y-%m-%d}.",
        sections=tuple(section for section in sections if section.blocks),
    )  # fmt: skip


_TITLES = {
    "yes_no": "Real or synthetic", "two_alternatives": "Which of two is synthetic", "rank": "Ranks", "grading": "Grades",
    "diagnosis": "Finding",
}  # fmt: skip


def _section(title: str, blocks: Iterable[Block | None]) -> Section:
    return Section(title, tuple(block for block in blocks if block is not None))


def _main(results: StudyResults) -> Iterator[Block | None]:
    if (told := results.telling) is not None:
        yield figures.forest(results, told)
        yield from score_tables.telling_tables(results, told)
        yield figures.called_figure(results, told.called)
        yield score_tables.called_table(results, told)
        yield figures.roc_figure(told.curves, "ROC curves", "synthetic")
    if (found := results.diagnosis) is not None:
        yield figures.pooled_forest(results, found.areas, "Areas by kind of picture")
        yield from score_tables.diagnosis_tables(results, found)
        for arm, curves in found.curves.items():
            yield figures.roc_figure(curves, f"ROC curves: {arm_label(arm)}", results.card.protocol.finding)
    for scale in results.scales:
        if scale.arms:
            yield figures.grades_figure(scale)
            yield from score_tables.scale_tables(results, scale)
    if results.ranking is not None:
        yield from score_tables.ranking_tables(results, results.ranking)


def _groups(results: StudyResults) -> Iterator[Block]:
    for one in results.subgroups:
        yield from score_tables.subgroup_tables(results, one)


def _words(results: StudyResults) -> Iterator[Block | None]:
    judged = results.card.protocol.design not in ("rank", "grading")
    yield other_tables.reason_table(results.reasons, judged=judged)
    yield other_tables.asked_table(results.asked)


def _course(results: StudyResults) -> Iterator[Block | None]:
    if results.course is not None:
        yield from other_tables.course_tables(results.course)
        yield figures.times_figure(results.course)
        yield figures.course_figure(results.course)
