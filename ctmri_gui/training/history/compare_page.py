"""Several runs above one another: their curves, their best figures, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.events import Finished
from ctmri_core.training.run_record import Curve, RunRecord
from ctmri_core.training.runs import RunSummary
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.small_parts import label, naming, scrolling
from ctmri_gui.theme import PALETTES, current_palette
from ctmri_gui.training.history.differences import compared, full_name
from ctmri_gui.training.history.history_work import read_records
from ctmri_gui.training.monitor.curve_kinds import LOSSES, Kind, curves_of, swatch
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.reading import import_plots
from ctmri_gui.training.monitor.series import Series
from ctmri_gui.viewer.palette import scaled

if TYPE_CHECKING:
    from ctmri_gui.training.monitor.plots import Plot

_SMOOTHING, _LEAST_HEIGHT = 0.9, 560
_TOP, _BELOW = 0, 1
_PLACES = ("Upper curves", "Lower curves")


class ComparePage(QWidget):
    """`show_runs`: two or more, in the order of their colours and line styles."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._latest = Latest(jobs)
        self._module: ModuleType | None = None
        self._runs: tuple[RunSummary, ...] = ()
        self._curves: dict[str, tuple[Kind, dict[int, Curve]]] = {}
        self.choices = (QComboBox(), QComboBox())
        self.plots: list[Plot] = []
        self.table = QTableWidget()
        self._words = label("", "muted")
        self._lay_out()
        jobs.run("Load plots", import_plots, on_result=self._set_plots, listed=False)

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Their curves are read in the background."""
        self._runs = tuple(runs)
        self._curves = {}
        self._fill()
        self._draw()
        self._words.setText("Reading the runs …")
        self._words.show()
        self._latest.ask("Read runs", partial(read_records, self._runs), self._take, ended=self._ended, listed=False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange) and hasattr(self, "_words") and self._runs:
            self._measure()
            self._fill()
            self._draw()

    # Building ---------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        above, chosen = QWidget(), Flow(gap=14)
        for row, (choice, name) in enumerate(zip(self.choices, _PLACES, strict=True)):
            choice.setAccessibleName(name)
            choice.activated.connect(lambda _row: self._draw())
            choice.setMinimumContentsLength(28)
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            pair = QWidget()
            line = QHBoxLayout(pair)
            line.setContentsMargins(0, 0, 0, 0)
            line.addWidget(naming(("&Upper curves:", "L&ower curves:")[row], choice))
            line.addWidget(choice)
            chosen.addWidget(pair)
        self._plots_column = QVBoxLayout()
        column = QVBoxLayout(above)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(chosen)
        column.addWidget(self._words)
        column.addLayout(self._plots_column, 1)
        self.table.setAccessibleName("What came of the runs, and the settings that differ")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.setMinimumHeight(scaled(110))
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(above)
        split.addWidget(self.table)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 1)
        split.setSizes([scaled(420), scaled(210)])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(split, "Comparison"))
        self._split = split
        self._measure()

    def _measure(self) -> None:
        """Plots that are lower than this say nothing: a small window scrolls."""
        self._split.setMinimumHeight(scaled(_LEAST_HEIGHT))

    def _set_plots(self, module: ModuleType) -> None:
        self._module = module
        for title in _PLACES:
            plot = module.Plot(title, lambda _step: None)
            self.plots.append(plot)
            self._plots_column.addWidget(plot, 1)
        self._draw()

    # Showing ----------------------------------------------------------------------------------------------------------

    def _take(self, records: tuple[RunRecord, ...]) -> None:
        """Curves by what they show; runs that have none of a kind are left out of it."""
        self._words.hide()
        for number, (run, record) in enumerate(zip(self._runs, records, strict=True)):
            record.metrics = {full_name(name, run): curve for name, curve in record.metrics.items()}
            for kind, curve in curves_of(record, run.plan):
                self._curves.setdefault(kind.key, (kind, {}))[1][number] = curve
        kinds = [kind for kind, _ in self._curves.values()]
        common = sorted(kinds, key=lambda kind: (-len(self._curves[kind.key][1]), kind.plot == LOSSES))
        wanted = [kind for kind in common if kind.shown]
        firsts = (
            next((kind for kind in wanted if kind.plot != LOSSES), None),
            next((kind for kind in wanted if kind.plot == LOSSES), None),
        )
        for choice, first in zip(self.choices, firsts, strict=True):
            choice.clear()
            for kind in common:
                choice.addItem(f"{kind.plot}: {kind.label}", kind.key)
            choice.setCurrentIndex(max(choice.findData(first.key) if first is not None else 0, 0))
        if not kinds:
            self._words.setText("None of these runs has said anything yet.")
            self._words.show()
        self._draw()

    def _ended(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self._words.setText(f"These runs cannot be compared: {end.message}")

    def _draw(self) -> None:
        name = _palette_name()
        for plot, choice in zip(self.plots, self.choices, strict=False):
            found = self._curves.get(choice.currentData() or "")
            plot.dress(name)
            if found is None:
                plot.set_curves({}, name)
                continue
            kind, curves = found
            plot.set_title(f"{kind.plot}: {kind.label}")
            plot.set_curves({str(number): number for number in curves}, name)
            for number, curve in curves.items():
                series = Series(_SMOOTHING if kind.plot == LOSSES else 0.0)
                series.take(curve)
                plot.draw(str(number), series, smoothed=kind.plot == LOSSES)
            plot.reset()

    def _fill(self) -> None:
        rows, name, high = compared(self._runs), _palette_name(), scaled(12)
        self.table.clear()
        self.table.setColumnCount(len(self._runs))
        self.table.setRowCount(len(rows))
        for column, run in enumerate(self._runs):
            head = QTableWidgetItem(swatch(column, name, high), run.folder.name)
            self.table.setHorizontalHeaderItem(column, head)
        self.table.setIconSize(swatch(0, name, high).availableSizes()[0])
        self.table.horizontalHeader().setIconSize(swatch(0, name, high).availableSizes()[0])
        self.table.setVerticalHeaderLabels([name for name, _ in rows])
        for row, (title, values) in enumerate(rows):
            for column, text in enumerate(values):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{self._runs[column].folder.name}, {title}: {text}")
                self.table.setItem(row, column, item)


def _palette_name() -> str:
    colours = current_palette()
    return next(name for name, palette in PALETTES.items() if palette is colours)
