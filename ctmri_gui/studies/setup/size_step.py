"""How large the study is to be: what is expected, how sure it is to be shown, and what that takes of patients and minutes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QCheckBox, QPushButton

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.studies.protocol import Analysis, Design
from ctmri_core.studies.request import StudyRequest, margin_problem
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.order_note import OrderNote
from ctmri_gui.studies.setup.planning_dialog import PlanningDialog
from ctmri_gui.studies.setup.step_page import StepPage, choice, decimal, number, say
from ctmri_gui.training.new_run.flowing_row import FlowingRow

if TYPE_CHECKING:
    from ctmri_core.studies.planning import SizePlan

_WORDS = "What is tested is written down before anybody has read. The numbers follow from what you expect to be true."
_TRULY = "True share of right answers: 0.5 where pictures cannot be told apart"
_EXPECTED: dict[Design, tuple[str, str, float, float, float]] = {
    "yes_no": ("&Expected accuracy", _TRULY, 0.5, 0.99, 0.65),
    "two_alternatives": ("&Expected accuracy", _TRULY, 0.5, 0.99, 0.65),
    "rank": ("&Expected share", "Of cases on which the better of two models comes first", 0.5, 0.99, 0.65),
    "grading": ("&Expected difference", "Mean grade of synthetic less that of real pictures", -4.0, 4.0, 0.0),
    "diagnosis": ("&Expected area", "Under the ROC curve, on both kinds of pictures", 0.55, 0.99, 0.85),
}  # fmt: skip
_MARGINS: dict[Design, float] = {"grading": 0.5, "diagnosis": 0.05}
_MOST_MARGIN = 0.4
"""Of a share or an area, which lie between chance and 1: with half of it anything would be equivalent."""
_FEWEST = 10


class SizeStep(StepPage):
    """`plan`: what the expected needs, as far as it is worked out."""

    def __init__(self, draft: Draft, jobs: Jobs) -> None:
        super().__init__(draft, "Size", _WORDS)
        self._jobs, self._planning = jobs, Latest(jobs)
        self._asked: object = None
        self.plan: SizePlan | None = None
        self.expected = decimal(0.5, 0.99, "", step=0.05)
        self.power = choice((("80 %", "0.8"), ("90 %", "0.9")), "How likely the study is to show it, if it is so")
        self.margin = decimal(0.01, 5, "Differences smaller than this do not matter", step=0.05)
        self.alpha = decimal(0.001, 0.2, "Two-sided level of tests", step=0.01, places=3)
        figures = (("Share of right answers", "accuracy"), ("Area under the ROC curve", "auc"))
        self.primary = choice(figures, "What is tested first")
        self.random = QCheckBox("Results hold for &other readers too")
        self.random.setToolTip("Else for these readers alone, which takes fewer")
        self.acceptable = decimal(0, 100, "A grade from here on is acceptable", step=0.5, places=1)
        self.told, self.table = label("", "muted"), QPushButton("&Table…")
        self.table.setToolTip("Trials that one reader needs, for several accuracies and margins")
        self.take = QPushButton("Ta&ke this number")
        self.cases = number(1, 2000, "Drawn by lot; patients of practice come on top", suffix=" patients")
        self.note, self.few, self.margin_note = OrderNote(draft), label("", "warning"), label("", "warning")
        form = self.form(("&Expected", self.expected), ("Po&wer", self.power), ("Mar&gin", self.margin), ("Le&vel", self.alpha),
                         ("P&rimary", self.primary), ("A&cceptable from", self.acceptable), ("", self.margin_note),
                         ("", self.random))  # fmt: skip
        self._form, self._expected_name = form, form.labelForField(self.expected)
        self.column.addWidget(self.told)
        self.column.addWidget(FlowingRow(self.take, self.table))
        self.heading("The study")
        self.form(("&In the test", self.cases), ("", self.few), ("", self.note))
        self._design: Design | None = None
        self.complete(self.cases, self.margin, self.alpha, self.primary, self.random, self.acceptable)
        self.expected.valueChanged.connect(lambda _value: self.follow())
        self.power.currentIndexChanged.connect(lambda _row: self.follow())
        self.take.clicked.connect(lambda _on=False: self._take_plan())
        self.table.clicked.connect(lambda _on=False: PlanningDialog(self, jobs, self.alpha.value()).open())
        draft.foreseenChanged.connect(self.follow)

    @property
    def problem(self) -> str:
        asked = self.draft.request
        return margin_problem(asked.design, asked.analysis, asked.questions)

    @property
    def summary(self) -> str:
        return f"{self.draft.request.cases} patients"

    def read(self) -> dict[str, Any]:
        analysis = Analysis.model_validate({
            "margin": self.margin.value(), "alpha": self.alpha.value(), "primary": self.primary.currentData(),
            "readers_random": self.random.isChecked(), "acceptable": self.acceptable.value(),
        })  # fmt: skip
        return {"cases": self.cases.value(), "analysis": analysis}

    def show_request(self) -> None:
        asked = self.draft.request
        self.cases.setValue(asked.cases)
        self.margin.setValue(asked.analysis.margin)
        self.alpha.setValue(asked.analysis.alpha)
        self.primary.setCurrentIndex(self.primary.findData(asked.analysis.primary))
        self.random.setChecked(asked.analysis.readers_random)
        self.acceptable.setValue(asked.analysis.acceptable)

    def follow(self) -> None:
        asked = self.draft.request
        if asked.design != self._design:
            self._turn(asked.design)
        few = f"With fewer than {_FEWEST} patients nobody can tell whether trivial features give pictures away."
        say(self.margin_note, self.problem)
        say(self.few, few if asked.cases < _FEWEST else "")
        self._plan()

    def _turn(self, design: Design) -> None:
        """Fields as the design has them; the usual margin where another design's usual one stands."""
        before, self._design = self._design, design
        words, tip, low, high, usual = _EXPECTED[design]
        if self._expected_name is not None:
            self._expected_name.setProperty("text", words)
        self.expected.setRange(low, high)
        self.expected.setValue(usual)
        self.expected.setToolTip(tip)
        self.expected.setAccessibleName(words.replace("&", ""))
        telling = design in ("yes_no", "two_alternatives")
        self._form.setRowVisible(self.primary, design == "yes_no")
        self._form.setRowVisible(self.acceptable, design == "grading")
        self._form.setRowVisible(self.margin, telling or design in _MARGINS)
        usual_margin = {"": 0.10} | {one: _MARGINS.get(one, 0.10) for one in _EXPECTED}
        usual_before = before is not None and abs(self.margin.value() - usual_margin[before]) < 1e-9
        self.margin.setMaximum(5.0 if design == "grading" else _MOST_MARGIN)
        if usual_before:
            self.margin.setValue(usual_margin[design])

    def _plan(self) -> None:
        """Asked anew only where something of it changed."""
        asked = (self.draft.request, self.expected.value(), self.power.currentData(), self.draft.models)
        key = (asked[0].design, asked[0].analysis, len(asked[0].readers), asked[0].display.shown, asked[0].repeats,
               asked[0].practice, asked[0].paired, *asked[1:])  # fmt: skip
        if key != self._asked:
            self._asked = key
            begin = partial(_planned, asked[0], asked[1], float(asked[2]), max(asked[3], 2 if asked[0].design == "rank" else 1))
            self._planning.ask("Plan a study", begin, self._show_plan, listed=False)

    def _show_plan(self, plan: SizePlan | NotComputable) -> None:
        self.plan = None if isinstance(plan, NotComputable) else plan
        self.take.setEnabled(self.plan is not None)
        set_role(self.told, "warning" if isinstance(plan, NotComputable) else "")
        if isinstance(plan, NotComputable):
            self.told.setText(plan.because)
            self.take.setText("Ta&ke this number")
            return
        minutes = f"about {plan.minutes:.0f} minutes for each reader"
        self.told.setText(f"{plan.cases} patients, {plan.trials} trials, {minutes}. {' '.join(plan.words)}")
        self.take.setText(f"Ta&ke {plan.cases} patients")

    def _take_plan(self) -> None:
        if self.plan is not None:
            self.cases.setValue(self.plan.cases)


def _planned(
    asked: StudyRequest, expected: float, power: float, models: int, _stop: StopSignal
) -> Work[SizePlan | NotComputable]:  # fmt: skip
    yield Progress(done=0, message="planning")
    from ctmri_core.studies.planning import size_plan

    return size_plan(
        asked.design, expected=expected, power=power, analysis=asked.analysis, readers=max(len(asked.readers), 1),
        shown=asked.display.shown, repeats=asked.repeats, practice=asked.practice, paired=asked.paired, models=models,
    )  # fmt: skip
