"""Parts of the panel that serve every mask: which one and which of its regions is changed, filling, growing."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ctmri_core.domain import Domain
from ctmri_gui.panels.small_parts import TurningRow, naming
from ctmri_gui.viewer.body.body_editor import BodyEditor
from ctmri_gui.viewer.body.edited_mask import EditedMask

_FILL_TIP = "Click into the picture: what hangs together there in the slice and is about as bright becomes part of the mask"
_TOLERANCE_TIP = "How much brighter or darker than the place of the click; without HU in percent of the window shown"
_GROW_TIP = "The chosen mask, in all directions; other labels are not grown over"


class MaskChoice(QWidget):
    """Hidden where there is none but the body. `new_label`: the command that adds one to the chosen mask."""

    def __init__(self, edited: EditedMask, new_label: QAction) -> None:
        super().__init__()
        self._edited = edited
        self.more = press(new_label, "New la&bel…")
        self.which, self.part = _list("Mask to be changed"), _list("Label to be changed")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row_of(naming("Chan&ge", self.which), (self.which, 1)))
        self._regions = QWidget()
        lines = QVBoxLayout(self._regions)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(6)
        lines.addLayout(row_of(naming("&Label", self.part), (self.part, 1)))
        lines.addWidget(self.more)
        column.addWidget(self._regions)
        self.which.textActivated.connect(edited.choose)
        self.part.activated.connect(lambda row: edited.choose_region(row + 1))
        edited.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        edited = self._edited
        _show_rows(self.which, edited.names, edited.name)
        regions = edited.called
        _show_rows(self.part, regions, regions[edited.region - 1])
        self._regions.setVisible(not edited.is_body)
        self.setVisible(len(edited.names) > 1 or not edited.is_body)


class MaskTools(QWidget):
    """Fill with its tolerance, grow and shrink with their distance."""

    def __init__(self, editor: BodyEditor) -> None:
        super().__init__()
        self._editor = editor
        self.fill = switch(editor.action("body_fill"), "Fill")
        self.fill.setToolTip(_FILL_TIP)
        self.tolerance = _number("Tolerance of the fill", _TOLERANCE_TIP, 0, 1000, 0)
        self.grow, self.shrink = press(editor.action("body_grow"), "Grow"), press(editor.action("body_shrink"), "Shrink")
        self.distance = _number("Distance to grow or shrink by", _GROW_TIP, 0.5, 50, 1)
        self.distance.setSuffix(" mm")
        self.distance.setValue(editor.changes.grow_mm)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(TurningRow((self.fill, 1), (naming("±", self.tolerance), 0), (self.tolerance, 1)))
        column.addWidget(TurningRow((self.grow, 1), (self.shrink, 1), (self.distance, 1)))
        self.tolerance.valueChanged.connect(self._set_tolerance)
        self.distance.valueChanged.connect(self._set_distance)
        editor.changed.connect(self._follow)
        self._follow()

    @property
    def _in_hu(self) -> bool:
        source = self._editor.source
        return source is not None and source.domain is Domain.CT

    def _set_tolerance(self, value: float) -> None:
        if self._in_hu:
            self._editor.changes.tolerance_hu = value
        else:
            self._editor.changes.tolerance_share = value

    def _set_distance(self, value: float) -> None:
        self._editor.changes.grow_mm = value

    def _follow(self) -> None:
        changes = self._editor.changes
        with QSignalBlocker(self.tolerance):
            self.tolerance.setSuffix(" HU" if self._in_hu else " %")
            self.tolerance.setValue(changes.tolerance_hu if self._in_hu else changes.tolerance_share)


def _list(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box


def _show_rows(box: QComboBox, rows: tuple[str, ...], chosen: str) -> None:
    with QSignalBlocker(box):
        if tuple(box.itemText(row) for row in range(box.count())) != rows:
            box.clear()
            box.addItems(rows)
        box.setCurrentText(chosen)


def _number(name: str, tip: str, low: float, high: float, decimals: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setDecimals(decimals)
    box.setRange(low, high)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return box


def press(action: QAction, words: str) -> QPushButton:
    """A button that does what `action` does."""
    made = QPushButton(words)
    made.setToolTip(action.text())
    made.clicked.connect(lambda _on=False: action.trigger())
    action.changed.connect(lambda: made.setEnabled(action.isEnabled()))
    made.setEnabled(action.isEnabled())
    return made


def tick(action: QAction, words: str = "") -> QCheckBox:
    """A check box that follows `action`."""
    box = QCheckBox(words or action.text())

    def follow() -> None:
        box.setChecked(action.isChecked())
        box.setEnabled(action.isEnabled())

    action.changed.connect(follow)
    box.clicked.connect(lambda _on: action.trigger())
    follow()
    return box


def switch(action: QAction, words: str) -> QPushButton:
    """A button that stays pressed while `action` is on."""
    press = QPushButton(words)
    press.setCheckable(True)
    press.setProperty("role", "switch")
    press.setToolTip(action.text())

    def follow() -> None:
        press.setChecked(action.isChecked())
        press.setEnabled(action.isEnabled())

    action.changed.connect(follow)
    press.clicked.connect(lambda _on: action.trigger())
    follow()
    return press


def row_of(*parts: QWidget | tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for part in parts:
        widget, stretch = part if isinstance(part, tuple) else (part, 0)
        row.addWidget(widget, stretch)
    return row
