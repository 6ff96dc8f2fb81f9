"""What came of a translation beside its picture, in its dock: maps, draws, slices to look at."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.panels.small_parts import LARGE_TEXT, label, naming
from ctmri_gui.settings import SETTINGS, Settings
from ctmri_gui.translating.draws import Draws
from ctmri_gui.translating.slice_list import SliceList
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.maps.map_model import LEAST_OPACITY, MapModel

_OPACITY = "map_opacity"
_CAVEAT = "How far the answers of one model differ is not how far they are wrong: where it is sure it may be mistaken."
_GAP = 6


class MapPart(QWidget):
    """Which map is seen, how strongly, and what it says."""

    saveAsked = Signal()

    def __init__(self, model: MapModel, views: LinkedViews, settings: Settings) -> None:
        super().__init__()
        self._model, self._settings, self._action = model, settings, views.actions_by_name["map_shown"]
        self.shown = QCheckBox()
        self.which = QComboBox()
        self.which.setAccessibleName("Map")
        self.sentence = label("", "muted")
        self.sentence.setToolTip(_CAVEAT)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(round(100 * LEAST_OPACITY), 100)
        self.opacity.setAccessibleName("Opacity of the map")
        self.limit = QDoubleSpinBox()
        self.limit.setRange(0.01, 10_000)
        self.limit.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.limit.setAccessibleName("Value with the brightest colour")
        self.limit.setToolTip("The value that has the brightest colour; higher ones have it too")
        self._to_worst = views.actions_by_name["map_worst"]
        self.worst = QPushButton("Go to highest")
        self.save = QPushButton("Save map…")
        self._lay_out()
        model.set_opacity(settings[_OPACITY] / 100)
        model.changed.connect(self._follow)
        self._action.changed.connect(self._follow)
        self.shown.clicked.connect(lambda _on: self._action.trigger())
        self.which.activated.connect(lambda _row: model.choose(self.which.currentText()))
        self.opacity.valueChanged.connect(lambda percent: model.set_opacity(percent / 100))
        self.limit.valueChanged.connect(model.set_limit)
        self.worst.clicked.connect(partial(_trigger, self._to_worst))
        self._to_worst.changed.connect(self._follow)
        self.save.clicked.connect(lambda _checked=False: self.saveAsked.emit())
        self._follow()

    def _lay_out(self) -> None:
        self.scale = naming("Scale to", self.limit)
        column = _column(self)
        column.addWidget(self.which)
        column.addWidget(self.shown)
        column.addWidget(self.sentence)
        column.addLayout(_row(naming("Opacity", self.opacity), (self.opacity, 1)))
        column.addLayout(_row(self.scale, (self.limit, 1)))
        self._buttons = _row((self.worst, 1), (self.save, 1))
        column.addLayout(self._buttons)
        self._turn_buttons()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._turn_buttons()

    def _turn_buttons(self) -> None:
        """Large text has no room for two beside one another."""
        directions = QBoxLayout.Direction
        large = self.font().pixelSize() >= LARGE_TEXT
        self._buttons.setDirection(directions.TopToBottom if large else directions.LeftToRight)

    def _follow(self) -> None:
        model, layer = self._model, self._model.chosen
        self.setVisible(layer is not None)
        if layer is None:
            return
        self.shown.setText("Over the picture" if len(model.layers) > 1 else f"Show {layer.title.lower()}")
        self.shown.setChecked(model.visible)
        self.shown.setToolTip(_with_keys(self._action))
        with QSignalBlocker(self.which):
            self.which.clear()
            self.which.addItems([one.title for one in model.layers])
            self.which.setCurrentText(layer.title)
        self.which.setVisible(len(model.layers) > 1)
        self.sentence.setText(layer.sentence)
        self.worst.setEnabled(self._to_worst.isEnabled() and layer.worst is not None)
        self.worst.setToolTip(_with_keys(self._to_worst))
        self._settings[_OPACITY] = round(100 * model.opacity)
        with QSignalBlocker(self.opacity), QSignalBlocker(self.limit):
            self.opacity.setValue(round(100 * model.opacity))
            self.limit.setDecimals(0 if layer.limit >= 10 else 2)
            self.limit.setSuffix(f" {layer.unit}")
            self.limit.setValue(layer.limit)


class DrawPart(QWidget):
    """Which of the answers is seen."""

    saveAsked = Signal()

    def __init__(self, draws: Draws, views: LinkedViews) -> None:
        super().__init__()
        self._draws, actions = draws, views.actions_by_name
        self._hold = actions["draw_hold"]
        self.text = label("", "", wrap=False)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.previous, self.next = (_arrow(actions[name], way) for name, way in (("draw_previous", -1), ("draw_next", 1)))
        self.play = QPushButton("Alternate")
        self.play.setCheckable(True)
        limits = SETTINGS["draw_rate"].limits
        assert limits is not None
        self.rate = QSpinBox(minimum=limits[0], maximum=limits[1], value=draws.rate, suffix=" per s")
        self.rate.setAccessibleName("Draws per second")
        self.save = QPushButton("Save draw…")
        self.hint = label("", "muted")
        column = _column(self)
        column.addLayout(_row(self.previous, (self.text, 1), self.next))
        column.addLayout(_row((self.play, 1), self.rate))
        column.addWidget(self.save)
        column.addWidget(self.hint)
        self.play.clicked.connect(draws.play)
        self.rate.valueChanged.connect(draws.set_rate)
        self.save.clicked.connect(lambda _checked=False: self.saveAsked.emit())
        draws.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        count = len(self._draws.answers) - 1
        self.setVisible(count > 0)
        if count <= 0:
            return
        seen, number = self._draws.seen, self._draws.number
        self.text.setText(f"Draw {seen} of {count}" if seen else f"Picture ({count} {'draw' if count == 1 else 'draws'})")
        self.play.setChecked(self._draws.playing)
        self.play.setText("Stop" if self._draws.playing else "Alternate")
        self.save.setText("Save this draw…" if number else "Save picture or draws…")
        key = self._hold.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        other = "the picture" if number else "the first draw"
        of = f"Metrics and saving are of draw {number}." if number else ""
        self.hint.setText(" ".join(part for part in (f"Hold {key} to see {other}." if key else "", of) if part))


class ResultsBox(QWidget):
    """Takes no room where there is nothing but the picture."""

    def __init__(self, maps: MapPart, draws: DrawPart) -> None:
        super().__init__()
        self.maps, self.draws = maps, draws
        self.head = label("How sure", "heading")
        self.slices = SliceList()
        self.slices_head = label("", "muted")
        column = _column(self)
        for part in (self.head, maps, draws, self.slices_head, self.slices):
            column.addWidget(part)

    def tell(self, *, slices: str) -> None:
        """`slices`: what stands over the list of slices; empty where there is none."""
        self.slices_head.setText(slices)
        self.slices_head.setVisible(bool(slices))
        self.slices.setVisible(bool(slices))
        anything = bool(slices) or not self.maps.isHidden() or not self.draws.isHidden()
        self.head.setVisible(anything)
        self.setVisible(anything)


def _arrow(action: QAction, way: int) -> QToolButton:
    press = QToolButton()
    press.setArrowType(Qt.ArrowType.LeftArrow if way < 0 else Qt.ArrowType.RightArrow)
    press.clicked.connect(partial(_trigger, action))

    def follow() -> None:
        press.setToolTip(_with_keys(action))
        press.setAccessibleName(action.text())

    action.changed.connect(follow)
    follow()
    return press


def _trigger(action: QAction, _checked: bool = False) -> None:
    action.trigger()


def _with_keys(action: QAction) -> str:
    key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    return f"{action.text()} ({key})" if key else action.text()


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(_GAP)
    return column


def _row(*parts: QWidget | tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(_GAP)
    for part in parts:
        widget, stretch = part if isinstance(part, tuple) else (part, 0)
        row.addWidget(widget, stretch)
    return row
