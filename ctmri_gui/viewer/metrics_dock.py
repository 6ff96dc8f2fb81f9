"""How alike synthetic and truth are: three figures with their convention, or why there is none, and their curve by slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import TurningRow
from ctmri_gui.viewer.metric_kinds import LEAST_SHARE, METRICS, NO_NUMBER, CurveValues, Scores, number
from ctmri_gui.viewer.metric_questions import Scope
from ctmri_gui.viewer.metric_rows import Found, ModelRow
from ctmri_gui.viewer.metric_table import MetricTable

if TYPE_CHECKING:
    from ctmri_gui.viewer.metric_curve import MetricCurve


class MetricsDock(QWidget):
    """Shows what it is given. A reason takes the place of the figures: the two are never seen together.

    `worst`: the action behind the button that goes to the worst slice. `curve`: None until a curve is first shown.
    """

    scopeChosen = Signal(object)  # Scope
    sliceChosen = Signal(int)
    shown = Signal()
    hidden = Signal()

    def __init__(self, worst: QAction | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metrics_dock")
        self.curve: MetricCurve | None = None
        self.table = MetricTable(self)
        self.table.hide()
        self._whose = ""
        self._curve_values: CurveValues | None = None
        self._slice: int | None = None
        self._values = {name: QLabel(NO_NUMBER) for name in METRICS}
        self._title, self._convention = _quiet_label(), _quiet_label()
        self._names = _quiet_label()
        self._alignment, self._reason = _quiet_label(), _quiet_label()
        self._scope = _choice([scope.value for scope in Scope], "Metrics of", Scope.BODY.value)
        self._scope.currentTextChanged.connect(lambda text: self.scopeChosen.emit(Scope(text)))
        self._numbers = self._make_numbers()
        self._stack = self._make_stack(worst or QAction("Worst slice", self))
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(8)
        figures = (self._scope, self._names, self._title, self.table, self._numbers)
        for widget in (*figures, self._reason, self._convention, self._stack, self._alignment):
            column.addWidget(widget)
        column.addStretch(1)
        self.set_comparable(False)
        self.set_reason("Translate a scan and drop its real counterpart to compare them.")

    # What it is told

    @property
    def scope(self) -> Scope:
        return Scope(self._scope.currentText())

    @property
    def curve_metric(self) -> str:
        """The one along the curve."""
        return self._metric.currentText()

    def set_comparable(self, comparable: bool) -> None:
        """Whether there is anything to choose."""
        self._scope.setVisible(comparable)
        self._stack.setVisible(comparable)
        self._worst.setEnabled(comparable)

    @property
    def tabled(self) -> bool:
        """Whether it tells of several models."""
        return not self.table.isHidden()

    def set_rows(self, rows: Sequence[ModelRow], names: Sequence[str] = ()) -> None:
        """The models of the table; without any the figures of one alone. `names`: what the letters in the rows stand for."""
        self._put(self._names, "\n".join(names))
        if rows:
            self._put(self._title, "")
            self.table.set_rows(rows)
        self.table.setVisible(bool(rows))
        self._numbers.setVisible(not rows and self._reason.isHidden())

    def set_slice_scores(self, found: Found | None, title: str) -> None:
        """The figures of the table for what `title` says; None leaves those that stand there until they come."""
        self._show_reason("")
        self.table.show_slice(title, found)
        self._put_convention(_any(found))

    def set_volume_scores(self, found: Found, title: str) -> None:
        """The figures of the table for all slices."""
        self.table.show_volume(title, found)
        if self.scope is Scope.VOLUME:
            self._show_reason("")
            self._put_convention(_any(found))

    def set_scores(self, scores: Scores | None, title: str = "") -> None:
        """The figures of what `title` says; None leaves dashes until they come."""
        self._show_reason("")
        self._put(self._title, title)
        for name, metric in METRICS.items():
            text = metric.text(metric.of(scores), scores.unit) if scores else NO_NUMBER
            self._put(self._values[name], text)
        self._put_convention(scores)

    def set_reason(self, text: str) -> None:
        """Why there is no figure, in a sentence."""
        self._put(self._title, "")
        self._put(self._convention, "")
        self._show_reason(text)

    def set_alignment(self, outline_dice: float | None, mutual_information: float | None, why_not: str = "") -> None:
        """How well the two lie on each other: overlap of the outlines (0 to 1) and normalised mutual information (1 to 2);
        `why_not`: there are numbers, but none beside the truth."""
        parts = []
        if outline_dice is not None:
            parts.append(f"outline Dice {number(outline_dice, 2)}")
        if mutual_information is not None:
            parts.append(f"NMI {number(mutual_information, 2)}")
        self._put(self._alignment, "Alignment: " + " · ".join(parts) if parts else why_not)

    def set_curve(self, values: CurveValues | None, whose: str = "") -> None:
        """The curve as far as it is known; None where there is none. The first one needs pyqtgraph. `whose`: of several."""
        self._curve_values, self._whose = values, whose
        if values is not None and self.curve is None:
            self._make_curve()
        self._draw()

    def show_slice(self, k: int | None) -> None:
        """Where the panes are on the curve."""
        self._slice = k
        if self.curve is not None:
            self.curve.show_slice(k)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.hidden.emit()

    # How it is built

    def _make_numbers(self) -> QFrame:
        box = QFrame()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, metric) in enumerate(METRICS.items()):
            title, value = _quiet_label(name), self._values[name]
            value.setProperty("role", "figure")
            value.setWordWrap(True)  # with large text a figure with its unit is wider than the dock
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(name)
            for widget in (title, value):
                widget.setToolTip(metric.meaning)
            grid.addWidget(title, row, 0)
            grid.addWidget(value, row, 1)
        return box

    def _make_stack(self, worst: QAction) -> QWidget:
        """What stands about the curve."""
        box = QWidget()
        self._metric = _choice(list(METRICS), "Metric of the curve", "SSIM")
        self._metric.currentTextChanged.connect(self._draw)
        self._worst = worst
        go = QPushButton(worst.text().replace("&", ""))
        go.setToolTip(worst.toolTip())
        go.clicked.connect(worst.trigger)
        worst.changed.connect(lambda: go.setEnabled(worst.isEnabled()))
        worst.changed.connect(lambda: go.setToolTip(worst.toolTip()))
        self._curve_text = _quiet_label()
        self._curve_place = QVBoxLayout(box)
        self._curve_place.setContentsMargins(0, 4, 0, 0)
        self._curve_place.setSpacing(6)
        self._curve_place.addWidget(TurningRow((self._metric, 1), (go, 0)))
        self._curve_place.addWidget(self._curve_text)
        return box

    def _make_curve(self) -> None:
        from ctmri_gui.viewer.metric_curve import MetricCurve

        self.curve = MetricCurve()
        self.curve.chosen.connect(self.sliceChosen)
        self.curve.pointed.connect(self._tell_of)
        self.curve.show_slice(self._slice)
        self._curve_place.insertWidget(1, self.curve)

    # What it shows

    def _draw(self) -> None:
        if self.curve is not None:
            self.curve.setVisible(self._curve_values is not None)
            if self._curve_values is not None:
                self.curve.draw(self._curve_values, self.curve_metric)
        self._tell_of(None)

    def _tell_of(self, k: int | None) -> None:
        """What the curve says of a slice, else which one is the worst."""
        values, metric = self._curve_values, self.curve_metric
        if values is None:
            text = ""
        elif k is not None:
            text = f"Under the mouse: {values.text(metric, k)}"
        elif not values.complete:
            text = f"Computing … {values.known} of {values.count} slices"
        else:
            worst = values.worst(metric)
            text = "No slice can be compared." if worst is None else f"Worst: {values.text(metric, worst)}{_left_out(values)}"
        self._put(self._curve_text, f"{self._whose}: {text}" if self._whose and text else text)

    def _show_reason(self, text: str) -> None:
        self._put(self._reason, text)
        hidden = bool(text) or self.tabled
        if self._numbers.isHidden() != hidden:
            self._numbers.setVisible(not hidden)

    def _put_convention(self, scores: Scores | None) -> None:
        if scores:
            self._put(self._convention, _unbroken(scores.convention))

    @staticmethod
    def _put(label: QLabel, text: str) -> None:
        """An empty line takes no room."""
        if label.text() != text:
            label.setText(text)
        if label.isHidden() != (not text):
            label.setVisible(bool(text))


def _left_out(values: CurveValues) -> str:
    """Which slices were not asked for the worst one."""
    if not values.small:
        return ""
    count = "1 slice" if values.small == 1 else f"{values.small} slices"
    return f". Not counted: {count} with less than {100 * LEAST_SHARE:.0f} % of the pixels of the fullest one."


def _any(found: Found | None) -> Scores | None:
    """They have one convention."""
    return next((scores for scores in (found or {}).values() if scores is not None), None)


def _unbroken(text: str) -> str:
    """Keeps numbers with what belongs to them on one line."""
    return text.replace(" × ", "\u00a0×\u00a0").replace(" %", "\u00a0%")


def _quiet_label(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label


def _choice(entries: list[str], name: str, chosen: str) -> QComboBox:
    box = QComboBox()
    box.addItems(entries)
    box.setCurrentText(chosen)
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setMinimumContentsLength(4)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box
