"""How healthy a run is, in words and small numbers, and what it has said that is worth knowing."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from ctmri_core.events import Step
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.run_record import RunRecord
from ctmri_gui.panels.small_parts import label, scrolling, set_role
from ctmri_gui.training.monitor.health_words import Reading, readings
from ctmri_gui.training.monitor.words import count, duration
from ctmri_gui.training.new_run.field_words import run_words

_WATCH = "▲"


class HealthPanel(QWidget):
    """`advice` holds the run's notes in its own words, each with when it was said."""

    def __init__(self) -> None:
        super().__init__()
        self._record = RunRecord()
        self._plan: RunPlan | None = None
        self._told = 0
        self._shown: list[Reading] = []
        self.summary = label("", "heading")
        self.advice = QPlainTextEdit()
        self.advice.setReadOnly(True)
        self.advice.setTabChangesFocus(True)
        self.advice.setAccessibleName("What the run has said")
        self._cells: list[tuple[QLabel, QLabel, QLabel]] = []
        inside = QWidget()
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, 8, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(6)
        for part, share in enumerate((3, 3, 8)):
            self._grid.setColumnStretch(part, share)
        self._empty = label("", "muted")
        signs, notes = QWidget(), QWidget()
        above, below = QVBoxLayout(signs), QVBoxLayout(notes)
        for column in (above, below):
            column.setContentsMargins(0, 0, 0, 0)
        above.addWidget(self.summary)
        above.addWidget(self._empty)
        above.addWidget(scrolling(inside, "Signs of health"), 1)
        below.addWidget(label("What the run has said", "heading"))
        below.addWidget(self.advice, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(signs)
        split.addWidget(notes)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 1)
        split.setSizes([2000, 1000])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 8, 8, 8)
        outer.addWidget(split)

    def show_record(self, record: RunRecord, plan: RunPlan | None) -> None:
        """Another run."""
        self._record, self._plan, self._told = record, plan, 0
        self.advice.clear()
        self._take(now=False)

    def follow(self) -> None:
        """Takes over what is new in the record, and was said just now."""
        self._take(now=True)

    def _take(self, *, now: bool) -> None:
        record, card = self._record, self._plan.card if self._plan is not None else None
        for note, after in zip(record.notes[self._told :], record.notes_after[self._told :], strict=True):
            mark = f"{_WATCH} " if note.serious else ""
            self.advice.appendPlainText(f"{mark}{_when(after, now=now)}: {run_words(note.message, card)}")
        self._told = len(record.notes)
        if not self._told:
            self.advice.setPlaceholderText("Nothing so far that is worth saying.")
        self._show(readings(record, self._plan))

    @property
    def worth_a_look(self) -> tuple[str, ...]:
        """What the person should look at, by name."""
        said = ("what the run has said",) if any(note.serious for note in self._record.notes) else ()
        return (*(reading.name for reading in self._shown if reading.watch), *said)

    def _show(self, shown: list[Reading]) -> None:
        self._shown = shown
        watch = self.worth_a_look
        self._empty.setText("" if shown else "Signs of health come with the first steps.")
        self._empty.setVisible(not shown)
        good = "Nothing that looks wrong" if shown else ""
        said = f"{_WATCH} Worth a look: {', '.join(watch)}" if watch else good
        if said != self.summary.text():
            self.summary.setText(said)
            set_role(self.summary, "warning" if watch else "heading")
        while len(self._cells) < len(shown):
            self._add_row()
        for number, cells in enumerate(self._cells):
            there = number < len(shown)
            for cell in cells:
                cell.setVisible(there)
            if there:
                self._fill(cells, shown[number])

    def _fill(self, cells: tuple[QLabel, QLabel, QLabel], reading: Reading) -> None:
        for cell, text in zip(cells, (reading.name, reading.value, reading.meaning), strict=True):
            said = f"{_WATCH} {text}" if reading.watch and cell is cells[2] else text
            if cell.text() != said:
                cell.setText(said)
        role = "warning" if reading.watch else "muted"
        if cells[2].property("role") != role:
            set_role(cells[2], role)

    def _add_row(self) -> None:
        row = len(self._cells)
        cells = label(), label("", "heading"), label("", "muted")
        for column, cell in enumerate(cells):
            cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(cell, row, column, Qt.AlignmentFlag.AlignTop)
        self._cells.append(cells)
        self._grid.setRowStretch(row, 0)
        self._grid.setRowStretch(row + 1, 1)


def _when(after: Step | None, *, now: bool) -> str:
    """How far the run was, and the time of day where it is `now`."""
    place = "While preparing" if after is None else f"After {count(after.iteration)} steps"
    if now:
        return f"{datetime.now():%H:%M}, {place[0].lower()}{place[1:]}"
    return place if after is None or after.elapsed is None else f"{place}, {duration(after.elapsed)} of training"
