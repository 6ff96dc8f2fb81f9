"""Curves along a line and counts of two images' values. Imports pyqtgraph, which takes a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctmri_core.geometry import FloatArray
from ctmri_core.measuring.joint_histogram import JointHistogram
from ctmri_core.measuring.profile import Profile
from ctmri_core.volume import Volume
from ctmri_gui.theme import PALETTES, Palette
from ctmri_gui.viewer.palette import font, scaled
from ctmri_gui.viewer.roles import Role

_COLOURS = {  # Okabe and Ito 2008, lighter or darker where the ground asks for it
    "dark": {
        **{Role.SOURCE: "#56b4e9", Role.SYNTHETIC: "#e69f00", Role.TRUTH: "#33c9a0"},
        **{Role.SYNTHETIC_B: "#e08fc0", Role.SYNTHETIC_C: "#f0e442", Role.SYNTHETIC_D: "#b0a8ff"},
    },
    "light": {
        **{Role.SOURCE: "#0072b2", Role.SYNTHETIC: "#a85c00", Role.TRUTH: "#007a59"},
        **{Role.SYNTHETIC_B: "#94437a", Role.SYNTHETIC_C: "#6f6400", Role.SYNTHETIC_D: "#4b4bb0"},
    },
}
_SYMBOLS = {  # Qt strokes dashes that are wider than a pixel very slowly
    **{Role.SOURCE: "o", Role.SYNTHETIC: "t", Role.TRUTH: "s"},
    **{Role.SYNTHETIC_B: "d", Role.SYNTHETIC_C: "t1", Role.SYNTHETIC_D: "p"},
}
_MARKS = 12
_STEPS = 100
_KEYS = "The left and right arrow move the line that reads values; drag or turn the wheel to zoom and move."


class ProfilePlot(QWidget):
    """One curve per volume over the distance along the line; what is in HU has the left axis, what has no unit the right one.

    `pointed`: told the distance in mm that is read, or None.
    """

    def __init__(self, palette: str, pointed: Callable[[float | None], None]) -> None:
        super().__init__()
        self._palette, self._pointed = palette, pointed
        self.widget = pyqtgraph.PlotWidget()
        self.item = self.widget.getPlotItem()
        self._right = pyqtgraph.ViewBox()
        self._legend = self.item.addLegend(offset=(-10, 10), labelTextSize=f"{scaled(12)}px")
        self._reading = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self.curves: dict[Role, pyqtgraph.PlotDataItem] = {}
        self._parts: list[tuple[pyqtgraph.ViewBox, pyqtgraph.PlotDataItem]] = []
        self._length = 0.0
        self._set_up()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.widget)

    def _set_up(self) -> None:
        colours = PALETTES[self._palette]
        item = self.item
        item.setMenuEnabled(False)
        item.hideButtons()
        item.showGrid(x=True, y=True, alpha=0.15)
        item.scene().addItem(self._right)
        item.getAxis("right").linkToView(self._right)
        self._right.setXLink(item)
        item.vb.sigResized.connect(lambda: self._right.setGeometry(item.vb.sceneBoundingRect()))
        item.addItem(self._reading, ignoreBounds=True)
        self._reading.setPen(pyqtgraph.mkPen(colours.muted, width=1))
        self._reading.hide()
        _dress(self.widget, colours, ("left", "right", "bottom"))
        self._legend.setLabelTextColor(colours.text)
        self._legend.setBrush(pyqtgraph.mkBrush(colours.panel))
        self._legend.setParentItem(self._right)  # which lies over the other axis's curves
        self.widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.widget.setAccessibleName("Profile of all images along the line")
        self.widget.setAccessibleDescription(_KEYS)
        self.widget.setToolTip(_KEYS)
        self.widget.installEventFilter(self)
        self.widget.scene().sigMouseMoved.connect(self._moved)

    def draw(self, profile: Profile, volumes: Mapping[Role, Volume]) -> None:
        units = list(dict.fromkeys(volume.unit for volume in volumes.values()))
        units.sort(key=lambda unit: unit != "HU")
        self._forget()
        self._length = float(profile.distance_mm[-1])
        for place, (role, volume) in enumerate(volumes.items()):
            box = self.item.vb if volume.unit == units[0] else self._right
            self._add(box, role, profile.distance_mm, profile.values[role].astype(np.float64), place)
            self._legend.addItem(self._marked(role, [], []), f"{role.label}, {volume.label} ({volume.unit})")
        self._name_axes(volumes, units)
        self._right.enableAutoRange()
        self.item.enableAutoRange()

    def read_at(self, mm: float | None) -> None:
        self._reading.setVisible(mm is not None)
        if mm is not None:
            self._reading.setValue(mm)

    def _name_axes(self, volumes: Mapping[Role, Volume], units: list[str]) -> None:
        """`CT (HU)`, and the modality of what stands on the right."""
        self.item.setLabel("bottom", "Distance along the line (mm)")
        for side, unit in zip(("left", "right"), units, strict=False):
            kinds = dict.fromkeys(volume.domain.modality for volume in volumes.values() if volume.unit == unit)
            self.item.setLabel(side, f"{' and '.join(kinds)} ({unit})")
        self.item.showAxis("right", len(units) > 1)

    def _add(self, box: pyqtgraph.ViewBox, role: Role, x: FloatArray, y: FloatArray, place: int) -> None:
        """A line with a mark here and there, in another place than those of the other lines."""
        step = max(len(x) // _MARKS, 1)
        marks = slice(place * step // 3, None, step)
        self.curves[role] = pyqtgraph.PlotDataItem(x, y, pen=self._pen(role), connect="finite")
        for part in (self.curves[role], self._marked(role, x[marks], y[marks], line=False)):
            box.addItem(part)
            self._parts.append((box, part))

    def _forget(self) -> None:
        self._legend.clear()
        for box, part in self._parts:
            box.removeItem(part)
        self._parts.clear()
        self.curves.clear()

    def _marked(self, role: Role, x: FloatArray | list[float], y: FloatArray | list[float], *, line: bool = True) -> Any:
        colour = QColor(_COLOURS[self._palette][role])
        mark = {"symbol": _SYMBOLS[role], "symbolBrush": colour, "symbolPen": None, "symbolSize": scaled(8)}
        return pyqtgraph.PlotDataItem(x, y, pen=self._pen(role) if line else None, **mark)

    def _pen(self, role: Role) -> QPen:
        made = pyqtgraph.mkPen(QColor(_COLOURS[self._palette][role]), width=2)
        assert isinstance(made, QPen)
        return made

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._pointed(None)
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
            if step is not None and self._length:
                now = self._reading.value() if self._reading.isVisible() else self._length / 2
                self._pointed(min(max(now + step * self._length / _STEPS, 0.0), self._length))
                return True
        return super().eventFilter(watched, event)

    def _moved(self, place: QPointF) -> None:
        if self._length and self.item.vb.sceneBoundingRect().contains(place):
            mm = float(self.item.vb.mapSceneToView(place).x())
            self._pointed(mm if 0 <= mm <= self._length else None)
        else:
            self._pointed(None)


class HistogramPlot(QWidget):
    """Counts as colours, brighter for more, on a logarithmic scale."""

    def __init__(self, palette: str) -> None:
        super().__init__()
        self.widget = pyqtgraph.PlotWidget()
        self.item = self.widget.getPlotItem()
        self.picture = pyqtgraph.ImageItem(axisOrder="col-major")
        self.picture.setColorMap(pyqtgraph.colormap.get("viridis"))
        self.item.addItem(self.picture)
        self.item.setMenuEnabled(False)
        self.item.hideButtons()
        _dress(self.widget, PALETTES[palette], ("left", "bottom"))
        self.widget.setAccessibleName("Joint histogram")
        self.widget.setToolTip("Brighter: more voxels have these two values (logarithmic).")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.widget)

    def draw(self, histogram: JointHistogram, across: str, up: str) -> None:
        """`across`, `up`: what stands on the axes."""
        x, y = histogram.one_edges, histogram.other_edges
        self.picture.setImage(np.log1p(histogram.counts.astype(np.float32)))
        self.picture.setRect(QRectF(x[0], y[0], x[-1] - x[0], y[-1] - y[0]))
        self.item.setLabel("bottom", across)
        self.item.setLabel("left", up)
        self.item.enableAutoRange()


def _dress(widget: pyqtgraph.PlotWidget, colours: Palette, sides: tuple[str, ...]) -> None:
    widget.setBackground(colours.panel)
    for side in sides:
        axis = widget.getPlotItem().getAxis(side)
        axis.setPen(colours.border)
        axis.setTextPen(colours.text)
        axis.setTickFont(font(12))
        axis.label.setFont(font(12))
