"""Places that readers flagged on synthetic pictures, to be looked at in the viewer: what the next model should do better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QAbstractItemView, QPushButton, QVBoxLayout, QWidget

from ctmri_core.studies.analysis.results import Flagged
from ctmri_core.studies.protocol import Protocol
from ctmri_gui.evaluation.plain_table import Cell, PlainTable
from ctmri_gui.panels.small_parts import label
from ctmri_gui.training.monitor.flow import Flow

_NONE = "No reader marked a place or gave a reason on a synthetic picture."
_WORDS = "As readers saw them, beside the real picture of the same patient where there is one."
_SHOWN = 200


class FlaggedList(QWidget):
    """`placeWanted(Flagged)`: in the viewer; `sourceWanted(Flagged)`: the scan it came from, at that place."""

    placeWanted = Signal(object)
    sourceWanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._places: tuple[Flagged, ...] = ()
        self.title = label("Flagged places", "heading")
        self.said, self.table = label(_NONE, "muted"), PlainTable("Flagged places")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.open, self.source = QPushButton("Look at the p&lace"), QPushButton("Open the sou&rce scan…")
        self.open.setToolTip("The picture in the viewer, at the place (Enter)")
        self.source.setToolTip("The scan that the picture was made of or from, at the same place; it is asked for")
        ways = Flow()
        for press in (self.open, self.source):
            ways.addWidget(press)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.said)
        column.addWidget(self.table)
        column.addLayout(ways)
        self.open.clicked.connect(lambda _on=False: self._send(self.placeWanted))
        self.source.clicked.connect(lambda _on=False: self._send(self.sourceWanted))
        self.table.itemActivated.connect(lambda _item: self.open.click())

    def take(self, places: Sequence[Flagged], protocol: Protocol) -> None:
        """Whether they were taken for synthetic is told where readers were asked for that alone."""
        self._places = tuple(places[:_SHOWN])
        questions = {one.key: one.text for one in protocol.questions}
        asked = protocol.design in ("yes_no", "two_alternatives")
        self.title.setText("Flagged places" if asked else "Marked places")
        some = bool(self._places)
        more = "" if len(places) <= _SHOWN else f" The first {_SHOWN} of {len(places)}."
        self.said.setText(f"{_WORDS}{more}" if some else _NONE)
        for part in (self.table, self.open, self.source):
            part.setVisible(some)
        head = ("Case", "Made by", "Slice", "Why", "Reader", "Recognised")
        columns = len(head) if asked else len(head) - 1
        self.table.fill(head[:columns], [_row(one, questions)[:columns] for one in self._places])
        if some:
            self.table.setCurrentCell(0, 0)

    def _send(self, signal: SignalInstance) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self._places):
            signal.emit(self._places[row])


def _row(one: Flagged, questions: Mapping[str, str]) -> list[Cell]:
    why = ", ".join(part for part in (questions.get(one.label, one.label), *one.reasons) if part) or "marked"
    k = "whole" if one.slice_shown is None else str(one.slice_shown + 1)
    known = "yes" if one.recognised else "no"
    return [Cell(one.case[:12]), Cell(one.arm), Cell(k), Cell(why[:60], why), Cell(one.reader), Cell(known)]
