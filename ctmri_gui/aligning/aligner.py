"""Aligning the truth of the case on the screen: what runs, what is proposed, and what becomes of it. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Finished, StopSignal, Work
from ctmri_core.volume import Volume
from ctmri_gui.aligning import align_work
from ctmri_gui.aligning.proposal import Proposal
from ctmri_gui.cases.case import Case
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import JobState
from ctmri_gui.session import Session
from ctmri_gui.undo import History
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.aligning.by_hand import Nudge
    from ctmri_core.aligning.kinds import Kind

_NOTHING = "Open a scan and drop its real counterpart on the window first; then they can be aligned."


class Aligner(QObject):
    """`proposal`: of the case on the screen. Nothing of the case changes before it is accepted; then it can be undone."""

    changed = Signal()  # what is proposed, or whether it is looked for
    failed = Signal(str)

    def __init__(self, session: Session, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._history = session, history
        self.proposal: Proposal | None = None
        self.kind: Kind = "rigid"
        self._latest = Latest(session.jobs)
        self._asked_for: Case | None = None
        self._originals: WeakKeyDictionary[Volume, Volume] = WeakKeyDictionary()
        session.cases.keep("alignment", self._leave, self._enter)
        session.volumeChanged.connect(self._follow)
        session.jobs.changed.connect(self._on_job)

    @property
    def running(self) -> JobState | None:
        """What looks for a place of the truth on the screen."""
        state = self._latest.state
        here = self._asked_for is self._session.cases.current
        return state if here and state is not None and state.running else None

    @property
    def problem(self) -> str:
        """Why there is nothing to align, or ""."""
        volumes = self._session.volumes
        truth = volumes[Role.TRUTH]
        if volumes[Role.SOURCE] is None or truth is None:
            return _NOTHING
        return "The ground truth is itself synthetic; there is nothing real to align." if truth.synthetic else ""

    def start(self, kind: Kind | None = None) -> None:
        """Looks for the place of the truth in the background."""
        self.kind = kind or self.kind
        wanted = self.kind
        self._ask("Align ground truth", lambda source, truth, own: partial(align_work.found, source, truth, own, wanted))

    def load(self, path: Path) -> None:
        """Takes the transform of a file."""
        self._ask("Open transform", partial(partial, align_work.loaded, path))

    def start_by_hand(self) -> None:
        """Begins where the file says."""
        self._ask("Align by hand", partial(partial, align_work.as_it_lies))

    def stop(self) -> None:
        """Gives up what is looked for."""
        self._latest.drop()
        self.changed.emit()

    def nudge(self, nudge: Nudge) -> None:
        """By hand, all in all; live."""
        if self.proposal is not None and self.proposal.may_be_nudged and nudge != self.proposal.nudge:
            self._propose(self.proposal.nudged(nudge))

    def accept(self) -> None:
        """The truth lies there from now on."""
        proposal, case = self.proposal, self._session.cases.current
        if proposal is None:
            return
        before, after = proposal.truth, proposal.shown
        self._originals[after] = proposal.original
        self.proposal = None
        case.put_truth(before, after)
        case.try_place(trying=False)
        self._history.record("aligning", partial(case.put_truth, after, before), partial(case.put_truth, before, after))
        self.changed.emit()

    def discard(self) -> None:
        """Nothing was proposed."""
        if self.proposal is not None:
            self._propose(None)

    def save(self, path: Path) -> None:
        """Writes the transform that is proposed."""
        if self.proposal is not None:
            begin = partial(align_work.written, path, self.proposal.full)
            self._session.jobs.run("Save transform", begin, on_result=self._session.saved.emit)

    def _ask(
        self, title: str, begin: Callable[[Volume, Volume, Volume], Callable[[StopSignal], Work[Proposal | None]]]
    ) -> None:
        source, truth = self._session.volumes[Role.SOURCE], self._session.volumes[Role.TRUTH]
        if self.problem or source is None or truth is None:
            self.failed.emit(self.problem)
            return
        case, original = self._session.cases.current, self._originals.get(truth, truth)
        self._asked_for = case
        self._latest.ask(title, begin(source, truth, original), partial(self._take, case), ended=self._end)
        self.changed.emit()

    def _take(self, case: Case, proposal: Proposal) -> None:
        """Even should another case be on the screen by now: it is shown with its own."""
        if case.volumes[Role.SOURCE] is not proposal.source or case.volumes[Role.TRUTH] is not proposal.truth:
            return
        if case is self._session.cases.current:
            self._propose(proposal)
        else:
            case.try_place(trying=True)
            case.kept["alignment"] = proposal

    def _end(self, how: Finished) -> None:
        self.changed.emit()
        if how.reason == "failed":
            self.failed.emit(how.message)

    def _propose(self, proposal: Proposal | None) -> None:
        self.proposal = proposal
        self._session.cases.current.try_place(trying=proposal is not None)
        self.changed.emit()

    def _follow(self, role: Role, volume: Volume | None) -> None:
        """Another source or truth: what was proposed was for those before."""
        proposal = self.proposal
        if proposal is None or role not in (Role.SOURCE, Role.TRUTH):
            return
        if volume is not (proposal.source if role is Role.SOURCE else proposal.truth):
            self._propose(None)

    def _on_job(self, state: JobState) -> None:
        if state is self._latest.state:
            self.changed.emit()

    def _leave(self) -> Proposal | None:
        """The case on the screen goes; its proposal is kept with it."""
        proposal, self.proposal = self.proposal, None
        return proposal

    def _enter(self, proposal: Proposal | None) -> None:
        self.proposal = proposal
        self.changed.emit()
