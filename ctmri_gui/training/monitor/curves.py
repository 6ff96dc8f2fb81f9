"""Losses, validation, learning rate and signs of health as curves: which are shown, how smooth, and their values."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.panels.small_parts import label, naming, scrolling
from ctmri_gui.training.monitor.curve_kinds import Kind, curves_of, palette_name
from ctmri_gui.training.monitor.curve_list import CurveList
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.series import Series
from ctmri_gui.training.monitor.words import count, number
from ctmri_gui.viewer.palette import scaled

if TYPE_CHECKING:
    from ctmri_gui.training.monitor.plots import Plot

_SMOOTHEST, _USUAL = 99, 90


class Curves(QWidget):
    """Shows the curves of the record last given. `plots` is given when it has been imported; the list works before."""

    def __init__(self) -> None:
        super().__init__()
        self._module: ModuleType | None = None
        self._record = RunRecord()
        self._plan: RunPlan | None = None
        self._kinds: dict[str, Kind] = {}
        self._series: dict[str, Series] = {}
        self._reading: float | None = None
        self.plots: dict[str, Plot] = {}
        self._make_parts()
        self._lay_out()
        self._dress()

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.list = CurveList()
        self.list.chosen.connect(self._rearrange)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setRange(0, _SMOOTHEST)
        self.smoothing.setValue(_USUAL)
        self.smoothing.setAccessibleName("Smoothing of the curves, percent")
        self.smoothing.setToolTip("How far each point follows those before it; the curve itself stays behind, faintly")
        self.smoothing.valueChanged.connect(self._smooth)
        self.smoothing_words = label(wrap=False)
        self.log = QCheckBox("&Logarithmic")
        self.log.setToolTip("Equal factors take equal heights; values at or below 0 cannot be shown so")
        self.log.toggled.connect(self._scale)
        self.reset = QPushButton("Reset view")
        self.reset.setToolTip("Show all steps again (R)")
        self.reset.clicked.connect(self.reset_view)
        QShortcut(QKeySequence("R"), self, self.reset_view, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.readout = label("", "muted")
        self._empty = label("The plots are being loaded.", "muted")

    def _lay_out(self) -> None:
        tools = Flow(gap=10)
        named = naming("S&moothing", self.smoothing)
        slider = QWidget()
        row = QHBoxLayout(slider)
        row.setContentsMargins(0, 0, 0, 0)
        for part in (named, self.smoothing, self.smoothing_words):
            row.addWidget(part)
        for tool in (slider, self.log, self.reset):
            tools.addWidget(tool)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._empty)
        self._column.addStretch(0)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.list)
        self._split.addWidget(scrolling(inside, "Curves"))
        self._split.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(tools)
        column.addWidget(self._split, 1)
        column.addWidget(self.readout)

    def set_plots(self, module: ModuleType) -> None:
        """`module`: `plots`, once it is imported."""
        self._module = module
        self._rearrange()

    # What is shown ----------------------------------------------------------------------------------------------------

    def show_record(self, record: RunRecord, plan: RunPlan | None) -> None:
        """Another run: nothing stays of the one before."""
        self._record, self._plan = record, plan
        self._kinds.clear()
        self._series.clear()
        self._reading = None
        self.list.forget()
        self._rearrange()
        self.follow()
        self.reset_view()

    def follow(self) -> None:
        """Takes over what is new in the record."""
        new = False
        for kind, curve in curves_of(self._record, self._plan):
            if kind.key not in self._kinds:
                self._add(kind)
                new = True
            changed = self._series[kind.key].take(curve)
            if changed and not new and self.list.shows(kind.key):
                self._draw(kind.key)
        if new:
            self._rearrange()
        best = self._record.best.iteration if self._record.best else None
        for plot in self.plots.values():
            plot.mark(best, self._record.checkpoints)
        self._tell_values()

    def reset_view(self) -> None:
        """All steps in all plots."""
        for plot in self.plots.values():
            plot.reset()

    def read_at(self, step: float | None) -> None:
        """Shows the values at `step`, or the last ones."""
        self._reading = step
        for plot in self.plots.values():
            plot.read_at(step)
        self._tell_values()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_split"):
            self._dress()

    # Inside -----------------------------------------------------------------------------------------------------------

    @property
    def _factor(self) -> float:
        return self.smoothing.value() / 100

    def _add(self, kind: Kind) -> None:
        self._kinds[kind.key] = kind
        self._series[kind.key] = Series(self._factor if _is_noisy(kind) else 0.0)
        self.list.add(kind)

    def _rearrange(self) -> None:
        """Makes the plots that the chosen curves need, in the order of the list."""
        wanted: dict[str, dict[str, int]] = {}
        for key, kind in self._kinds.items():
            if self.list.shows(key):
                wanted.setdefault(kind.plot, {})[key] = self.list.place(key)
        self._empty.setText("" if wanted else "Tick a curve in the list." if self._kinds else "There are no curves yet.")
        if self._module is None:
            self._empty.setText("The plots are being loaded.")
            return
        self._empty.setVisible(not wanted)
        for title in self.plots.keys() - wanted.keys():
            self._remove(title)
        first: Plot | None = None
        for number_, title in enumerate(title for title in self.list.plots if title in wanted):
            plot = self.plots.get(title) or self._make(title)
            self._column.removeWidget(plot)
            self._column.insertWidget(number_, plot, 1)
            plot.set_curves(wanted[title], palette_name())
            first = first or plot
            plot.item.setXLink(None if plot is first else first.item)
            for key in wanted[title]:
                self._draw(key)
        self.read_at(self._reading)

    def _make(self, title: str) -> Plot:
        assert self._module is not None
        plot: Plot = self._module.Plot(title, self.read_at)
        plot.dress(palette_name())
        plot.set_log(self.log.isChecked())
        plot.mark(self._record.best.iteration if self._record.best else None, self._record.checkpoints)
        self.plots[title] = plot
        return plot

    def _remove(self, title: str) -> None:
        plot = self.plots.pop(title)
        plot.item.setXLink(None)
        self._column.removeWidget(plot)
        plot.hide()
        plot.deleteLater()

    def _draw(self, key: str) -> None:
        kind = self._kinds[key]
        plot = self.plots.get(kind.plot)
        if plot is not None:
            plot.draw(key, self._series[key], smoothed=_is_noisy(kind) and self._factor > 0)

    def _smooth(self) -> None:
        self.smoothing_words.setText(f"{self.smoothing.value()} %")
        for key, kind in self._kinds.items():
            if _is_noisy(kind):
                self._series[key].set_smoothing(self._factor)
                if self.list.shows(key):
                    self._draw(key)
        self._tell_values()

    def _scale(self, log: bool) -> None:
        for plot in self.plots.values():
            plot.set_log(log)
        for key in self._kinds:
            if self.list.shows(key):
                self._draw(key)

    def _tell_values(self) -> None:
        step = self._reading
        last = self._record.last_step.iteration if self._record.last_step else 0
        step = None if step is None else min(max(step, 0.0), float(last))
        place = "Last value" if step is None else f"Step {count(round(step))}"
        series = self._series.items()
        values = {key: each.last() if step is None else each.at(step) for key, each in series}
        told = {key: "" if value is None else number(value) for key, value in values.items()}
        self.list.tell(place, told)
        said = [f"{self._kinds[key].label} {value}" for key, value in told.items() if value and self.list.shows(key)]
        self.readout.setText(f"{place}: {', '.join(said)}" if said else "")

    def _dress(self) -> None:
        self.list.dress()
        self.smoothing.setMinimumWidth(scaled(90))
        self.smoothing_words.setText(f"{self.smoothing.value()} %")
        for plot in self.plots.values():
            plot.dress(palette_name())


def _is_noisy(kind: Kind) -> bool:
    """Whether smoothing tells more than it hides: not of what is measured seldom, or set."""
    return kind.key.startswith(("loss/", "signal/gradient_", "signal/judged_", "signal/loss_ratio"))
