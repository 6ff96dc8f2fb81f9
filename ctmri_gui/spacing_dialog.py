"""Asks how large the voxels of a picture are, which picture formats do not say."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QDoubleSpinBox, QFormLayout, QPushButton, QWidget

from ctmri_gui.panels.fitted_dialog import FittedDialog
from ctmri_gui.panels.small_parts import label, set_primary

if TYPE_CHECKING:
    from ctmri_core.geometry import Triple
    from ctmri_core.io.series import Series

_SMALLEST, _LARGEST, _DECIMALS = 0.001, 1000.0, 4
_WHY = (
    "The file does not say how large its voxels are. Lengths, shapes and translation depend on it: it stands in the "
    "original scan, often as pixel spacing and slice distance."
)


class SpacingDialog(FittedDialog):
    """`spacing`, once accepted: along (k, j, i), mm; None for "not known", which only `may_be_unknown` offers."""

    def __init__(
        self, series: Series, start: Triple | None = None, parent: QWidget | None = None, *, may_be_unknown: bool = True
    ) -> None:
        super().__init__("How large are the voxels?", "How large the voxels are", 500, parent)
        self._shape = series.shape or (1, 1, 1)
        between, row, column = start or series.spacing or (1.0, 1.0, 1.0)
        self.column = _millimetres(column, "Millimetres from pixel to pixel, left to right")
        self.row = _millimetres(row, "Millimetres from pixel to pixel, top to bottom")
        self.between = _millimetres(between, "Millimetres from slice to slice")
        self.extent = label("", "muted")
        self._unknown = False
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.use = self.buttons.addButton("Use this size", QDialogButtonBox.ButtonRole.AcceptRole)
        self._unsure: QPushButton | None = None
        if may_be_unknown:
            unknown = self.buttons.addButton("Not known: use 1 mm", QDialogButtonBox.ButtonRole.DestructiveRole)
            unknown.setToolTip("The picture stays marked: lengths in it are not real")
            unknown.clicked.connect(self.accept_unknown)
            self._unsure = unknown
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out(series)
        self._follow()
        self._prefer(self.use if start is not None else self._unsure or self.use)
        self.column.setFocus()
        self.column.selectAll()

    @property
    def spacing(self) -> Triple | None:
        return None if self._unknown else (self.between.value(), self.row.value(), self.column.value())

    def accept_unknown(self) -> None:
        self._unknown = True
        self.accept()

    def _given(self, before: float, value: float) -> None:
        if value != before:  # the Enter key tells of a value that stayed, too
            self._prefer(self.use)

    def _prefer(self, wanted: QPushButton) -> None:
        """`wanted` is what Enter presses, and stands out: a number that nobody has looked at must not become the size so."""
        wanted.setDefault(True)
        for button in filter(None, (self.use, self._unsure)):
            set_primary(button, button is wanted)

    def _lay_out(self, series: Series) -> None:
        within, form = self.within, QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Across (column to column)", self.column)
        form.addRow("Down (row to row)", self.row)
        form.addRow("Slice to slice" if self._shape[0] > 1 else "Slice thickness", self.between)
        within.addWidget(label(series.label, "heading"))
        within.addWidget(label(_WHY, "muted"))
        within.addLayout(form)
        within.addWidget(self.extent)
        self.complete_with(self.buttons)
        self._across = self.column.value()
        self.column.valueChanged.connect(self._keep_square)
        for box in (self.column, self.row, self.between):
            box.valueChanged.connect(self._follow)
            box.valueChanged.connect(partial(self._given, box.value()))
            box.lineEdit().textEdited.connect(lambda _text: self._prefer(self.use))

    def _keep_square(self, value: float) -> None:
        """Pixels are nearly always square: the second number follows the first until it is given a value of its own."""
        if self.row.value() == self._across:
            self.row.setValue(value)
        self._across = value

    def _follow(self) -> None:
        """What the numbers would mean, so that a wrong one is seen at once."""
        k, rows, columns = self._shape
        size = f"{columns * self.column.value():.0f} × {rows * self.row.value():.0f} mm"
        depth = f", {(k - 1) * self.between.value():.0f} mm from the first slice to the last" if k > 1 else ""
        self.extent.setText(f"The picture is then {size}{depth}.")


def _millimetres(value: float, name: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(_DECIMALS)
    box.setRange(_SMALLEST, _LARGEST)
    box.setSingleStep(0.05)
    box.setSuffix(" mm")
    box.setValue(value)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.setAccessibleName(name)
    return box
