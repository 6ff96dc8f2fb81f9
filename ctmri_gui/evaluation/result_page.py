"""One evaluation: what to know before, models side by side, tests between them, every case, and what leads further."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSizePolicy, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from ctmri_core.domain import Domain
from ctmri_core.evaluation.results import Evaluation, Kind
from ctmri_gui.evaluation.case_page import CasePage
from ctmri_gui.evaluation.chart_page import ChartPage
from ctmri_gui.evaluation.means import BEST_SAID, means, tests, tests_said
from ctmri_gui.evaluation.plain_table import PlainTable
from ctmri_gui.evaluation.problem_box import ProblemBox
from ctmri_gui.panels.small_parts import label, naming, nothing_yet, scrolling
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_KINDS: tuple[tuple[Kind, str], ...] = (("translation", "Translation against the truth"), ("cycle", "There and back (cycle)"))
_CYCLE_SAID = (
    "There and back: the source against what a second model made of the result. It says how much of a picture survives, not"
    " whether its translation is right."
)
MEANS, TESTS, CASES, CHART = range(4)


class ResultPage(QWidget):
    """`caseWanted(case, model)`: it is to be looked at in the viewer. Other signals are those of the buttons."""

    caseWanted = Signal(int, int)
    newWanted = Signal()
    reportWanted = Signal()
    pdfWanted = Signal()
    folderWanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.evaluation: Evaluation | None = None
        self.title, self.facts = label("", "title"), label("", "muted")
        self.problems, self.conventions = ProblemBox(), label("", "muted")
        self.kind, self.centre = QComboBox(), QComboBox()
        self._kind_name, self._centre_name = naming("&Scores", self.kind), naming("C&entre", self.centre)
        self.means, self.tests = PlainTable("Means over patients, models side by side"), PlainTable("Tests between models")
        self.cycle_said, self.tests_said = label(_CYCLE_SAID, "warning"), label("", "muted")
        self.best_said = label(BEST_SAID, "muted")
        self.cases, self.chart = CasePage(), ChartPage()
        self.tabs = QTabWidget()
        self.open = _press("&Look at the case", "The selected case in the viewer, at its worst slice (Enter)", primary=True)
        self.report = _press("Open &report", "Makes the report and opens it in the browser")
        self.pdf = _press("Save &PDF…", "Saves the report as PDF")
        self.show_folder = _press("Show &folder", "Tables (CSV), numbers (JSON) and pictures lie there")
        self._lay_out()
        self._connect()

    @property
    def shown_kind(self) -> Kind:
        return _KINDS[1][0] if self.kind.currentData() == "cycle" else _KINDS[0][0]

    def take(self, evaluation: Evaluation) -> None:
        """Shows it."""
        self.evaluation = evaluation
        way = " → ".join(Domain(name).label for name in (evaluation.source, evaluation.target))
        self.title.setText(f"{way}, {', '.join(model.name for model in evaluation.models)}")
        self.facts.setText(" · ".join(_facts(evaluation)))
        self.problems.take(evaluation)
        self.conventions.setText("\n".join(evaluation.conventions))
        self.kind.clear()
        for kind, words in _KINDS:
            if kind == "translation" or any(one.cycle for one in evaluation.scores):
                self.kind.addItem(words, kind)
        self.centre.clear()
        for words, centre in (("All centres", ""), *((each, each) for each in evaluation.centres)):
            self.centre.addItem(words, centre)
        self._choices.setVisible(self.kind.count() > 1 or self.centre.count() > 1)
        for part, box in ((self._kind_name, self.kind), (self._centre_name, self.centre)):
            for each in (part, box):
                each.setVisible(box.count() > 1)
        self._pages.setCurrentIndex(1)
        self._fill()

    def _show_centre(self) -> None:
        self._fill_means()
        self.cases.show_centre(self.centre.currentData() or "")

    def _fill(self) -> None:
        there, kind = self.evaluation, self.shown_kind
        if there is None:
            return
        self.cycle_said.setVisible(kind == "cycle")
        self._fill_means()
        self.best_said.setVisible(len(there.models) > 1)
        head, rows = tests(there, kind)
        self.tests.fill(head, rows)
        self.tests_said.setText(tests_said(there))
        self.tabs.setTabVisible(TESTS, bool(rows))
        self.cases.take(there, kind)
        self.cases.show_centre(self.centre.currentData() or "")
        self.chart.take(there, kind)

    def _fill_means(self) -> None:
        if self.evaluation is not None:
            self.means.fill(*means(self.evaluation, self.shown_kind, self.centre.currentData() or ""))

    def show_case(self, case: int) -> None:
        """In the table."""
        if self.evaluation is not None and self.centre.currentData() not in ("", self.evaluation.case(case).centre):
            self.centre.setCurrentIndex(0)
            self._show_centre()
        self.cases.select(case, 1)
        self.tabs.setCurrentIndex(CASES)
        self._show_tab()

    def _show_tab(self) -> None:
        """As much of it as a small window has room for."""
        bottom = self.tabs.geometry().bottomLeft()
        self._area.ensureVisible(0, bottom.y(), 0, 0)

    def _lay_out(self) -> None:
        self._choices = FlowingRow(self._kind_name, self.kind, self._centre_name, self.centre)
        for box in (self.kind, self.centre):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.tabs.setProperty("role", "views")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(_tab(self.means, self.best_said), "&Means")
        self.tabs.addTab(_tab(self.tests_said, self.tests), "&Tests")
        self.tabs.addTab(self.cases, "&Cases")
        self.tabs.addTab(self.chart, "C&hart")
        self.tabs.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        ways = Flow()
        for press in (self.open, self.report, self.pdf, self.show_folder):
            ways.addWidget(press)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setSpacing(8)
        for part in (self.title, self.facts, self.problems, self.conventions, self._choices, self.cycle_said):
            column.addWidget(part)
        column.addWidget(self.tabs, 1)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 4)
        self._area = scrolling(inside, "Evaluation")
        outer.addWidget(self._area, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(10, 0, 10, 4)
        foot.addLayout(ways)
        outer.addLayout(foot)
        self.begin = QPushButton("Set up an &evaluation")
        self.begin.setProperty("primary", True)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(nothing_yet("No evaluation is shown yet. Set one up, or open one of those before.", self.begin))
        self._pages.addWidget(whole)

    def _connect(self) -> None:
        self.tabs.tabBarClicked.connect(lambda _tab: self._show_tab())
        self.kind.activated.connect(lambda _row: self._fill())
        self.centre.activated.connect(lambda _row: self._show_centre())
        self.problems.chosen.connect(self.show_case)
        self.cases.openWanted.connect(self.caseWanted)
        self.cases.selected.connect(self.chart.chart.select)
        self.chart.selected.connect(self.cases.select)
        self.chart.openWanted.connect(self.caseWanted)
        self.open.clicked.connect(self.cases.open_current)
        self.begin.clicked.connect(self.newWanted)
        self.report.clicked.connect(self.reportWanted)
        self.pdf.clicked.connect(self.pdfWanted)
        self.show_folder.clicked.connect(self.folderWanted)


def _facts(evaluation: Evaluation) -> list[str]:
    data = evaluation.data
    counted = {one.case for one in evaluation.scores if one.counted}
    patients = len({evaluation.case(case).patient for case in counted})
    parts = [data.what, f"{data.side} patients" if data.side and data.side != "all" else ""]
    of = "1 patient" if patients == 1 else f"{patients} patients"
    parts.append(f"{len(counted)} of {len(evaluation.cases)} cases count, of {of}")
    parts.append(f"{evaluation.made.astimezone():%Y-%m-%d %H:%M}")
    return [part for part in parts if part]


def _tab(*parts: PlainTable | QLabel) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(8, 8, 8, 8)
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    return page


def _press(words: str, tip: str, *, primary: bool = False) -> QPushButton:
    made = QPushButton(words)
    made.setToolTip(tip)
    made.setProperty("primary", primary)
    return made
