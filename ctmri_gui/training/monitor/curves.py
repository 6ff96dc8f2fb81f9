"""Losses, validation, learning rate and signs of health as curves: which are shown, how smooth, and their values."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSlider,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.panels.small_parts import label, naming, scrolling
from ctmri_gui.training.monitor.curve_kinds import Kind, curves_of, swatch
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.monitor.series import Series
from ctmri_gui.training.monitor.words import count, number
from ctmri_gui.viewer.palette import scaled

if TYPE_CHECKING:
    from ctmri_gui.training.monitor.plots import Plot

_SMOOTHEST, _USUAL = 99, 90
_LIST_WIDTH = 230
_KEY = Qt.ItemDataRole.UserRole


class Curves(QWidget):
    """Shows the curves of the record last given. `plots` is given when it has been imported; the list works before."""

    def __init__(self) -> None:
        super().__init__()
        self._module: ModuleType | None = None
        self._record = RunRecord()
        self._plan: RunPlan | None = None
        self._kinds: dict[str, Kind] = {}
        self._series: dict[str, Series] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._heads: dict[str, QTreeWidgetItem] = {}
        self._reading: float | None = None
        self.plots: dict[str, Plot] = {}
        self._make_parts()
        self._lay_out()
        self._dress()

    # Building ---------------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.list = QTreeWidget()
        self.list.setAccessibleName("Curves that are shown")
        self.list.setColumnCount(2)
        self.list.setHeaderLabels(["Curve", "Last value"])
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(8)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemChanged.connect(self._chosen)
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
        named = naming("&Smoothing", self.smoothing)
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
        self._items.clear()
        self._heads.clear()
        self._reading = None
        self.list.clear()
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
            if changed and not new and self._visible(kind.key):
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

    def _visible(self, key: str) -> bool:
        return self._items[key].checkState(0) == Qt.CheckState.Checked

    def _add(self, kind: Kind) -> None:
        self._kinds[kind.key] = kind
        self._series[kind.key] = Series(self._factor if _is_noisy(kind) else 0.0)
        self.list.blockSignals(True)
        head = self._heads.get(kind.plot)
        if head is None:
            head = self._heads[kind.plot] = QTreeWidgetItem(self.list, [kind.plot])
            head.setFirstColumnSpanned(True)
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            head.setToolTip(0, kind.plot)
        item = self._items[kind.key] = QTreeWidgetItem(head, [kind.label])
        item.setData(0, _KEY, kind.key)
        item.setCheckState(0, Qt.CheckState.Checked if kind.shown else Qt.CheckState.Unchecked)
        item.setIcon(0, swatch(head.indexOfChild(item), _palette(), self.list.iconSize().height()))
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
        item.setToolTip(0, f"{kind.plot}: {kind.label}")
        head.setExpanded(True)
        self.list.blockSignals(False)

    def _place(self, key: str) -> int:
        return self._heads[self._kinds[key].plot].indexOfChild(self._items[key])

    def _chosen(self, item: QTreeWidgetItem, column: int) -> None:
        if column == 0 and item.data(0, _KEY):
            self._rearrange()

    def _rearrange(self) -> None:
        """Makes the plots that the chosen curves need, in the order of the list."""
        wanted: dict[str, dict[str, int]] = {}
        for key, kind in self._kinds.items():
            if self._visible(key):
                wanted.setdefault(kind.plot, {})[key] = self._place(key)
        self._empty.setText("" if wanted else "Tick a curve in the list." if self._kinds else "There are no curves yet.")
        if self._module is None:
            self._empty.setText("The plots are being loaded.")
            return
        self._empty.setVisible(not wanted)
        for title in self.plots.keys() - wanted.keys():
            self._remove(title)
        first: Plot | None = None
        for number_, title in enumerate(head for head in self._heads if head in wanted):
            plot = self.plots.get(title) or self._make(title)
            self._column.removeWidget(plot)
            self._column.insertWidget(number_, plot, 1)
            plot.set_curves(wanted[title], _palette())
            first = first or plot
            plot.item.setXLink(None if plot is first else first.item)
            for key in wanted[title]:
                self._draw(key)
        self.read_at(self._reading)

    def _make(self, title: str) -> Plot:
        assert self._module is not None
        plot: Plot = self._module.Plot(title, self.read_at)
        plot.dress(_palette())
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
                if self._visible(key):
                    self._draw(key)
        self._tell_values()

    def _scale(self, log: bool) -> None:
        for plot in self.plots.values():
            plot.set_log(log)
        for key in self._kinds:
            if self._visible(key):
                self._draw(key)

    def _tell_values(self) -> None:
        step = self._reading
        last = self._record.last_step.iteration if self._record.last_step else 0
        step = None if step is None else min(max(step, 0.0), float(last))
        self.list.headerItem().setText(1, "Last value" if step is None else f"Step {count(round(step))}")
        said = []
        self.list.blockSignals(True)
        for key, item in self._items.items():
            value = self._series[key].last() if step is None else self._series[key].at(step)
            item.setText(1, "" if value is None else number(value))
            if value is not None and self._visible(key):
                said.append(f"{self._kinds[key].label} {number(value)}")
        self.list.blockSignals(False)
        place = "Last" if step is None else f"Step {count(round(step))}"
        self.readout.setText(f"{place}: {', '.join(said)}" if said else "")

    def _dress(self) -> None:
        side = scaled(13)
        self.list.setIconSize(QSize(2 * side, side))
        self.list.setMinimumWidth(scaled(_LIST_WIDTH))
        self.smoothing.setMinimumWidth(scaled(90))
        self.smoothing_words.setText(f"{self.smoothing.value()} %")
        for key, item in self._items.items():
            item.setIcon(0, swatch(self._place(key), _palette(), side))
        for plot in self.plots.values():
            plot.dress(_palette())


def _is_noisy(kind: Kind) -> bool:
    """Whether smoothing tells more than it hides: not of what is measured seldom, or set."""
    return kind.key.startswith(("loss/", "signal/gradient_", "signal/judged_", "signal/loss_ratio"))


def _palette() -> str:
    app = QApplication.instance()
    return str((app.property("palette_name") if app is not None else None) or "dark")
