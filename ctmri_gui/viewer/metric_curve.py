"""A metric along the stack, with the slice shown, the worst one, and those that are unlike what the model learnt from.

Imports pyqtgraph, which takes a moment.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy

from ctmri_gui.theme import current_palette
from ctmri_gui.viewer.metric_kinds import CurveValues
from ctmri_gui.viewer.palette import font, scaled

_HEIGHT, _AXIS = 120, 44
_INTERVAL_MS = 50
_FLAGS = (0.0, 0.08)  # of the height, at the bottom
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageDown: -10, Qt.Key.Key_PageUp: 10}
_ENDS = {Qt.Key.Key_Home: -(10**9), Qt.Key.Key_End: 10**9}
_HELP = (
    "Click or drag to go to a slice. Arrow keys go one slice on, Page keys ten, Home and End to the ends."
    " Marks at the bottom: slices unlike those that the model learnt from."
)


class MetricCurve(pyqtgraph.PlotWidget):  # type: ignore[misc]  # pyqtgraph ships no types
    """Shows what it is given; slices are counted from 0 here and from 1 on the axis."""

    chosen = Signal(int)  # the slice that was clicked, or gone to by a key
    pointed = Signal(object)  # the slice under the mouse, or None

    def __init__(self) -> None:
        super().__init__()
        self._values, self._shown, self._there = CurveValues(0), 0, False
        self._soon = QTimer(self, singleShot=True, interval=_INTERVAL_MS)  # painting the plot takes longer than a slice
        self._soon.timeout.connect(self._move_cursor)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        self._line = item.plot(connect="finite")
        self._worst = item.plot(pen=None, symbol="t", symbolSize=scaled(9))
        self._flags = pyqtgraph.VTickGroup(yrange=_FLAGS)
        item.addItem(self._flags, ignoreBounds=True)
        self._cursor = pyqtgraph.InfiniteLine(angle=90, movable=False)
        item.addItem(self._cursor, ignoreBounds=True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleDescription(_HELP)
        self.setToolTip(_HELP)
        self._dress()

    def draw(self, values: CurveValues, metric: str) -> None:
        """Takes over what is known by now."""
        self._values = values
        heights, slices = values.of(metric), np.arange(1, values.count + 1)
        known = bool(np.isfinite(heights).any())
        self._line.setData(slices, heights) if known else self._line.setData([], [])
        worst = values.worst(metric)
        self._worst.setData([] if worst is None else [worst + 1], [] if worst is None else [heights[worst]])
        self._flags.setXVals([k + 1 for k in sorted(values.flagged)])
        self.getPlotItem().setXRange(0.5, max(values.count, 2) + 0.5, padding=0)
        self.getPlotItem().enableAutoRange(y=True)
        words = "" if worst is None or not values.complete else f", worst {values.text(metric, worst)}"
        flagged = f", {len(values.flagged)} slices are unlike what the model learnt from" if values.flagged else ""
        self.setAccessibleName(f"{metric} by slice{words}{flagged}")

    def show_slice(self, k: int | None) -> None:
        """Where the pane is; None: at no slice of this stack."""
        self._there, self._shown = k is not None, self._shown if k is None else k
        if not self._soon.isActive():
            self._soon.start()

    def sizeHint(self) -> QSize:
        return QSize(scaled(_HEIGHT), scaled(_HEIGHT))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        k = self._slice_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and k is not None:
            self.setFocus()
            self.chosen.emit(k)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        k = self._slice_at(event.position())
        self.pointed.emit(k)
        if event.buttons() & Qt.MouseButton.LeftButton and k is not None:
            self.chosen.emit(k)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the dock scrolls

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = (_STEPS | _ENDS).get(Qt.Key(event.key()))
        if step is None or not self._values.count:
            event.ignore()
        else:
            self.chosen.emit(min(max(self._shown + step, 0), self._values.count - 1))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_cursor"):
            self._dress()

    def _move_cursor(self) -> None:
        self._cursor.setVisible(self._there)
        self._cursor.setValue(self._shown + 1)

    def _slice_at(self, place: QPointF) -> int | None:
        if not self._values.count:
            return None
        x: float = self.getPlotItem().getViewBox().mapSceneToView(self.mapToScene(place.toPoint())).x()
        return min(max(round(x) - 1, 0), self._values.count - 1)

    def _dress(self) -> None:
        """In the colours and the size of text of now."""
        colours = current_palette()
        self.setBackground(colours.panel)
        self.setMinimumHeight(scaled(_HEIGHT))
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(colours.border)
            axis.setTextPen(colours.muted)
            axis.setTickFont(font(11))
        self.getPlotItem().getAxis("left").setWidth(scaled(_AXIS))
        self._line.setPen(pyqtgraph.mkPen(colours.accent, width=1.5))
        self._worst.setSymbolBrush(colours.warning)
        self._worst.setSymbolPen(colours.warning)
        self._flags.setPen(pyqtgraph.mkPen(colours.warning, width=2))
        self._cursor.setPen(pyqtgraph.mkPen(colours.text, width=1))
