"""How many trials one reader needs: the table of exact binomial tests, for looking up."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QDialogButtonBox, QWidget

from ctmri_core.events import Progress, StopSignal, Work
from ctmri_core.statistics.answers import NotComputable
from ctmri_core.statistics.power import PlanningRow
from ctmri_gui.evaluation.plain_table import Cell, PlainTable
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.fitted_dialog import FittedDialog
from ctmri_gui.panels.small_parts import label

_WORDS = (
    "Independent trials of one reader; the smallest number that stays above the power for the next 60. Exact binomial test"
    " against one half, and two one-sided tests for equivalence to one half. Several readers of the same cases need fewer each,"
    " but cases count too: the step says how many."
)
_HEAD = ("What is true", "80 % power", "90 % power")


class PlanningDialog(FittedDialog):
    """Worked out when it opens."""

    def __init__(self, parent: QWidget, jobs: Jobs, alpha: float) -> None:
        super().__init__("How many trials", "How many trials", 520, parent)
        self.words, self.table = label(_WORDS, "muted"), PlainTable("Trials that are needed")
        self.said = label("Working it out …", "muted")
        for part in (self.words, self.said, self.table):
            self.within.addWidget(part)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.complete_with(buttons)
        self._asking = Latest(jobs)
        self._asking.ask("Plan a study", partial(_table, alpha), self._take, listed=False)
        self._alpha = alpha

    def _take(self, rows: tuple[PlanningRow, ...]) -> None:
        self.said.setText(f"Two-sided, at the level {self._alpha:g}.")
        self.table.fill(_HEAD, [[Cell(_true(row)), _count(row.trials_80), _count(row.trials_90)] for row in rows])
        self.adjustSize()


def _table(alpha: float, _stop: StopSignal) -> Work[tuple[PlanningRow, ...]]:
    yield Progress(done=0, message="planning")
    from ctmri_core.statistics.power import planning_table

    return planning_table(alpha=alpha)


def _true(row: PlanningRow) -> str:
    return f"{row.accuracy:g} right" if row.accuracy is not None else f"one half, equivalent within {row.margin:g}"


def _count(trials: int | NotComputable) -> Cell:
    return Cell("–", trials.because) if isinstance(trials, NotComputable) else Cell(str(trials))
