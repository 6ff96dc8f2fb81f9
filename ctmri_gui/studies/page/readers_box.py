"""Who reads, and how far they are: never how well. Reading begins here, goes out in files, and comes back."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QAbstractItemView, QPushButton, QVBoxLayout, QWidget

from ctmri_gui.evaluation.plain_table import Cell, PlainTable
from ctmri_gui.panels.small_parts import label
from ctmri_gui.studies.setup.step_page import say
from ctmri_gui.studies.study_state import ReaderState, StudyState
from ctmri_gui.training.monitor.flow import Flow

_HEAD = ("Reader", "Answered", "State", "Last answer")


class ReadersBox(QWidget):
    """Signals carry the selected reader's code."""

    readWanted = Signal(str)
    packWanted = Signal(str)
    addWanted = Signal()
    mergeWanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: StudyState | None = None
        self._busy = False
        self.table = PlainTable("Readers and how far they are")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.merged = label("", "muted")
        self.read, self.pack = QPushButton("&Read here"), QPushButton("&Pack for this reader…")
        self.add, self.merge = QPushButton("&Add a reader…"), QPushButton("&Take in answers…")
        self.read.setProperty("primary", True)
        self.read.setToolTip("Opens the reading window for the selected reader, in a process of its own (Enter)")
        self.pack.setToolTip("One file with all that this reader needs, without the truth, to be read on another machine")
        self.add.setToolTip("One more reader; that he came later goes on record")
        self.merge.setToolTip("Files that readers sent back")
        ways = Flow()
        for press in (self.read, self.pack, self.add, self.merge):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(label("Readers", "heading"))
        column.addWidget(self.table)
        column.addWidget(self.merged)
        column.addLayout(ways)
        self.read.clicked.connect(lambda _on=False: self._send(self.readWanted))
        self.pack.clicked.connect(lambda _on=False: self._send(self.packWanted))
        self.add.clicked.connect(lambda _on=False: self.addWanted.emit())
        self.merge.clicked.connect(lambda _on=False: self.mergeWanted.emit())
        self.table.itemActivated.connect(lambda _item: self.read.click())
        self.table.itemSelectionChanged.connect(self._follow)

    @property
    def selected(self) -> str:
        """The code of the selected reader, empty without."""
        row = self.table.currentRow()
        state = self._state
        return state.readers[row].code if state is not None and 0 <= row < len(state.readers) else ""

    def take(self, state: StudyState) -> None:
        """Shows who has answered how much; the selection stays."""
        before = self.selected
        self._state = state
        self.table.fill(_HEAD, [_row(one) for one in state.readers])
        codes = [one.code for one in state.readers]
        free = next((place for place, one in enumerate(state.readers) if one.answered < one.trials), 0)
        if codes:
            self.table.setCurrentCell(codes.index(before) if before in codes else free, 0)
        say(self.merged, f"Taken in: {', '.join(state.merged)}" if state.merged else "")
        self._follow()

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._follow()

    def _send(self, signal: SignalInstance) -> None:
        if self.selected:
            signal.emit(self.selected)

    def _follow(self) -> None:
        reading = self._state is not None and self._state.stage == "open"
        readers = self._state.readers if self._state is not None else ()
        chosen = next((one for one in readers if one.code == self.selected), None)
        for press in (self.read, self.pack, self.add, self.merge):
            press.setVisible(reading)
            press.setEnabled(not self._busy)
        self.read.setEnabled(chosen is not None and chosen.answered < chosen.trials and not self._busy)
        self.pack.setEnabled(chosen is not None and not self._busy)


def _row(one: ReaderState) -> list[Cell]:
    state = "finished" if one.answered >= one.trials else "has begun" if one.answered or one.consented else "not yet"
    late = ", added later" if one.late else ""
    last = one.last.replace("T", " ")[:16] + " UTC" if one.last else ""
    return [Cell(one.code), Cell(f"{one.answered} of {one.trials}"), Cell(f"{state}{late}"), Cell(last)]
