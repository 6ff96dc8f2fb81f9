"""The second step of a new run: what is to be made of what, and by which method."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from ctmri_core.domain import Direction, Domain
from ctmri_core.registry import method_cards, method_problems
from ctmri_gui.panels.small_parts import label, naming
from ctmri_gui.training.new_run.draft import Draft
from ctmri_gui.training.new_run.method_list import MethodList, entries_of

_USUAL = (Direction(Domain.CT, Domain.MR_T1), Direction(Domain.MR_T1, Domain.CT))
_COSTS = "Arithmetic and memory of one step, one slice at a time, as multiples of pix2pix with the usual networks."


class MethodPage(QWidget):
    """Sets `draft.method` and `draft.direction`. `done()`: a method was taken by Enter or a double click."""

    done = Signal()

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.direction = QComboBox()
        self.direction.setAccessibleName("What is made of what")
        self.direction.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.direction.activated.connect(lambda row: draft.choose(direction=self.direction.itemData(row)))
        self.ways, self.citation = label("", "muted"), label("", "muted")
        self.problems = label("\n".join(method_problems()), "warning")
        self.problems.setVisible(bool(method_problems()))
        self.list = MethodList()
        self.list.setToolTip(_COSTS)
        self.list.chosen.connect(self._choose)
        self.list.done.connect(self.done)
        self._lay_out()
        draft.changed.connect(self._follow)
        self._follow()

    def _choose(self, name: str) -> None:
        if name != self._draft.method:
            self._draft.choose(method=name)

    def _follow(self) -> None:
        draft = self._draft
        known = draft.data.directions if draft.data is not None else ()
        ways = known or ((draft.direction, *(way for way in _USUAL if way != draft.direction)) if draft.direction else _USUAL)
        if [self.direction.itemData(row) for row in range(self.direction.count())] != list(ways):
            self.direction.clear()
            for way in ways:
                self.direction.addItem(way.label, way)
        self.direction.setCurrentIndex(ways.index(draft.direction) if draft.direction in ways else -1)
        self.direction.setPlaceholderText("Choose")
        self.ways.setText(self._said_of_ways())
        self.citation.setText(draft.card.citation)
        self.list.show_entries(entries_of(method_cards().values(), draft.method, draft.data, draft.direction), draft.method)

    def _said_of_ways(self) -> str:
        card, way = self._draft.card, self._draft.direction
        if card.both_ways:
            chosen = f" The best is kept by {way.label}." if way is not None else ""
            return f"{card.title} learns both ways in one run: a model comes of each.{chosen}"
        if card.outlines:
            return f"{card.title} learns to outline; it makes no pictures."
        return f"{card.title} learns this one direction."

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(naming("&Make", self.direction))
        head.addWidget(self.direction)
        head.addWidget(self.ways, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 6)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.problems)
        column.addWidget(self.list, 1)
        column.addWidget(self.citation)
        self.setTabOrder(self.direction, self.list)
