"""What else is asked of each trial, and how every picture is shown."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QListWidget, QPushButton, QVBoxLayout, QWidget

from ctmri_core.errors import FileRefused
from ctmri_core.studies.protocol import Display, Question
from ctmri_core.studies.questions_file import read_questions
from ctmri_gui import file_choice
from ctmri_gui.panels.small_parts import label
from ctmri_gui.settings import Settings
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.question_dialog import KINDS, QuestionDialog
from ctmri_gui.studies.setup.step_page import StepPage, choice, decimal, number, say
from ctmri_gui.training.monitor.flow import Flow
from ctmri_gui.training.new_run.flowing_row import FlowingRow
from ctmri_gui.viewer.palette import scaled

_GRADES = Question(key="quality", kind="likert", text="Image quality", low=1, high=4, low_label="poor", high_label="excellent")
_NEEDS = "Visual grading needs a scale among its questions."
_USUAL, _OWN = "usual", "own"
_WINDOWS: tuple[tuple[str, str, tuple[float, float]], ...] = (
    ("CT, bone: W 2000 L 400", "bone", (400.0, 2000.0)), ("CT, soft tissue: W 400 L 40", "soft", (40.0, 400.0)),
    ("CT, lung: W 1500 L -600", "lung", (-600.0, 1500.0)), ("CT, whole range: W 2500 L 250", "whole", (250.0, 2500.0)),
)  # fmt: skip
_OPENS = (("CT of the head W 80 L 40, MR its range", _USUAL), *((words, name) for words, name, _ in _WINDOWS),
          ("Another window", _OWN))  # fmt: skip
_SHOWN = (("The whole volume, to scroll through", "volume"), ("One slice of it, drawn by lot", "slice"))


class QuestionsStep(StepPage):
    """A list of questions that can be changed and moved, and the rules of display."""

    def __init__(self, draft: Draft, settings: Settings) -> None:
        words = "Asked in this order after what the design asks. Display is alike for all pictures, real and synthetic."
        super().__init__(draft, "Questions and display", words)
        self._settings = settings
        self.list = QListWidget()
        self.list.setAccessibleName("Questions")
        self.list.setFixedHeight(scaled(110))
        self.add, self.edit, self.remove = QPushButton("&Add question…"), QPushButton("Chan&ge…"), QPushButton("Remo&ve")
        self.up, self.down, self.load = QPushButton("U&p"), QPushButton("Do&wn"), QPushButton("F&rom a file…")
        self.load.setToolTip("Questions that were written in a TOML file, in place of those here")
        self.grades = QPushButton("A scale from poor to e&xcellent")
        self.note = label("", "warning")
        self.marks = QCheckBox("Readers may &mark places in the picture")
        self.reasons = QLineEdit()
        self.reasons.setPlaceholderText("texture, edges, anatomy, noise")
        self.reasons.setToolTip("Tags that readers may tick, separated by commas; they go into tables and the report")
        self._display()
        self._lay_out()
        self.complete(self.marks, self.reasons, self.shown, self.opens, self.centre, self.breadth, self.start, self.least,
                      self.most, self.may_window, self.may_zoom, self.may_measure, self.linked, *self.spacing)  # fmt: skip
        self._connect()

    @property
    def problem(self) -> str:
        asked = self.draft.request
        scales = any(one.kind == "likert" for one in asked.questions)
        return _NEEDS if asked.design == "grading" and not scales else ""

    @property
    def summary(self) -> str:
        asked = self.draft.request
        count = len(asked.questions)
        shown = "slices" if asked.display.shown == "slice" else "volumes"
        return f"{shown}, {count} {'question' if count == 1 else 'questions'}" if count else shown

    def read(self) -> dict[str, Any]:
        given: dict[str, tuple[float, float] | None] = {name: window for _, name, window in _WINDOWS}
        given |= {_USUAL: None, _OWN: (self.centre.value(), self.breadth.value())}
        window = given[self.opens.currentData()]
        display = Display(
            shown=self.shown.currentData(), window=window, start=self.start.value() / 100, least_seconds=self.least.value(),
            most_seconds=self.most.value(), may_window=self.may_window.isChecked(), may_zoom=self.may_zoom.isChecked(),
            may_measure=self.may_measure.isChecked(), linked=self.linked.isChecked(),
        )  # fmt: skip
        k, j, i = (field.value() for field in self.spacing)
        reasons = dict.fromkeys(word.strip() for word in self.reasons.text().split(",") if word.strip())
        return {"display": display, "marks": self.marks.isChecked(), "reasons": tuple(reasons), "spacing": (k, j, i)}

    def show_request(self) -> None:
        asked, display = self.draft.request, self.draft.request.display
        self.marks.setChecked(asked.marks)
        if self.read()["reasons"] != asked.reasons:
            self.reasons.setText(", ".join(asked.reasons))
        self.shown.setCurrentIndex(self.shown.findData(display.shown))
        named = {None: _USUAL} | {window: name for _, name, window in _WINDOWS}
        if self.read()["display"].window != display.window:
            self.opens.setCurrentIndex(self.opens.findData(named.get(display.window, _OWN)))
        if display.window is not None:
            self.centre.setValue(display.window[0])
            self.breadth.setValue(display.window[1])
        self.start.setValue(round(100 * display.start))
        self.least.setValue(display.least_seconds)
        self.most.setValue(display.most_seconds)
        for tick, on in ((self.may_window, display.may_window), (self.may_zoom, display.may_zoom),
                         (self.may_measure, display.may_measure), (self.linked, display.linked)):  # fmt: skip
            tick.setChecked(on)
        for field, step in zip(self.spacing, asked.spacing, strict=True):
            field.setValue(step)
        self._list(self.list.currentRow())

    def follow(self) -> None:
        asked = self.draft.request
        say(self.note, self.problem)
        self.grades.setVisible(bool(self.problem))
        self.linked.setVisible(asked.design in ("two_alternatives", "rank"))
        self._window.setVisible(self.opens.currentData() == _OWN)
        row, count = self.list.currentRow(), self.list.count()
        for press, possible in ((self.edit, row >= 0), (self.remove, row >= 0), (self.up, row > 0),
                                (self.down, 0 <= row < count - 1)):  # fmt: skip
            press.setEnabled(possible)

    def put(self, questions: tuple[Question, ...], row: int) -> None:
        """These, in this order; the `row`-th is selected."""
        self.draft.change(questions=questions)
        self._list(row)
        self.follow()

    def _list(self, row: int) -> None:
        names = {kind: words for words, kind in KINDS}
        self.list.clear()
        for one in self.draft.request.questions:
            self.list.addItem(f"{one.text} · {names[one.kind].lower()}{'' if one.compulsory else ' · may be left out'}")
        self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))

    def _ask(self, row: int | None) -> None:
        questions = self.draft.request.questions
        before = questions[row] if row is not None else None
        dialog = QuestionDialog(self, before, [one.key for place, one in enumerate(questions) if place != row])
        dialog.accepted.connect(lambda: self._take_question(dialog.question, row))
        dialog.open()

    def _ask_file(self) -> None:
        files = file_choice.existing_files(self, "Questions", self._settings["last_folder"], "Questions (*.toml)")
        if files:
            try:
                self.put(read_questions(files[0]), 0)
            except FileRefused as refusal:
                say(self.note, str(refusal))

    def _take_question(self, question: Question | None, row: int | None) -> None:
        questions = list(self.draft.request.questions)
        if question is not None and row is None:
            self.put((*questions, question), len(questions))
        elif question is not None and row is not None:
            questions[row] = question
            self.put(tuple(questions), row)

    def _remove(self) -> None:
        row, questions = self.list.currentRow(), self.draft.request.questions
        if row >= 0:
            self.put(questions[:row] + questions[row + 1 :], row)

    def _move(self, by: int) -> None:
        row, questions = self.list.currentRow(), list(self.draft.request.questions)
        if row >= 0 and 0 <= row + by < len(questions):
            questions.insert(row + by, questions.pop(row))
            self.put(tuple(questions), row + by)

    def _connect(self) -> None:
        self.add.clicked.connect(lambda _on=False: self._ask(None))
        self.edit.clicked.connect(lambda _on=False: self._ask(self.list.currentRow()))
        self.list.itemActivated.connect(lambda _item: self._ask(self.list.currentRow()))
        self.remove.clicked.connect(lambda _on=False: self._remove())
        self.load.clicked.connect(lambda _on=False: self._ask_file())
        self.up.clicked.connect(partial(self._move, -1))
        self.down.clicked.connect(partial(self._move, 1))
        self.grades.clicked.connect(lambda _on=False: self.put((*self.draft.request.questions, _GRADES), 0))
        self.list.currentRowChanged.connect(lambda _row: self.follow())
        QShortcut(QKeySequence.StandardKey.Delete, self.list, self._remove, context=Qt.ShortcutContext.WidgetShortcut)

    def _display(self) -> None:
        self.shown = choice(_SHOWN, "What a trial shows")
        self.opens = choice(_OPENS, "With which grey window every picture opens, unless the reader changes it")
        self.centre, self.breadth = decimal(-2000, 4000, "Level", step=10, places=0), decimal(1, 8000, "Width", step=10, places=0)
        self.centre.setValue(500)
        self.breadth.setValue(1000)
        self.start = number(0, 100, "Where in the stack every trial begins", suffix=" %")
        self.least = decimal(0, 600, "Before an answer is taken", step=0.5, places=1, suffix=" s")
        self.most = decimal(0, 3600, "After so long the picture goes; the answer may still come", step=5, places=0, suffix=" s")
        self.most.setSpecialValueText("Never")
        self.may_window, self.may_zoom = QCheckBox("change the window"), QCheckBox("&zoom")
        self.may_measure, self.linked = QCheckBox("measure"), QCheckBox("Pictures side by side s&croll together")
        self.spacing = [decimal(0.3, 20, tip, step=0.5, places=1, suffix=" mm") for tip in
                        ("Between slices", "Front to back, within a slice", "Left to right, within a slice")]  # fmt: skip

    def _lay_out(self) -> None:
        ways = Flow()
        for press in (self.add, self.edit, self.remove, self.up, self.down, self.load):
            ways.addWidget(press)
        asked = QWidget()
        column = QVBoxLayout(asked)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        column.addLayout(ways)
        for part in (asked, self.note, FlowingRow(self.grades), self.marks):
            self.column.addWidget(part)
        self.form(("Reasons to &tick", self.reasons))
        self.heading("Display")
        self._window = FlowingRow(label("Level", wrap=False), self.centre, label("Width", wrap=False), self.breadth)
        grid = QHBoxLayout()
        for field in self.spacing:
            field.setAccessibleName(f"Spacing: {field.toolTip()}")
            grid.addWidget(field)
        grid.addStretch(1)
        self.form(("&Shows", self.shown), ("Op&ens with", self.opens), ("", self._window), ("Beg&ins at", self.start),
                  ("At &least", self.least), ("At m&ost", self.most),
                  ("Readers may", FlowingRow(self.may_window, self.may_zoom, self.may_measure)), ("", self.linked),
                  ("Voxels", grid))  # fmt: skip
