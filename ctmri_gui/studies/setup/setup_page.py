"""Putting a reader study together, step by step."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library
from ctmri_gui.panels.asking import ask
from ctmri_gui.settings import Settings
from ctmri_gui.studies.setup.cases_step import CasesStep
from ctmri_gui.studies.setup.design_step import DesignStep
from ctmri_gui.studies.setup.draft import Draft
from ctmri_gui.studies.setup.make_step import MakeStep
from ctmri_gui.studies.setup.questions_step import QuestionsStep
from ctmri_gui.studies.setup.readers_step import ReadersStep
from ctmri_gui.studies.setup.size_step import SizeStep
from ctmri_gui.studies.setup.step_page import StepPage
from ctmri_gui.studies.setup.texts_step import TextsStep
from ctmri_gui.studies.studies import Studies
from ctmri_gui.training.new_run.keyboard_order import in_order, takes_keys

TITLES = ("Design", "Cases and models", "Readers and order", "Questions", "Size", "Texts", "Make")
DESIGN, CASES, READERS, QUESTIONS, SIZE, TEXTS, MAKE = range(len(TITLES))
_STEP_LETTERS, _FEW_LETTERS, _LEAST_LETTERS = 24, 18, 110


class SetupPage(QWidget):
    """The steps at the left, one of them beside. What is missing shows by a sign at its step; any step can be gone to."""

    def __init__(self, jobs: Jobs, library: Library, settings: Settings, studies: Studies) -> None:
        super().__init__()
        self._settings = settings
        self.draft = Draft(jobs, settings, self)
        draft = self.draft
        self.design, self.cases = DesignStep(draft, settings), CasesStep(draft, library, settings)
        self.readers, self.questions = ReadersStep(draft), QuestionsStep(draft, settings)
        self.size_step, self.texts = SizeStep(draft, jobs), TextsStep(draft)
        before = (self.design, self.cases, self.readers, self.questions, self.size_step, self.texts)
        self.make = MakeStep(draft, studies, settings, tuple(zip(TITLES, before, strict=False)))
        self.pages: tuple[StepPage, ...] = (*before, self.make)
        self.stack = QStackedWidget()
        self._group = QButtonGroup(self)
        self.steps = [_step() for _ in TITLES]
        for number, (step, page) in enumerate(zip(self.steps, self.pages, strict=True)):
            self._group.addButton(step, number)
            self.stack.addWidget(page)
        self.anew, self.back, self.next = QPushButton("Begin anew…"), QPushButton("‹ &Back"), QPushButton("&Next ›")
        self.anew.setToolTip("Forgets what was chosen. It is kept otherwise, also when the window is closed")
        self.next.setProperty("primary", True)
        self._lay_out()
        self._group.idClicked.connect(self.go)
        self.anew.clicked.connect(lambda _on=False: self._ask_anew())
        self.back.clicked.connect(lambda _on=False: self.go(self.step - 1))
        self.next.clicked.connect(lambda _on=False: self.go(self.step + 1))
        self.make.goWanted.connect(self.go)
        draft.changed.connect(self._follow)
        draft.foreseenChanged.connect(self._follow)
        self.go(DESIGN)

    @property
    def step(self) -> int:
        return self._group.checkedId()

    def go(self, step: int) -> None:
        """Shows a step, from `DESIGN` to `MAKE`."""
        self._settings.save()  # what was chosen so far outlives a crash
        step = min(max(step, DESIGN), MAKE)
        left, page = self.stack.currentWidget(), self.pages[step]
        had_keys = left is not None and left is not page and left.isAncestorOf(QApplication.focusWidget() or self)
        self.steps[step].setChecked(True)
        self.stack.setCurrentWidget(page)
        page.follow()
        self._follow()
        parts = takes_keys(page)
        in_order((*self.steps, *parts, self.anew, self.back, self.next))
        first = next((part for part in parts if part.isVisibleTo(self) and part.isEnabled()), None)
        if had_keys and first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._fit()

    def _ask_anew(self) -> None:
        ask(
            self, "Begin anew", "Forget what was chosen so far?", "Studies that were made stay as they are.", yes="&Begin anew",
            no="&Keep it", then=self._begin_anew, name="anew_question",
        )  # fmt: skip

    def _begin_anew(self) -> None:
        self.draft.begin_anew()
        self.go(DESIGN)

    def _follow(self) -> None:
        for number, (step, title, page) in enumerate(zip(self.steps, TITLES, self.pages, strict=True), 1):
            problem = page.problem if self.draft.begun else ""
            sign = "▲ " if problem else ""
            step.setText(f"{number}  {title}\n{self._short(sign + (page.summary or ('to do' if problem else '')))}".rstrip())
            step.setToolTip(problem or page.summary)
            step.setAccessibleName(f"Step {number}, {title}{f': {page.summary}' if page.summary else ''}")
            step.setAccessibleDescription(problem)
        self.anew.setEnabled(self.draft.begun)
        self.back.setEnabled(self.step > DESIGN)
        self.next.setVisible(self.step < MAKE)

    @property
    def _letters(self) -> int:
        return _FEW_LETTERS if self.width() < _LEAST_LETTERS * self.fontMetrics().averageCharWidth() else _STEP_LETTERS

    def _short(self, text: str) -> str:
        room = self._letters * self.fontMetrics().averageCharWidth()
        return self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)

    def _fit(self) -> None:
        for step in self.steps:
            step.setFixedWidth(round((self._letters + 5) * self.fontMetrics().averageCharWidth()))
        self._follow()

    def _lay_out(self) -> None:
        left = QFrame()
        left.setProperty("role", "steps")
        left.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(left)
        column.setContentsMargins(10, 14, 4, 14)
        column.setSpacing(4)
        for step in self.steps:
            column.addWidget(step)
        column.addStretch(1)
        foot = QHBoxLayout()
        foot.setContentsMargins(18, 6, 18, 12)
        foot.addWidget(self.anew)
        foot.addStretch(1)
        foot.addWidget(self.back)
        foot.addWidget(self.next)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.stack, 1)
        right.addLayout(foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left)
        row.addLayout(right, 1)
        self._fit()


def _step() -> QPushButton:
    made = QPushButton()
    made.setCheckable(True)
    made.setProperty("role", "step")
    return made
