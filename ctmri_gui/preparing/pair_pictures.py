"""Both pictures of a case in one slice: alone, and held against each other before and after."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.preparing.pair_work import Planes
from ctmri_gui.preparing.pictures import WAYS, four
from ctmri_gui.training.new_run.case_view import Picture

_NAMES = ("First picture", "Other picture where it is laid", "Both before", "Both after")
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_FINE_MM, _COARSE_MM = 1.0, 5.0
_LEAST = 110


class PairPictures(QWidget):
    """`sliceWanted(int)`: another slice, feet first; `pushed(float, float)`: arrow keys, mm to the patient's left and back, while
    `takes_arrows`."""

    sliceWanted = Signal(int)
    pushed = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.takes_arrows = False
        self._planes: Planes | None = None
        self._alone = False
        self.views = [Picture(name, _LEAST) for name in _NAMES]
        self.captions = [label("", "muted", wrap=False) for _ in _NAMES]
        self.slice, self.shown = QSlider(Qt.Orientation.Horizontal), label("", "muted", wrap=False)
        self.way = QComboBox()
        for way, words in WAYS.items():
            self.way.addItem(words, way)
        for part, words in ((self.way, "How both are held together"), (self.slice, "Slice, feet first")):
            part.setAccessibleName(words)
            part.setToolTip(words)
        for view in self.views:
            view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            view.installEventFilter(self)
        self._lay_out()
        self.way.currentIndexChanged.connect(lambda _row: self._draw())
        self.slice.valueChanged.connect(self.sliceWanted)
        self.forget()

    @property
    def number(self) -> int | None:
        """Which slice is shown."""
        return None if self._planes is None else self._planes.shown

    def show_planes(self, planes: Planes, first: str, other: str) -> None:
        """`first`, `other`: what they show; without the other one the first is shown alone."""
        self._planes, self._alone = planes, not other
        with QSignalBlocker(self.slice):
            self.slice.setRange(0, planes.slices - 1)
            self.slice.setValue(planes.shown)
        self.slice.setEnabled(planes.slices > 1)
        self.shown.setText(f"{planes.shown + 1} of {planes.slices}")
        for caption, words in zip(self.captions, (first, f"{other}, where it is laid", *_NAMES[2:]), strict=True):
            caption.setText("" if self._alone and words != first else words)
        self._draw()

    def forget(self) -> None:
        """Nothing is shown."""
        self._planes = None
        self.slice.setEnabled(False)
        for part in (self.shown, *self.captions):
            part.setText("")
        for view in self.views:
            view.show_image(None, "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows push by 1 mm, with Shift by 5."""
        if not self.takes_arrows or event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        way = _ARROWS.get(Qt.Key(event.key()))
        if way is None:
            return super().eventFilter(watched, event)
        step = _COARSE_MM if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _FINE_MM
        self.pushed.emit(way[0] * step, way[1] * step)
        return True

    def _draw(self) -> None:
        if self._planes is not None:
            for view, image in zip(self.views, four(self._planes, self.way.currentData()), strict=True):
                view.show_image(None if self._alone and view is not self.views[0] else image, "")

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(4)
        for number, (view, caption) in enumerate(zip(self.views, self.captions, strict=True)):
            row, across = divmod(number, 2)
            grid.addWidget(caption, 2 * row, across)
            grid.addWidget(view, 2 * row + 1, across)
            grid.setRowStretch(2 * row + 1, 1)
            grid.setColumnStretch(across, 1)
        along = QHBoxLayout()
        along.addWidget(naming("&Slice", self.slice))
        along.addWidget(self.slice, 1)
        along.addWidget(self.shown)
        along.addWidget(self.way)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(grid, 1)
        column.addLayout(along)
