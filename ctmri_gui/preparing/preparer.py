"""What is to be prepared, how, and what a person decided about its cases. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from ctmri_core.data.decisions import Decisions, Placement
from ctmri_core.errors import CtmriError
from ctmri_core.events import Finished
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.preparing import pair_work, prepare_work
from ctmri_gui.preparing.command import command_for
from ctmri_gui.preparing.prepare_work import Listed
from ctmri_gui.training import data_work
from ctmri_gui.training.data_work import Look, Prepared
from ctmri_gui.training.new_run.data_choices import DOMAINS, LAYOUT, DataChoices

if TYPE_CHECKING:
    from ctmri_core.data.case_check import CaseCheck
    from ctmri_core.data.layouts.layout import CaseReference

_RELOOK = (LAYOUT, DOMAINS, "pair_by_name", "plane")


class Preparer(QObject):
    """`listed`: a folder was looked at; `checked`: something was found of the n-th case (from 1); `decided`: about a case, or who
    is left out; `chosen`: other choices; `prepared`: slices lie ready, or no more; `changed`: work begins, goes on or ends;
    `said(words, role)`: what came of it."""

    listed = Signal()
    checked = Signal(int)
    decided = Signal()
    chosen = Signal()
    prepared = Signal(object)  # Prepared | None
    changed = Signal()
    said = Signal(str, str)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._looking, self._checking, self._keeping = Latest(jobs), Latest(jobs), Latest(jobs)
        self.source, self.output = "", Path()
        self._decided_for = ("", Path())
        self.choices_made: dict[str, Any] = {}
        self.look: Look | None = None
        self.cases: tuple[CaseReference, ...] = ()
        self.checks: dict[int, CaseCheck] = {}
        self.decisions = Decisions()
        self.done: Prepared | None = None
        self.work: JobState | None = None
        self.show: Callable[[], None] | None = None
        jobs.changed.connect(self._follow)

    # What is wanted ---------------------------------------------------------------------------------------------------

    def choose(self, source: Path) -> None:
        """A folder with scans, in place of what was chosen; slices are proposed to lie beside it."""
        if self.running:
            return
        kept = {name: value for name, value in self.choices_made.items() if name not in (LAYOUT, DOMAINS)}
        self.source, self.choices_made = str(source), kept
        self.output = source.parent / f"{source.name}_prepared"
        self.look_again()

    def choose_output(self, folder: Path) -> None:
        """Where the slices go; what was decided there before holds."""
        if not self.running:
            self.output = folder
            self.look_again()

    def choose_how(self, chosen: Mapping[str, Any]) -> None:
        """How to prepare, in place of what was chosen."""
        relook = any(chosen.get(name) != self.choices_made.get(name) for name in _RELOOK)
        self.choices_made = dict(chosen)
        self._take_prepared(None)
        self.chosen.emit()
        if relook:
            self.look_again()

    def choices(self) -> DataChoices:
        """Raises `CtmriError` where values do not go together."""
        made = DataChoices.of(self.choices_made)
        return made.showing(self.look.domains) if self.look is not None else made

    @property
    def command(self) -> str:
        """The same for a terminal; "" while there is nothing to prepare."""
        try:
            return command_for(self.source, self.choices(), self.output) if self.cases else ""
        except CtmriError:
            return ""

    # What is there ----------------------------------------------------------------------------------------------------

    def look_again(self) -> None:
        """Lists the cases anew."""
        self._checking.drop()
        self.look, self.cases, self.checks = None, (), {}
        self._take_prepared(None)
        self.listed.emit()
        try:
            choices = DataChoices.of(self.choices_made)
        except CtmriError as error:
            self.said.emit(data_work.without_terminal(str(error)), "error")
            return
        self.said.emit("Looking at the folder …", "muted")
        begin = partial(prepare_work.list_cases, self.source, choices, self.output)
        self._looking.ask("Look at data", begin, self._take_listed, ended=self._looked)

    def check_all(self) -> None:
        """Reads and checks one case after another, those that were not looked at yet."""
        left = [number for number in range(1, len(self.cases) + 1) if number not in self.checks]
        if left and self.look is not None:
            number = left[0]
            begin = partial(pair_work.look_at, number, self.cases[number - 1], self.look.domains)
            self._checking.ask("Check cases", begin, partial(self._go_on_checking, number), listed=False)
        else:
            self._checking.drop()
        self.changed.emit()

    def stop_checking(self) -> None:
        self._checking.drop()
        self.changed.emit()

    @property
    def checks_cases(self) -> bool:
        return self._checking.state is not None and self._checking.state.running

    def take_check(self, number: int, check: CaseCheck) -> None:
        """What was found of a case."""
        self.checks[number] = check
        self.checked.emit(number)

    # What is decided --------------------------------------------------------------------------------------------------

    def accept(self, number: int, placements: Sequence[Placement]) -> None:
        """From now on these pictures of the case lie there; none takes that back."""
        self._decide(self.decisions.placing(self.cases[number - 1], placements))

    def leave_out(self, numbers: Iterable[int], *, out: bool = True) -> None:
        """Cases that are not prepared, or are again."""
        keys = [self.decisions.key(self.cases[number - 1]) for number in numbers]
        self._decide(self.decisions.leaving_out(keys, out=out))

    def leaves_out(self, number: int) -> bool:
        return self.decisions.leaves_out(self.cases[number - 1])

    def placements(self, number: int) -> tuple[Placement, ...]:
        return self.decisions.placements(self.cases[number - 1])

    def _decide(self, decisions: Decisions) -> None:
        self.decisions = decisions
        self._take_prepared(None)
        if not self.running:
            begin = partial(prepare_work.keep, decisions, self.output)
            self._keeping.ask("Keep decisions", begin, lambda _kept: None, ended=self._kept, listed=False)
        self.decided.emit()

    def _kept(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self.said.emit(end.message, "error")

    # Preparing --------------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.work is not None and self.work.running

    def prepare(self) -> None:
        """In the background, as one job in the tray; goes on where it was stopped."""
        if self.running or not self.cases:
            return
        try:
            choices = self.choices()
        except CtmriError as error:
            self.said.emit(data_work.without_terminal(str(error)), "error")
            return
        self.stop_checking()
        self._take_prepared(None)
        self.said.emit("", "muted")
        begin = partial(prepare_work.prepare, self.source, choices, self.output, self.decisions)
        self.work = self._jobs.run("Prepare data", begin, on_result=self._take_prepared, on_end=self._ended)
        self.work.show = self.show
        self.changed.emit()

    def cancel(self) -> None:
        """What is prepared is kept."""
        if self.work is not None and self.work.running:
            self._jobs.stop(self.work)

    def _take_prepared(self, prepared: Prepared | None) -> None:
        if prepared is not None or self.done is not None:
            self.done = prepared
            self.prepared.emit(prepared)

    def _ended(self, end: Finished) -> None:
        self.changed.emit()
        if end.reason != "completed":
            words = data_work.unfinished(end)
            self._relook_quietly(words)

    def _relook_quietly(self, words: tuple[str, str]) -> None:
        """How many cases are prepared already, for the button that goes on."""
        begin = partial(prepare_work.list_cases, self.source, self.choices(), self.output)

        def take(listed: Listed) -> None:
            self.look = listed.look
            self.changed.emit()
            self.said.emit(*words)

        self._looking.ask("Look at data", begin, take, ended=lambda _end: self.said.emit(*words), listed=False)

    def _take_listed(self, listed: Listed) -> None:
        self.look, self.cases = listed.look, listed.cases
        if self._decided_for != (self.source, self.output):  # else what is known here is what the file holds, or newer
            self.decisions, self._decided_for = listed.decisions, (self.source, self.output)
        self.said.emit("", "muted")
        self.listed.emit()
        self._take_prepared(listed.look.prepared)

    def _looked(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self.said.emit(data_work.without_terminal(end.message), "error")
        self.changed.emit()

    def _go_on_checking(self, number: int, check: CaseCheck) -> None:
        self.take_check(number, check)
        self.check_all()

    def _follow(self, state: JobState) -> None:
        if state is self.work:
            self.changed.emit()
