"""How alike synthetic and truth are in the slice shown: three numbers with their convention, or why there is none."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from ctmri_gui.viewer.metrics_follower import Scores

_NUMBERS = (
    ("SSIM", "Structural similarity: 1 is identical"),
    ("PSNR", "Peak signal-to-noise ratio: higher is more alike"),
    ("MAE", "Mean absolute error: lower is more alike"),
)
_NONE = "–"


class MetricsDock(QWidget):
    """Shows what it is given. A reason takes the place of the numbers: the two are never seen together."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metrics_dock")
        self._values = {name: QLabel(_NONE) for name, _ in _NUMBERS}
        self._slice, self._convention = _quiet_label(), _quiet_label()
        self._alignment, self._reason = _quiet_label(), QLabel()
        self._reason.setWordWrap(True)
        self._numbers = self._make_numbers()
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        for widget in (self._slice, self._numbers, self._reason, self._convention, self._alignment):
            column.addWidget(widget)
        column.addStretch(1)
        self.set_reason("Translate a scan and drop its real counterpart to compare them.")

    def set_scores(self, scores: Scores | None, slice_label: str = "") -> None:
        """The numbers of one slice; None leaves dashes until they come."""
        self._show_reason("")
        self._put(self._slice, slice_label)
        self._put(self._values["SSIM"], _number(scores.ssim, 3) if scores else _NONE)
        self._put(self._values["PSNR"], f"{_number(scores.psnr, 1)} dB" if scores else _NONE)
        self._put(self._values["MAE"], f"{_number(scores.mae, 1)} {scores.unit}" if scores else _NONE)
        if scores:
            self._put(self._convention, scores.convention)

    def set_reason(self, text: str) -> None:
        """Why there is no number, in a sentence."""
        self._put(self._slice, "")
        self._put(self._convention, "")
        self._show_reason(text)

    def set_alignment(self, outline_dice: float | None, mutual_information: float | None) -> None:
        """How well the two lie on each other: overlap of the outlines (0 to 1) and normalised mutual information (1 to 2)."""
        parts = []
        if outline_dice is not None:
            parts.append(f"outline Dice {_number(outline_dice, 2)}")
        if mutual_information is not None:
            parts.append(f"NMI {_number(mutual_information, 2)}")
        self._put(self._alignment, "Alignment: " + " · ".join(parts) if parts else "")

    def _make_numbers(self) -> QFrame:
        box = QFrame()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, meaning) in enumerate(_NUMBERS):
            title, value = _quiet_label(name), self._values[name]
            value.setProperty("role", "figure")
            value.setWordWrap(True)  # with large text a figure with its unit is wider than the dock
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(name)
            for widget in (title, value):
                widget.setToolTip(meaning)
            grid.addWidget(title, row, 0)
            grid.addWidget(value, row, 1)
        return box

    def _show_reason(self, text: str) -> None:
        self._put(self._reason, text)
        if self._numbers.isHidden() != bool(text):
            self._numbers.setVisible(not text)
            self._reason.setVisible(bool(text))

    @staticmethod
    def _put(label: QLabel, text: str) -> None:
        """An empty line takes no room."""
        if label.text() != text:
            label.setText(text)
        if label.isHidden() != (not text):
            label.setVisible(bool(text))


def _quiet_label(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label


def _number(value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return _NONE if math.isnan(value) else f"{value:.{digits}f}"
