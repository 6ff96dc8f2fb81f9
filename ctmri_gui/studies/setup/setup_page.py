"""Putting a reader study together, step by step."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QStackedWidget, QWidget

from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.models.library import Library
from ctmri_gui.panels.asking import ask
from ctmri_gui.panels.keyboard_order import in_order, takes_keys
from ctmri_gui.panels.step_rail import RailWidth, StepRail
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

TITLES = ("Design", "Cases and models", "Readers and order", "Questions", "Size", "Texts", "Make")
DESIGN, CASES, READERS, QUESTIONS, SIZE, TEXTS, MAKE = range(len(TITLES))
_RAIL = RailWidth(usual=24, few=20, least=110)


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
        self._rail = StepRail(TITLES, _RAIL)
        self.steps = self._rail.steps
        for page in self.pages:
            self.stack.addWidget(page)
        self.anew, self.back, self.next = QPushButton("Begin anew…"), QPushButton("‹ &Back"), QPushButton("&Next ›")
        self.anew.setToolTip("Forgets what was chosen. It is kept otherwise, also when the window is closed")
        self.next.setProperty("primary", True)
        self._lay_out()
        self._rail.wanted.connect(self.go)
        self.anew.clicked.connect(lambda _on=False: self._ask_anew())
        self.back.clicked.connect(lambda _on=False: self.go(self.step - 1))
        self.next.clicked.connect(lambda _on=False: self.go(self.step + 1))
        self.make.goWanted.connect(self.go)
        draft.changed.connect(self._follow)
        draft.foreseenChanged.connect(self._follow)
        self.go(DESIGN)

    @property
    def step(self) -> int:
        return self._rail.step

    def go(self, step: int) -> None:
        """Shows a step, from `DESIGN` to `MAKE`."""
        self._settings.save()  # what was chosen so far outlives a crash
        step = min(max(step, DESIGN), MAKE)
        left, page = self.stack.currentWidget(), self.pages[step]
        had_keys = left is not None and left is not page and left.isAncestorOf(QApplication.focusWidget() or self)
        self._rail.check(step)
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
        for page in self.pages:
            page.forget()
        self.draft.begin_anew()
        self.go(DESIGN)

    def _follow(self) -> None:
        for number, page in enumerate(self.pages):
            problem = page.problem if self.draft.begun else ""
            below = f"▲ {page.summary or 'to do'}" if problem else ""
            self._rail.tell(number, page.summary, problem, below)
        self.anew.setEnabled(self.draft.begun)
        self.back.setEnabled(self.step > DESIGN)
        self.next.setVisible(self.step < MAKE)

    def _fit(self) -> None:
        self._rail.fit(self.width())
        self._follow()

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setContentsMargins(18, 6, 18, 12)
        foot.addWidget(self.anew)
        foot.addStretch(1)
        foot.addWidget(self.back)
        foot.addWidget(self.next)
        self._rail.stand_beside(self.stack, foot, self)
        self._fit()
