"""Putting a run together, step by step."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QStackedWidget, QWidget

from ctmri_core.training.first_lesson import first_lesson
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.panels.keyboard_order import in_order, takes_keys
from ctmri_gui.panels.step_rail import RailWidth, StepRail
from ctmri_gui.settings import Settings
from ctmri_gui.training.history.run_words import data_words
from ctmri_gui.training.new_run.data_page import DataPage
from ctmri_gui.training.new_run.draft import Draft
from ctmri_gui.training.new_run.method_page import MethodPage
from ctmri_gui.training.new_run.settings_page import SettingsPage
from ctmri_gui.training.new_run.start_page import StartPage
from ctmri_gui.training.trainings import Trainings

_TITLES = ("Data", "Method", "Settings", "Start")
DATA, METHOD, SETTINGS, START = range(len(_TITLES))
_RAIL = RailWidth(usual=21, few=13, least=120)


class NewRun(QWidget):
    """The steps at the left, the page of one of them beside. A page is made when it is first shown."""

    def __init__(self, draft: Draft, settings: Settings, jobs: Jobs, trainings: Trainings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draft, self._settings, self._jobs, self._trainings = draft, settings, jobs, trainings
        self._make: tuple[Callable[[], QWidget], ...] = (
            self._data_page, self._method_page, lambda: SettingsPage(draft), lambda: StartPage(draft, trainings),
        )  # fmt: skip
        self.pages: list[QWidget | None] = [None] * len(_TITLES)
        self.stack = QStackedWidget()
        self._rail = StepRail(_TITLES, _RAIL)
        self.steps = self._rail.steps
        self._rail.wanted.connect(self.go)
        self.back, self.next = QPushButton("‹ &Back"), QPushButton("&Next ›")
        self.next.setProperty("primary", True)
        self.back.clicked.connect(lambda: self.go(self.step - 1))
        self.next.clicked.connect(lambda: self.go(self.step + 1))
        self._lay_out()
        draft.changed.connect(self._follow)
        self.go(DATA)

    @property
    def step(self) -> int:
        return self._rail.step

    def go(self, step: int) -> None:
        """Shows a step, from `DATA` to `START`."""
        step = min(max(step, DATA), START)
        if step != self.step and self.step >= DATA:
            self._settings.save()  # what was chosen so far outlives a crash
        page = self.pages[step]
        if page is None:
            page = self.pages[step] = self._make[step]()
            self.stack.addWidget(page)
            if isinstance(page, StartPage):
                self._foot.insertWidget(1, page.foot, 100)
        self._rail.check(step)
        left = self.stack.currentWidget()
        had_keys = left is not None and left is not page and left.isAncestorOf(QApplication.focusWidget() or self)
        self.stack.setCurrentWidget(page)
        self._follow()
        self._order_keys(page, take=had_keys)

    def take_data(self, source: str) -> None:
        """The first step with `source` chosen, a folder or `phantom:COUNT`."""
        self.go(DATA)
        page = self.pages[DATA]
        if isinstance(page, DataPage):
            page.choose(source)

    def take_lesson(self) -> None:
        """Everything as the first lesson has it; it only waits to be started."""
        self.draft.take(first_lesson())
        self.go(START)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.layout() is not None:
            self._fit()

    def _order_keys(self, page: QWidget, *, take: bool) -> None:
        """Pages are made late: Tab goes through the steps, then the page, then the foot. `take`: the page has the keys now."""
        parts, foot = takes_keys(page), takes_keys(page.foot) if isinstance(page, StartPage) else ()
        in_order((*self.steps, *parts, self.back, *foot, self.next))
        first = next((part for part in parts if part.isVisibleTo(self) and part.isEnabled()), None)
        if take and first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)

    def _data_page(self) -> QWidget:
        page = DataPage(self.draft, self._settings, self._jobs, self._trainings)
        page.lesson.connect(self.take_lesson)
        return page

    def _method_page(self) -> QWidget:
        page = MethodPage(self.draft)
        page.done.connect(lambda: self.go(SETTINGS))
        return page

    def _follow(self) -> None:
        """What was chosen stands below the name of each step."""
        for number, chosen in enumerate(self._chosen()):
            self._rail.tell(number, chosen)
        self.back.setEnabled(self.step > DATA)
        self.next.setVisible(self.step < START)
        start = self.pages[START]
        if isinstance(start, StartPage):
            start.foot.setVisible(self.step == START)
        ready = self.step != DATA or self.draft.data is not None
        self.next.setEnabled(ready)
        self.next.setToolTip("" if ready else "First choose data, and have them checked")

    def _chosen(self) -> tuple[str, str, str, str]:
        draft, data = self.draft, self.draft.data
        method = f"{draft.card.title}, {draft.direction.label}" if draft.direction else draft.card.title
        changed = sum(len(draft.values(table)) for table in ("config", "settings"))
        settings = f"{changed} changed" if changed else "as usual"
        start = "ready" if data is not None and not draft.problem else ""
        if data is None:
            return "" if not draft.source else "not checked yet", method, settings, start
        name = data_words(draft.source)
        return f"▲ {name}" if data.serious else f"✓ {name}", method, settings, start

    def _fit(self) -> None:
        self._rail.fit(self.width())
        self._follow()

    def _lay_out(self) -> None:
        foot = self._foot = QHBoxLayout()
        foot.setContentsMargins(18, 6, 18, 12)
        foot.addWidget(self.back)
        foot.addStretch(1)
        foot.addWidget(self.next)
        self._rail.stand_beside(self.stack, foot, self)
        self._fit()
