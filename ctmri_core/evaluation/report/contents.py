"""What the report of an evaluation says, in order: what to know first, what was evaluated, scores, pictures, every case."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ctmri_core.evaluation.report.agreement_figures import bland_altman, calibration_figure, calibration_table
from ctmri_core.evaluation.report.case_figures import case_figures
from ctmri_core.evaluation.report.cautions import cautions
from ctmri_core.evaluation.report.patients import patients
from ctmri_core.evaluation.report.score_figures import distributions
from ctmri_core.evaluation.report.tables import (
    case_table,
    centre_table,
    comparison_table,
    label_table,
    measures_table,
    models_table,
    set_table,
    summary_table,
)
from ctmri_core.evaluation.report.wording import way
from ctmri_core.evaluation.results import Evaluation, Kind
from ctmri_core.reporting.document import Block, Document, Facts, Figure, Paragraph, Section, Table
from ctmri_core.reporting.wording import plural

KIND = "CT-MRI Studio: evaluation"
_MARK = "Synthetic images. Research use, not for diagnosis."
_TRANSLATION = "Synthetic pictures against the real ones of the same patients."
_CYCLE = (
    "Sources against what comes back of them when they are translated there and back. It says how much of a picture survives, not"
    " whether its translation is right: a model that changes nothing scores best. Never to be compared with the scores above."
)
_DETAILS = ("program", "program_version", "version", "device", "precision")
"""What is told of `Evaluation.details`; how it was asked for may hold names of files."""


def contents(evaluation: Evaluation, folder: Path) -> Document:
    """`folder`: in which the pictures are."""
    sections = (
        Section("Know this first", cautions(evaluation)),
        Section("What was evaluated", (_facts(evaluation), models_table(evaluation))),
        _scores(evaluation, "translation", "Scores of translations", _TRANSLATION),
        _section("Agreement with the truth", [bland_altman(evaluation)]),
        _section("Best, median and worst cases", case_figures(evaluation, folder)),
        _section("Uncertainty", [calibration_figure(evaluation), calibration_table(evaluation)]),
        _scores(evaluation, "cycle", "There and back (cycle)", _CYCLE),
        _section("Every case", [case_table(evaluation, "translation"), case_table(evaluation, "cycle")]),
        Section("How measures are taken", (measures_table(evaluation),)),
    )
    made = f"{evaluation.made:%Y-%m-%d %H:%M} {evaluation.made.tzname() or ''}".strip()
    counts = f"{plural(len(evaluation.models), 'model')}, {plural(len(evaluation.cases), 'case')}"
    return Document(
        kind=KIND, title=f"Evaluation: {way(evaluation)}", mark=_MARK,
        subtitle=f"{counts} of {plural(patients(evaluation), 'patient')}. Evaluated {made}.",
        sections=tuple(section for section in sections if section.blocks),
    )  # fmt: skip


def _section(title: str, blocks: Iterable[Block | None]) -> Section:
    return Section(title, tuple(block for block in blocks if block is not None))


def _scores(evaluation: Evaluation, kind: Kind, title: str, about: str) -> Section:
    first = kind == "translation"
    blocks: list[Table | Figure | None] = [
        summary_table(evaluation, kind, "Summary over patients"),
        distributions(evaluation, kind),
        comparison_table(evaluation, kind),
        label_table(evaluation) if first else None,
        set_table(evaluation) if first else None,
        centre_table(evaluation, kind),
    ]
    held = [block for block in blocks if block is not None]
    return Section(title, (Paragraph(about), *held) if held else ())


def _facts(evaluation: Evaluation) -> Facts:
    data = evaluation.data
    counted = {scores.case for scores in evaluation.scores if scores.counted}
    side = {"all": "all of it", "": ""}.get(data.side, f"{data.side} side of the split")
    pairs = [
        ("Data", ", ".join(filter(None, (data.what, side)))),
        ("Translation", way(evaluation)),
        ("Cases", f"{len(evaluation.cases)} of {plural(patients(evaluation), 'patient')}; {len(counted)} in summaries"),
        ("Centres", ", ".join(evaluation.centres)),
        ("Conventions", " ".join(evaluation.conventions)),
        ("Evaluated", f"{evaluation.made:%Y-%m-%d %H:%M} {evaluation.made.tzname() or ''}".strip()),
        *((name.replace("_", " ").capitalize(), str(evaluation.details.get(name, ""))) for name in _DETAILS),
    ]
    return Facts(tuple((name, told) for name, told in pairs if told))
