"""What a closed study found: the verdict, each reader, the figures of all, and the ways to report and exports."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ctmri_core.studies.analysis.found import MarginTest, Pooled, Value
from ctmri_core.studies.analysis.results import ReaderRow, StudyResults
from ctmri_core.studies.report.wording import FIGURES, arm_label
from ctmri_gui.evaluation.plain_table import Cell, PlainTable
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.setup.step_page import say
from ctmri_gui.training.monitor.flow import Flow

_INTERIM = "An interim look, which is on record: the study was not closed. It says nothing final."


class ResultsBox(QWidget):
    """`exportWanted(str)`: csv, jsonl or imrmc."""

    reportWanted = Signal()
    pdfWanted = Signal()
    exportWanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.verdict, self.interim = label("", "title"), label("", "warning")
        self.pooled, self.readers = PlainTable("Readers together"), PlainTable("Each reader")
        self.missing = label("", "muted")
        self.report, self.pdf = QPushButton("Open the re&port"), QPushButton("Open as P&DF")
        self.exports = {
            "csv": QPushButton("Export &table…"), "jsonl": QPushButton("Export JSON &lines…"),
            "imrmc": QPushButton("Export for &iMRMC…"),
        }  # fmt: skip
        self.exports["csv"].setToolTip("One row for each answer (CSV), with its entry in the record")
        self.exports["jsonl"].setToolTip("All that is known of each answer, one line each")
        self.exports["imrmc"].setToolTip("Scores as iMRMC reads them")
        ways = Flow()
        for press in (self.report, self.pdf, *self.exports.values()):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.verdict, self.interim):
            column.addWidget(part)
        column.addLayout(ways)
        for below in (self.pooled, self.readers, self.missing):
            column.addWidget(below)
        self.report.clicked.connect(lambda _on=False: self.reportWanted.emit())
        self.pdf.clicked.connect(lambda _on=False: self.pdfWanted.emit())
        for form, press in self.exports.items():
            press.clicked.connect(lambda _on=False, form=form: self.exportWanted.emit(form))

    def take(self, results: StudyResults) -> None:
        self.verdict.setText(results.verdict)
        say(self.interim, "" if results.closed else _INTERIM)
        self.exports["imrmc"].setVisible(results.closed and results.card.protocol.design in ("yes_no", "diagnosis"))
        together, reasons = list(_pooled(results)), []
        self.pooled.fill(("Readers together", "Value", "95 % interval", "p", "Verdict"), together)
        self.pooled.setVisible(bool(together))
        head, rows = _readers(results)
        self.readers.fill(head, rows)
        for row in results.readers:
            if row.kappa.because:
                reasons.append(row.kappa.because)
        say(self.missing, " ".join(dict.fromkeys((*_reasons(results), *reasons))))


def _pooled(results: StudyResults) -> Iterator[list[Cell]]:
    if results.telling is not None:
        for one in (*results.telling.pooled, *results.telling.by_model):
            yield _of_pooled(one)
    if results.diagnosis is not None:
        for one in results.diagnosis.areas:
            yield _of_pooled(one)
        for difference in results.diagnosis.differences:
            name = f"Area, {arm_label(difference.second)} less {arm_label(difference.first)}"
            yield _row(name, difference.estimate, _margin(difference.margin))
    for scale in results.scales:
        for arm in scale.arms:
            yield _row(f"{scale.text}: mean of {arm_label(arm.arm)}", arm.mean, "")
        for difference in scale.differences:
            name = f"{scale.text}: {arm_label(difference.second)} less {arm_label(difference.first)}"
            yield _row(name, difference.estimate, _margin(difference.margin))
    if results.ranking is not None:
        for ranked in results.ranking.arms:
            yield _row(f"Mean rank of {arm_label(ranked.arm)} (1 is best)", ranked.mean, f"first in {ranked.first}")


def _of_pooled(one: Pooled) -> list[Cell]:
    figure = FIGURES[one.figure]
    name = f"{figure[:1].upper()}{figure[1:]}, {arm_label(one.modality)}"
    crowd = f"{len(one.readers)} readers, {one.cases} cases of {one.patients} patients; holds for {one.holds_for}"
    corrected = "" if one.p_holm is None else f"; p {one.p_holm:.3f} corrected for the number of models (Holm), as is the verdict"
    return _row(name, one.estimate, one.verdict, crowd + corrected)


def _readers(results: StudyResults) -> tuple[tuple[str, ...], list[list[Cell]]]:
    told = {one.reader: one for one in results.telling.readers if one.arm == _all(results)} if results.telling is not None else {}
    head = ["Reader", "Answered", "Seconds", "Agrees with self"]
    if told:
        head += ["Right", "95 % interval", "p", "d′"]
    rows = []
    for reader in results.readers:
        cells = [Cell(reader.reader, _about(reader)), Cell(f"{reader.answered} of {reader.trials}"),
                 Cell("–" if reader.median_s is None else f"{reader.median_s:.1f}"), _value(reader.kappa)]  # fmt: skip
        if told:
            scores = told.get(reader.reader)
            if scores is None:
                cells += [Cell("–")] * 4
            else:
                right = f"{scores.counts.right} of {scores.counts.trials}"
                cells += [Cell(right), Cell(_span(scores.accuracy)), Cell(_p(scores.accuracy)), _value(scores.d_prime)]
        rows.append(cells)
    return tuple(head), rows


def _all(results: StudyResults) -> str:
    from ctmri_core.studies.analysis.found import ALL

    arms = {one.arm for one in results.telling.readers} if results.telling is not None else set()
    return ALL if ALL in arms else next(iter(arms), ALL)


def _about(reader: ReaderRow) -> str:
    years = "" if reader.years is None else f"{reader.years:g} years"
    return ", ".join(part for part in (years, reader.specialty) if part)


def _reasons(results: StudyResults) -> Iterator[str]:
    if results.telling is not None:
        for one in results.telling.pooled:
            if one.estimate.because:
                yield one.estimate.because


def _row(name: str, value: Value, verdict: str, tip: str = "") -> list[Cell]:
    return [Cell(name, tip), _value(value), Cell(_span(value)), Cell(_p(value)), Cell(verdict)]


def _margin(test: MarginTest | None) -> str:
    if test is None or test.low is None:
        return ""
    return "not inferior" if test.not_inferior else "inconclusive"


def _value(value: Value) -> Cell:
    return Cell("–", value.because) if value.value is None else Cell(f"{value.value:.3f}", value.because)


def _span(value: Value) -> str:
    return "–" if value.low is None or value.high is None else f"{value.low:.3f} to {value.high:.3f}"


def _p(value: Value) -> str:
    if value.p is None:
        return "–"
    return f"{value.p:.3f}" if value.p >= 0.001 else "< 0.001"
