"""A rehearsal by one press: a study of digital heads with simulated readers and a place for you."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ctmri_core.studies.protocol import Design
from ctmri_gui.panels.small_parts import label, naming, scrolling
from ctmri_gui.studies.setup.design_step import DESIGNS
from ctmri_gui.studies.studies import Studies
from ctmri_gui.training.new_run.flowing_row import FlowingRow

_WORDS = (
    "Three minutes from the first trial to the report, with digital heads, which are nobody's. Two readers are simulated and have"
    " answered already; the third place is yours. Real is the head as it was drawn; the synthetic ones waver."
)
_ORDER = (
    "1  The pictures are made (about half a minute) and the reading window opens.",
    "2  Read as many trials as you like: number keys answer, Enter goes on, F1 shows all keys.",
    "3  See the results: the study is closed, analysed and reported as any other.",
)


class RehearsalPage(QWidget):
    """`wanted(design, reads)`: one is to be made; `reads`: the reading window is to open at once."""

    wanted = Signal(str, bool)

    def __init__(self, studies: Studies) -> None:
        super().__init__()
        self._studies = studies
        self.design = QComboBox()
        for design in get_args(Design):
            self.design.addItem(DESIGNS[design][0].replace("&", ""), design)
        self.design.setToolTip("What a trial asks")
        self.start, self.skip = QPushButton("&Rehearse"), QPushButton("Without m&e")
        self.start.setProperty("primary", True)
        self.skip.setToolTip("Your part is simulated too: straight to the report")
        self.stop, self.bar, self.told = QPushButton("S&top"), QProgressBar(), label("", "muted")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of the rehearsal")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addWidget(label("Rehearsal", "title"))
        column.addWidget(label(_WORDS, "muted"))
        column.addWidget(FlowingRow(naming("A &trial asks", self.design), self.design))
        column.addWidget(FlowingRow(self.start, self.skip, self.stop))
        for part in (self.bar, self.told, *(label(words) for words in _ORDER)):
            column.addWidget(part)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Rehearsal"))
        self.start.clicked.connect(lambda _on=False: self.wanted.emit(self.design.currentData(), True))
        self.skip.clicked.connect(lambda _on=False: self.wanted.emit(self.design.currentData(), False))
        self.stop.clicked.connect(lambda _on=False: studies.stop())
        studies.changed.connect(self._show_work)
        self._show_work()

    def _show_work(self) -> None:
        running, state = self._studies.running, self._studies.state
        for part in (self.start, self.skip, self.design):
            part.setEnabled(not running)
        for sign in (self.stop, self.bar, self.told):
            sign.setVisible(running)
        if state is not None and running:
            self.stop.setEnabled(not state.stopping)
            fraction = state.fraction
            self.bar.setRange(0, 1000 if fraction is not None else 0)
            self.bar.setValue(round((fraction or 0.0) * 1000))
            self.told.setText(f"{state.title}: {state.text}")
