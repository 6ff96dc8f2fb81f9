"""The groups of fields of `PictureDialog`: what is shown, which slices, how a film plays."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from ctmri_gui.film.cine import FASTEST, SLOWEST
from ctmri_gui.film.look import Look
from ctmri_gui.panels.small_parts import label

_SMALLEST, _LARGEST, _SHARPEST = 160, 2048, 4
_SHOWN = {
    "captions": "Captions: what each pane shows",
    "letters": "Letters of the sides, RADIOLOGICAL",
    "facts": "Position, window and scale",
    "drawings": "Crosshair, measurements, masks",
    "names": "Names of files (may name the patient)",
}
_ABOUT = {".gif": "Plays anywhere and over and over; large files.", ".mp4": "Small files for slides and browsers (H.264)."}
SUFFIXES = tuple(_ABOUT)


class LookPart(QWidget):
    """Size, and what stands on the pictures."""

    changed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.width_px, self.height_px = (_number("Pane", _SMALLEST, _LARGEST) for _ in range(2))
        self.width_px.setAccessibleName("Width of a pane")
        self.height_px.setAccessibleName("Height of a pane")
        self.sharpness = QComboBox()
        self.sharpness.setAccessibleName("Sharpness")
        self.sharpness.addItems([f"{times} ×" for times in range(1, _SHARPEST + 1)])
        self.sharpness.setToolTip("Pixels of the file for each of these: 2 × and more for print and for large screens")
        self.size_note = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(_row(self.width_px, label("×", wrap=False), self.height_px, self.sharpness))
        column.addWidget(self.size_note)
        self.shown = {name: QCheckBox(words) for name, words in _SHOWN.items()}
        for box in self.shown.values():
            column.addWidget(box)
            box.toggled.connect(self.changed)
        column.addWidget(label("Synthetic pictures always say so.", "muted"))
        self.set_look(look)
        for field in (self.width_px, self.height_px):
            field.valueChanged.connect(self.changed)
        self.sharpness.currentIndexChanged.connect(self.changed)

    @property
    def look(self) -> Look:
        shown = {name: box.isChecked() for name, box in self.shown.items()}
        return Look((self.width_px.value(), self.height_px.value()), self.sharpness.currentIndex() + 1, **shown)

    def set_look(self, look: Look) -> None:
        self.width_px.setValue(look.pane[0])
        self.height_px.setValue(look.pane[1])
        self.sharpness.setCurrentIndex(look.sharpness - 1)
        for name, box in self.shown.items():
            box.setChecked(getattr(look, name))


class SlicesPart(QWidget):
    """From, to, every so many; `columns` of a grid. Slices are counted from 1, as on the panes."""

    changed = Signal()

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.first, self.last, self.step = _number("First slice", 1, 1), _number("Last slice", 1, 1), _number("Every", 1, 1)
        self.columns = _number("Slices in a row", 1, 40)
        self.columns.setValue(columns)
        self._columns_word = label("in a row", wrap=False)
        self.note = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(_row(self.first, label("to", wrap=False), self.last, label("every", wrap=False), self.step))
        column.addLayout(_row(self.columns, self._columns_word))
        column.addWidget(self.note)
        for field in (self.first, self.last, self.step, self.columns):
            field.valueChanged.connect(self._on_changed)

    def offer(self, count: int, most: int) -> None:
        """`count` slices; no more than about `most` of them at first."""
        for field in (self.first, self.last, self.step):
            field.setMaximum(max(count, 1))
        self.first.setValue(1)
        self.last.setValue(count)
        self.step.setValue(max(-(-count // most), 1))
        self._on_changed()

    def show_columns(self, shown: bool) -> None:
        for part in (self.columns, self._columns_word):
            part.setVisible(shown)

    @property
    def slices(self) -> range:
        """Their numbers from 0; backwards where the last comes before the first."""
        first, last, step = self.first.value() - 1, self.last.value() - 1, self.step.value()
        return range(first, last + 1, step) if first <= last else range(first, last - 1, -step)

    def _on_changed(self) -> None:
        count = len(self.slices)
        self.note.setText(f"{count} slices" if count != 1 else "1 slice")
        self.changed.emit()


class PlayPart(QWidget):
    """Speed and format of a film."""

    changed = Signal()

    def __init__(self, rate: int, suffix: str, *, there_and_back: bool) -> None:
        super().__init__()
        self.rate = _number("Frames per second", SLOWEST, FASTEST)
        self.rate.setSuffix(" per s")
        self.rate.setValue(rate)
        self.turns = QCheckBox("There and back")
        self.turns.setChecked(there_and_back)
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        self.format.addItems(["GIF", "MP4"])
        self.format.setCurrentIndex(SUFFIXES.index(suffix) if suffix in SUFFIXES else 0)
        self.note = label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(_row(self.format, self.rate, self.turns))
        column.addWidget(self.note)
        self._problem = ""
        self.format.currentIndexChanged.connect(self._say)
        for changed in (self.rate.valueChanged, self.turns.toggled):
            changed.connect(self._say)
        self._say()

    def tell_problem(self, problem: str) -> None:
        """Why MP4 cannot be written here; empty where it can."""
        self._problem = problem
        self._say()

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.format.currentIndex()]

    @property
    def problem(self) -> str:
        """Why this format cannot be written."""
        return self._problem if self.suffix == ".mp4" else ""

    def _say(self) -> None:
        self.note.setText(self.problem or _ABOUT[self.suffix])
        self.changed.emit()


def _row(*parts: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return row


def _number(name: str, low: int, high: int) -> QSpinBox:
    field = QSpinBox(minimum=low, maximum=high)
    field.setAccessibleName(name)
    return field
