"""Steps under each other at the left of what is put together step by step, with a word on what was chosen in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget


class RailWidth(NamedTuple):
    """In letters: of the words below a step, and the same in a window narrower than `least`."""

    usual: int
    few: int
    least: int


class StepRail(QFrame):
    """One button a step, one of them checked. `wanted(int)`: the step that was pressed, from 0."""

    wanted = Signal(int)

    def __init__(self, titles: Sequence[str], width: RailWidth) -> None:
        super().__init__()
        self._titles, self._width, self._letters = titles, width, width.usual
        self._group = QButtonGroup(self)
        self.setProperty("role", "steps")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 14, 4, 14)
        column.setSpacing(4)
        self.steps = [QPushButton() for _ in titles]
        for number, step in enumerate(self.steps):
            step.setCheckable(True)
            step.setProperty("role", "step")
            self._group.addButton(step, number)
            column.addWidget(step)
            self.tell(number)
        column.addStretch(1)
        self._group.idClicked.connect(self.wanted)

    @property
    def step(self) -> int:
        """The checked one, -1 before any was."""
        return self._group.checkedId()

    def check(self, step: int) -> None:
        self.steps[step].setChecked(True)

    def tell(self, number: int, chosen: str = "", problem: str = "", below: str = "") -> None:
        """`chosen` in the step; `below` its title stands that, or what is given. `problem`: why the step is not done."""
        step, title = self.steps[number], self._titles[number]
        words = self._short(below or chosen)
        step.setText(f"{number + 1}  {title}" + (f"\n{words}" if words else ""))
        step.setToolTip(problem or chosen)
        step.setAccessibleName(f"Step {number + 1}, {title}{f': {chosen}' if chosen else ''}")
        step.setAccessibleDescription(problem)

    def fit(self, window_width: int) -> None:
        """To the width of what it stands in, and the size of letters; what is below the titles must be told again."""
        letter, room = self.fontMetrics().averageCharWidth(), self._width
        self._letters = room.few if window_width < room.least * letter else room.usual
        for step in self.steps:
            step.setFixedWidth(round((self._letters + 5) * letter))

    def stand_beside(self, page: QWidget, foot: QLayout, within: QWidget) -> None:
        """Lays out `within`: the rail, and beside it `page` over `foot`."""
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(page, 1)
        right.addLayout(foot)
        row = QHBoxLayout(within)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self)
        row.addLayout(right, 1)

    def _short(self, text: str) -> str:
        room = self._letters * self.fontMetrics().averageCharWidth()
        return self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
