"""The last page before a run: how long, on what, under which name; then it starts."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ctmri_core.errors import CtmriError
from ctmri_core.training.run_folder import RunFolder
from ctmri_core.training.run_plan import RunPlan
from ctmri_core.training.settings import LENGTHS, settings_for
from ctmri_gui.panels.small_parts import label, scrolling
from ctmri_gui.training.live_run import Where
from ctmri_gui.training.new_run.description_card import DescriptionCard
from ctmri_gui.training.new_run.draft import Draft
from ctmri_gui.training.new_run.estimate_panel import EstimatePanel
from ctmri_gui.training.new_run.field_words import in_words, labels_of, run_fields
from ctmri_gui.training.new_run.length_choice import LengthChoice
from ctmri_gui.training.new_run.machine_choice import ASKED, MachineChoice, PlaceChoice
from ctmri_gui.training.new_run.plan_files import PlanFiles, configuration_of
from ctmri_gui.training.new_run.start_work import find_cards
from ctmri_gui.training.new_run.summary import summary_of
from ctmri_gui.training.trainings import ONE_AT_A_TIME, Trainings
from ctmri_gui.training.where import Place, best_place

_TICK_MS = 30_000


class StartPage(QWidget):
    """What is chosen here stands in `draft` at once; `start` hands its plan to `trainings`. A configuration may be dropped.

    `foot`: what starts the run and says why it cannot; whoever shows the page may put it elsewhere.
    """

    def __init__(self, draft: Draft, trainings: Trainings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self._draft, self._trainings = draft, trainings
        self._plan: RunPlan | None = None
        self._cards_wanted = True
        self.description = DescriptionCard(trainings.folder)
        self.length, self.machine, self.place = LengthChoice(), MachineChoice(), PlaceChoice()
        self.measured = EstimatePanel(trainings.jobs)
        self.summary = label("")
        self.files = PlanFiles(draft, trainings.jobs, lambda: self._plan, lambda: self.description.folder)
        self.start_button = QPushButton("&Start training")
        self.start_button.setProperty("primary", True)
        self.problem = label("", "warning")
        self.foot = QWidget()
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK_MS)
        self._clock.timeout.connect(self._tell_length)
        self._lay_out()
        self._connect()
        self._follow()

    def start(self) -> None:
        """Checks everything again, and starts the run; where it cannot, `problem` says why."""
        self._follow()
        problem, plan = self._why_not(), self._plan
        if not problem and plan is not None:
            try:
                RunFolder(self.description.folder).check_free()
            except CtmriError as error:
                problem = str(error)
        self._say(problem)
        if not problem and plan is not None:
            self.measured.drop()
            if self._trainings.start(plan, self.description.folder, self.where) is not None:
                self.description.take_up()

    @property
    def where(self) -> Where:
        """Where the run goes on: as chosen, or where the program thinks best."""
        best = self._best
        return best.where if self._draft.where is None or best.only else self._draft.where

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._clock.start()
        self._follow()
        if self._cards_wanted:
            self._cards_wanted = False
            self._trainings.jobs.run("Look for graphics cards", find_cards, on_result=self.machine.show_cards, listed=False)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()
        self.measured.drop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if configuration_of(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = configuration_of(event.mimeData())
        if path is not None:
            self.files.load(path)

    @property
    def _best(self) -> Place:
        return best_place(self._plan, estimate=self.measured.estimate)

    @property
    def _slices(self) -> int | None:
        """How many there are to learn from, in one pass."""
        draft = self._draft
        if draft.data is None or draft.direction is None:
            return None
        return draft.data.pairs(draft.direction) if draft.card.paired else draft.data.slices

    def _follow(self) -> None:
        """Shows what the draft says now."""
        draft = self._draft
        settings = draft.values("settings")
        self.length.show_values(draft.card, settings)
        self.machine.show_values(settings)
        self.description.show_values(draft.card, draft.direction, draft.values("about"))
        try:
            self._plan = draft.plan()
        except CtmriError:
            self._plan = None
        if self.isVisible():
            self.measured.want(self._plan, self._slices)
            self.summary.setText(summary_of(draft.card, self._plan))
        self.files.follow()
        self._tell()

    def _tell(self) -> None:
        """What follows from the draft and from what was measured."""
        self.place.show_place(self._draft.where, self._best)
        self._tell_length()
        self._say(self._why_not())

    def _tell_length(self) -> None:
        try:
            settings = settings_for(self._draft.card, self._draft.values("settings"))
        except CtmriError:
            settings = None
        self.length.tell(settings, self.measured.estimate, datetime.now())

    def _why_not(self) -> str:
        if self._trainings.live is not None:
            return ONE_AT_A_TIME
        return self._draft.problem or self.description.problem

    def _say(self, problem: str) -> None:
        self.start_button.setEnabled(not self._why_not())
        self.problem.setText(in_words(problem, labels_of(run_fields(self._draft.card))) if problem else "")

    def _change_settings(self, names: tuple[str, ...], changed: dict[str, Any]) -> None:
        kept = {name: value for name, value in self._draft.values("settings").items() if name not in names}
        self._draft.change("settings", {**kept, **changed})

    def _make_smaller(self, changes: dict[str, dict[str, Any]]) -> None:
        for table, values in changes.items():
            self._draft.change(table, {**self._draft.values(table), **values})

    def _connect(self) -> None:
        self._draft.changed.connect(self._follow)
        self.length.edited.connect(partial(self._change_settings, LENGTHS))
        self.machine.edited.connect(partial(self._change_settings, ASKED))
        self.place.chosen.connect(lambda where: self._draft.choose(where=where))
        self.description.edited.connect(lambda values: self._draft.change("about", values))
        self.description.renamed.connect(self._tell)
        self.measured.found.connect(self._tell)
        self.measured.wanted.connect(self._make_smaller)
        self.start_button.clicked.connect(self.start)
        self._trainings.begun.connect(self._tell)  # methods, which Qt lets go of with the page: trainings outlive it
        self._trainings.ended.connect(self._tell)

    def _lay_out(self) -> None:
        inside = QWidget()
        body = QVBoxLayout(inside)
        body.setContentsMargins(18, 14, 10, 8)
        body.setSpacing(10)
        body.addWidget(label("Start", "title"))
        for title, parts in (
            ("How long", (self.length,)),
            ("What it takes", (self.measured,)),
            ("Where it is computed", (self.machine, self.place)),
            ("Name", (self.description,)),
            ("What differs from the usual", (self.summary, self.files)),
        ):
            body.addWidget(_card(title, *parts))
        body.addStretch(1)
        foot = QHBoxLayout(self.foot)
        foot.setContentsMargins(10, 0, 0, 0)
        foot.addWidget(self.problem, 1)
        foot.addWidget(self.start_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scrolling(inside, "How the run starts"), 1)
        column.addWidget(self.foot)


def _card(title: str, *parts: QWidget) -> QFrame:
    made = QFrame()
    made.setProperty("role", "card")
    column = QVBoxLayout(made)
    column.setContentsMargins(14, 10, 14, 12)
    column.setSpacing(8)
    column.addWidget(label(title, "heading"))
    for part in parts:
        column.addWidget(part)
    return made
