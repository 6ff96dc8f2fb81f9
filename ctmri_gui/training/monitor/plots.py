"""Curves over the steps of a run, on a common horizontal axis. Imports pyqtgraph, which takes a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pyqtgraph
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label
from ctmri_gui.theme import PALETTES
from ctmri_gui.training.monitor.plot_line import Line
from ctmri_gui.training.monitor.series import Series
from ctmri_gui.viewer.palette import font, scaled

_PAN, _ZOOM = 0.1, 0.8
_HEIGHT = 150
_FINEST = 4.0  # steps: closer nothing more is to be seen
_KEYS = "Arrows move, + and - zoom, R shows all, Shift with an arrow moves the line that reads values."


class Plot(QWidget):
    """Some curves with one vertical axis. `hovered` is called with the step under the mouse, or None."""

    def __init__(self, title: str, hovered: Callable[[float | None], None]) -> None:
        super().__init__()
        self.title = title
        self.log = False
        self._hovered = hovered
        self._lines: dict[str, Line] = {}
        self.widget = pyqtgraph.PlotWidget()
        self.item = self.widget.getPlotItem()
        self.box = self.item.getViewBox()
        self._line = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self._best = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self._checkpoints = pyqtgraph.VTickGroup(yrange=(0.0, 0.04))
        self._set_up()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._heading = label(title, "heading")
        column.addWidget(self._heading)
        column.addWidget(self.widget, 1)

    def _set_up(self) -> None:
        self.item.setMenuEnabled(False)
        self.item.hideButtons()
        self.item.showGrid(x=True, y=True, alpha=0.15)
        self.item.setClipToView(True)
        self.item.setDownsampling(auto=True, mode="peak")
        self.box.setMouseEnabled(x=True, y=False)
        self.box.setAutoVisible(y=True)
        self.box.setLimits(minXRange=_FINEST)
        for part in (self._line, self._best, self._checkpoints):
            self.item.addItem(part, ignoreBounds=True)
        self._line.hide()
        self._best.hide()
        self.widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.widget.setAccessibleName(f"Curves: {self.title}")
        self.widget.setAccessibleDescription(_KEYS)
        self.widget.setToolTip(_KEYS + " Turn the wheel or drag to zoom and move.")
        self.widget.installEventFilter(self)
        self.widget.scene().sigMouseMoved.connect(self._moved)
        self.box.sigXRangeChanged.connect(self._fit)
        self.box.sigResized.connect(self._fit)

    def set_title(self, title: str) -> None:
        """Other curves are shown from now on."""
        self.title = title
        self._heading.setText(title)
        self.widget.setAccessibleName(f"Curves: {title}")

    def dress(self, name: str) -> None:
        """In the colours of palette `name` and the present size of text."""
        colours = PALETTES[name]
        self.widget.setBackground(colours.panel)
        self.setMinimumHeight(scaled(_HEIGHT))
        for side in ("left", "bottom"):
            axis = self.item.getAxis(side)
            axis.setPen(colours.border)
            axis.setTextPen(colours.muted)
            axis.setTickFont(font(11))
        self.item.getAxis("left").setWidth(scaled(58))
        self._line.setPen(pyqtgraph.mkPen(colours.muted, width=1))
        self._best.setPen(_dashed(colours.good))
        self._checkpoints.setPen(pyqtgraph.mkPen(colours.accent, width=1))
        for line in self._lines.values():
            line.dress(name)

    def set_curves(self, places: Mapping[str, int], palette: str) -> None:
        """Shows exactly the curves whose keys are given, each drawn as its place says."""
        for key in self._lines.keys() - places.keys():
            self._lines.pop(key).remove()
        for key in places.keys() - self._lines.keys():
            self._lines[key] = Line(self.item, places[key], palette)

    def draw(self, key: str, series: Series, *, smoothed: bool) -> None:
        """Puts what there is now into the curve `key`."""
        self._lines[key].draw(series, smoothed=smoothed, log=self.log)
        self._lines[key].fit(self.box)

    def set_log(self, log: bool) -> None:
        self.log = log
        self.item.setLogMode(x=False, y=log)

    def mark(self, best: int | None, checkpoints: Sequence[int]) -> None:
        """Where the best validation was (dashed line) and checkpoints (short ticks at the foot)."""
        self._best.setVisible(best is not None)
        if best is not None:
            self._best.setValue(best)
        self._checkpoints.setXVals(list(checkpoints))

    def read_at(self, step: float | None) -> None:
        self._line.setVisible(step is not None)
        if step is not None:
            self._line.setValue(step)

    def reset(self) -> None:
        """All steps, and as much of the vertical axis as they need."""
        self.item.enableAutoRange(x=True, y=True)

    def _fit(self, *_of: object) -> None:
        for line in self._lines.values():
            line.fit(self.box)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        if event.type() == QEvent.Type.Leave:
            self._hovered(None)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        key, shift = event.key(), event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        (left, right), (low, high) = self.box.viewRange()
        aside = {Qt.Key.Key_Left: -_PAN, Qt.Key.Key_Right: _PAN}.get(Qt.Key(key))
        up = {Qt.Key.Key_Up: _PAN, Qt.Key.Key_Down: -_PAN}.get(Qt.Key(key))
        if aside is not None and shift:
            now = self._line.value() if self._line.isVisible() else (left + right) / 2
            self._hovered(min(max(now + aside / 5 * (right - left), left), right))
        elif aside is not None:
            self.box.translateBy(x=aside * (right - left))
        elif up is not None:
            self.box.translateBy(y=up * (high - low))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.box.scaleBy(x=_ZOOM)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.box.scaleBy(x=1 / _ZOOM)
        else:
            return False
        return True

    def _moved(self, place: QPointF) -> None:
        if self.box.sceneBoundingRect().contains(place):
            self._hovered(float(self.box.mapSceneToView(place).x()))
        else:
            self._hovered(None)


def _dashed(colour: str) -> QPen:
    made = pyqtgraph.mkPen(QColor(colour), width=1, style=Qt.PenStyle.DashLine)
    assert isinstance(made, QPen)
    return made
