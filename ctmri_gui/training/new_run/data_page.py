"""The first step of a new run: which data, what is in them, and whether they are fit to learn from."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished
from ctmri_core.resources_folder import user_datasets_folder
from ctmri_gui.cases.room import in_words
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.asking import ask
from ctmri_gui.panels.small_parts import label, scrolling, set_role
from ctmri_gui.settings import Settings
from ctmri_gui.training import data_work
from ctmri_gui.training.data_work import Look, Prepared
from ctmri_gui.training.new_run.check_card import CheckCard
from ctmri_gui.training.new_run.data_choices import DOMAINS, LAYOUT, LEFT_OUT, DataChoices
from ctmri_gui.training.new_run.draft import PHANTOM, Draft, KnownData, path_of
from ctmri_gui.training.new_run.found_card import FoundCard
from ctmri_gui.training.new_run.phantom_card import PhantomCard, heads_known
from ctmri_gui.training.new_run.source_card import SourceCard
from ctmri_gui.training.trainings import Trainings

_IN_USE = "A run learns from these data at present. Wait until it has ended."
_LOST = "The scans stay as they are. Runs that learnt from the slices cannot go on without them."
_NOTHING = ("", "muted")


class DataPage(QWidget):
    """Fills `draft.source`, `.preparation` and `.data`. `lesson()`: the whole first run is asked for."""

    lesson = Signal()

    def __init__(self, draft: Draft, settings: Settings, jobs: Jobs, trainings: Trainings) -> None:
        super().__init__()
        self._draft, self._jobs, self._trainings = draft, jobs, trainings
        self._looking = Latest(jobs)
        self._look: Look | None = None
        self._prepared: Prepared | None = None
        self._preparing: JobState | None = None
        self._source, self._shown = "", False
        self._told = _NOTHING  # how preparing ended; stands until other data or choices are looked at
        self.setAcceptDrops(True)
        self.source = SourceCard(settings)
        self.name, self.other = label("", "title"), QPushButton("&Other data…")
        self.state = label("", "muted")
        self.found, self.check, self.phantom = FoundCard(), CheckCard(jobs), PhantomCard(jobs)
        self.source.chosen.connect(self.choose)
        self.source.lesson.connect(self.lesson)
        self.other.clicked.connect(self._show_sources)
        self.found.edited.connect(self._choose_preparation)
        self.found.prepare.connect(self.prepare)
        self.found.cancel.connect(self._cancel)
        self.check.leaveOut.connect(self._leave_out)
        self.check.register.connect(self._register)
        self.check.delete.connect(self._ask_delete)
        jobs.changed.connect(self._show_work)
        draft.changed.connect(self._follow)
        self._lay_out()
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shown = True
        self._follow()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.source.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.source.dropEvent(event)

    def choose(self, source: str) -> None:
        """A folder, or `phantom:COUNT`, in place of what was chosen; how to prepare it stays but for what belongs to a folder."""
        kept = {name: value for name, value in self._draft.preparation.items() if name not in (LAYOUT, DOMAINS, LEFT_OUT)}
        self._source = ""
        self._draft.choose(source=source, data=None, preparation=kept)

    def prepare(self) -> None:
        """Checks and prepares what was chosen; goes on where it was stopped."""
        look = self._look
        choices = self._choices()
        if look is None or choices is None or not look.domains or self._busy:
            return
        self._told = _NOTHING
        self._say("")
        self._draft.choose(data=None)
        begin = partial(data_work.prepare, look.source, choices.showing(look.domains))
        source = self._source
        self._preparing = self._jobs.run(
            "Prepare data", begin, on_result=lambda made: self._take_prepared(made, source),
            on_end=lambda end: self._ended(end, source),
        )  # fmt: skip
        self._show()

    @property
    def _busy(self) -> bool:
        return self._preparing is not None and self._preparing.running

    def _follow(self) -> None:
        """Looks at the data of the draft where they are others than before."""
        if self._shown and self._draft.source != self._source:
            self._cancel()
            self._source, self._look, self._prepared = self._draft.source, None, None
            self._told = _NOTHING
            self._look_again()

    def _look_again(self) -> None:
        self._looking.drop()
        source = self._draft.source
        self.source.show_source(source)
        if source.startswith(PHANTOM):
            self._take_phantom(source)
        elif source and (choices := self._choices()) is not None:
            self._say("Looking at the folder …")
            self._looking.ask("Look at data", partial(data_work.look, source, choices), self._take_look, ended=self._looked)
        self._show()

    def _take_look(self, look: Look) -> None:
        self._look = look
        self.source.remember(look.source)
        self.found.show_look(look, self._draft.preparation)
        self._say(*self._told)
        if look.prepared is not None:
            self._take_prepared(look.prepared, self._source)
        self._show()

    def _looked(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self._say(data_work.without_terminal(end.message), "error")
            self._show_sources()
        self._show()

    def _take_prepared(self, prepared: Prepared | None, source: str) -> None:
        if prepared is None or source != self._source:
            return
        self._preparing = None  # it only has to say that it has ended
        known = self._look.remarks if self._look is not None else ()  # what stands above already
        prepared = replace(prepared, remarks=tuple(remark for remark in prepared.remarks if remark not in known))
        self._prepared = prepared
        self.check.show_prepared(prepared, may_change=prepared.own and self._look is not None and self._may_prepare)
        self._know(prepared.known)

    def _know(self, known: KnownData) -> None:
        """Hands on what was found; a direction that the data do not have gives way to one that they have."""
        way = self._draft.direction
        if way not in known.directions:
            way = known.directions[0] if known.directions else None
        self._draft.choose(data=known, direction=way)
        self._show()

    def _take_phantom(self, source: str) -> None:
        known = heads_known(source, float(self._draft.values("settings").get("spacing_mm", 1.0)))
        self.phantom.show_heads(known)
        self._say("")
        self._know(known)

    def _choose_preparation(self, chosen: dict[str, Any]) -> None:
        """Other choices make other slices, unless these are prepared already."""
        relook = any(chosen.get(name) != self._draft.preparation.get(name) for name in (LAYOUT, DOMAINS, "pair_by_name", "plane"))
        if relook:
            chosen = {name: value for name, value in chosen.items() if name != LEFT_OUT}
        self._prepared, self._told = None, _NOTHING
        self._say("")
        self._draft.choose(preparation=chosen, data=None)
        choices = self._choices()
        look = self._look
        if choices is not None and look is not None:
            known = choices.showing(look.domains).folder_for(look.source).is_dir()
            if relook or known:
                self._look_again()
        self._show()

    def _choices(self) -> DataChoices | None:
        try:
            choices = DataChoices.of(self._draft.preparation)
        except CtmriError as error:
            self.found.show_problem(str(error))
            return None
        self.found.show_problem("")
        return choices

    @property
    def _may_prepare(self) -> bool:
        """Whether the source is what slices are made from, and not the slices themselves."""
        return self._look is not None and self._look.layout != data_work.PREPARED

    def _leave_out(self, keys: frozenset[str]) -> None:
        self._draft.choose(preparation={**self._draft.preparation, LEFT_OUT: sorted(keys)})
        self.prepare()

    def _register(self) -> None:
        self._draft.choose(preparation={**self._draft.preparation, "align": "needed"})
        if self._look is not None:
            self.found.show_look(self._look, self._draft.preparation)
        self.prepare()

    def _ask_delete(self) -> None:
        prepared = self._prepared
        if prepared is None:
            return
        live = self._trainings.live
        if live is not None and Path(live.plan.data) == prepared.folder:
            self._say(_IN_USE, "warning")
            self._show()
            return
        ask(
            self, "Delete for good?", f"Delete these prepared slices ({in_words(prepared.size)})?", _LOST,
            yes="&Delete", no="&Keep", then=lambda: self.delete(prepared), name="delete_prepared_question",
        )  # fmt: skip

    def delete(self, prepared: Prepared) -> None:
        """Removes prepared slices; whoever asks for it has asked the user."""
        self.check.close_pictures()
        self._prepared = None
        self._draft.choose(data=None)
        again = partial(self._deleted, own_source=self._may_prepare)
        self._jobs.run("Delete prepared data", partial(data_work.delete, prepared.folder), on_end=again)
        self._show()

    def _deleted(self, _end: Finished, *, own_source: bool) -> None:
        if own_source:
            self._look_again()
        else:
            self.choose("")

    def _cancel(self) -> None:
        if self._preparing is not None and self._preparing.running:
            self._jobs.stop(self._preparing)

    def _ended(self, end: Finished, source: str) -> None:
        if source == self._source:
            self._told = _NOTHING if end.reason == "completed" else data_work.unfinished(end)
            self._say(*self._told)
            if end.reason != "completed":
                self._look_again()
        self._show()

    def _say(self, text: str, role: str = "muted") -> None:
        self.state.setText(text)
        set_role(self.state, role)

    def _show_work(self, state: JobState) -> None:
        if state is self._preparing:
            self.found.show_work(state)

    def _show_sources(self) -> None:
        self.source.setVisible(True)
        self.other.setVisible(False)
        self.source.choose.setFocus()

    def _show(self) -> None:
        """Shows the parts that have something to say."""
        source, phantom = self._draft.source, self._draft.source.startswith(PHANTOM)
        known = self._look is not None or phantom
        self.source.setVisible(not source or (not known and bool(self.state.text()) and not self._looks))
        self.other.setVisible(not self.source.isVisibleTo(self))
        path = path_of(source)
        own = path is not None and path.parent == user_datasets_folder()  # named by a key
        self.name.setText("Digital heads" if phantom else "Prepared slices" if own else path.name if path is not None else "")
        self.name.setVisible(bool(source))
        self.state.setVisible(bool(self.state.text()))
        self.found.setVisible(self._look is not None and not phantom)
        self.check.setVisible(self._prepared is not None and not phantom and not self._busy)
        self.phantom.setVisible(phantom)
        self._rest.setVisible(not self.check.isVisibleTo(self))
        look = self._look
        if look is not None:
            self.found.show_begin(look.begun, done=self._prepared is not None, possible=bool(look.domains))
            self.found.show_work(self._preparing if self._busy else None)

    @property
    def _looks(self) -> bool:
        return self._looking.state is not None and self._looking.state.running

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.other)
        column.addLayout(head)
        for part in (self.source, self.state, self.found, self.phantom):
            column.addWidget(part)
        column.addWidget(self.check, 1)
        self._rest = QWidget()
        column.addWidget(self._rest, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inside, "Data"))
