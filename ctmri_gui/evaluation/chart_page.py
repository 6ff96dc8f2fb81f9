"""One measure of every case, drawn."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ctmri_core.evaluation.results import Evaluation, Kind
from ctmri_core.evaluation.summary import value_of
from ctmri_gui.evaluation.dot_chart import Dot, DotChart
from ctmri_gui.evaluation.figures import Words, scored_keys
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_SAID = "Each dot is one case; the line is the median. Hollow ones are left out of the means. Double click or Enter opens a case."


class ChartPage(QWidget):
    """`selected` and `openWanted` (case, model): as of the table of cases."""

    selected = Signal(int, int)
    openWanted = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._evaluation: Evaluation | None = None
        self._kind: Kind = "translation"
        self.measure, self.chart = QComboBox(), DotChart()
        self.measure.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.measure.activated.connect(lambda _row: self._draw())
        self.chart.chosen.connect(self.selected)
        self.chart.opened.connect(self.openWanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(FlowingRow(naming("&Drawn", self.measure), self.measure))
        column.addWidget(self.chart, 1)
        column.addWidget(label(_SAID, "muted"))

    def take(self, evaluation: Evaluation, kind: Kind) -> None:
        self._evaluation, self._kind = evaluation, kind
        words, before = Words(evaluation), self.measure.currentData()
        self.measure.clear()
        for key in scored_keys(evaluation, kind):
            self.measure.addItem(words.title(key, kind), key)
        wanted = self.measure.findData(before if before is not None else evaluation.main_metric)
        self.measure.setCurrentIndex(max(wanted, 0))
        self._draw()

    def _draw(self) -> None:
        there, key = self._evaluation, self.measure.currentData()
        if there is None:
            return
        words, dots = Words(there), []
        for one in there.scores if key else ():
            value = value_of(one, self._kind, key)
            if value is not None:
                dots.append(Dot(one.case, one.model, one.model - 1, value, there.case(one.case).label, one.counted))
        title = f"{words.title(key, self._kind)}, {words.better(key, self._kind)}" if key else ""
        self.chart.take(dots, [model.name for model in there.models], title, words.unit(key, self._kind) if key else "")
