"""The translation of a case, by one model or several, and why one cannot be. Those of several cases run one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Finished, Progress, StopSignal, Work
from ctmri_core.volume import Finding, Volume
from ctmri_gui.jobs import translate_work
from ctmri_gui.jobs.latest import Latest
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.models import terms
from ctmri_gui.models.library import fits
from ctmri_gui.translating.made import Made
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.model_card import ModelEntry

Result = TypeVar("Result")

_LOOK_AGAIN_S = 0.1
_turn = Lock()
"""Held by the translation that runs: two at once would take twice the memory and be no faster."""


@dataclass(frozen=True, eq=False)
class Doubt:
    """Why `source` was not given to the model `entry`. `asked`: a person waits for an answer."""

    source: Volume
    entry: ModelEntry
    findings: tuple[Finding, ...]
    asked: bool

    @property
    def words(self) -> str:
        return " ".join(finding.message for finding in self.findings)

    @property
    def of_terms(self) -> bool:
        """Whether terms of the model are to be seen first."""
        return any(finding.kind == terms.KIND for finding in self.findings)


@dataclass(frozen=True, eq=False)
class Turn:
    """One of the models that translate a source in turn. `wanted`: of the order, by its names; `place`: of what it makes."""

    entry: ModelEntry
    wanted: Mapping[str, Any]
    place: Role = Role.SYNTHETIC


@dataclass(frozen=True, eq=False)
class Row:
    """`turns` on `source`, one after another. `whose`: for the list of jobs, where there are several cases. `body`: on the
    source's grid, what alone is translated; None for all. `asked`: whether a person waits for it."""

    source: Volume
    turns: tuple[Turn, ...]
    whose: str = ""
    body: NDArray[np.bool_] | None = None
    asked: bool = True


class Translation(QObject):
    """Starts, follows and ends it. Whoever asked for it may change their mind: see `cancel` and `abandon`."""

    changed = Signal(object)  # JobState, or None when none runs
    made = Signal(object, object, object)  # Made, the Volume it was made from, and the Role of its place
    stopped = Signal(object, object)  # the same, of which only a part is there: somebody cancelled it
    doubted = Signal(object)  # Doubt: it was not begun, for that reason

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._latest = Latest(jobs)
        self.doubt: Doubt | None = None
        self._row: Row | None = None
        self._number = 0
        jobs.changed.connect(self._follow)

    @property
    def state(self) -> JobState | None:
        """The running translation."""
        state = self._latest.state
        return state if state is not None and state.running else None

    @property
    def places(self) -> tuple[Role, ...]:
        """Where the result of the running translation will lie, then those of the ones that wait for it."""
        return () if self._row is None else tuple(turn.place for turn in self._row.turns[self._number :])

    @property
    def words(self) -> str:
        """`model 2 of 3`; empty where one alone translates."""
        count = 0 if self._row is None else len(self._row.turns)
        return f"model {self._number + 1} of {count}" if count > 1 else ""

    def start(
        self, source: Volume, entry: ModelEntry, wanted: Mapping[str, Any], whose: str = "", *,
        body: NDArray[np.bool_] | None = None, all_the_same: bool = False, asked: bool = True,
    ) -> None:  # fmt: skip
        """Translates `source`; a translation that runs already is abandoned. `entry` must have a card. `wanted`: of the order, by
        its names. `whose`, `body`, `asked`: see `Row`. Where the scan is unlike what the model was made for, it tells a `doubt`
        instead, unless it is wanted `all_the_same`."""
        self._start(Row(source, (Turn(entry, wanted),), whose, body, asked), 0, all_the_same=all_the_same)

    def start_row(self, row: Row) -> None:
        """All its models, one after another; the next one too where one fails. A doubt holds them up until `go_on`."""
        self._start(row, 0)

    def go_on(self, doubt: Doubt, *, all_the_same: bool) -> bool:
        """After a doubt about one of several models: with that one all the same, or with the next. Whether it waited."""
        row = self._row
        if row is None or len(row.turns) == 1 or self.doubt is not doubt:
            return False
        if all_the_same:
            self._start(row, self._number, all_the_same=True)
        else:
            self._next()
        return True

    def _next(self) -> None:
        row, number = self._row, self._number + 1
        if row is not None and number < len(row.turns):
            self._start(row, number)

    def _start(self, row: Row, number: int, *, all_the_same: bool = False) -> None:
        self._row, self._number, self.doubt = row, number, None
        source, turn = row.source, row.turns[number]
        entry, keeps = turn.entry, turn.place is Role.SYNTHETIC
        assert entry.card is not None
        part: list[Made] = []
        translated = translate_work.translate if all_the_same else translate_work.translate_unless_doubtful
        keep = part.append if keeps else None
        begin = partial(in_turn, _turn, partial(translated, source, entry.path, turn.wanted, row.body, keep=keep))

        def take(result: Made | tuple[Finding, ...]) -> None:
            if isinstance(result, Made):
                self.made.emit(result, source, turn.place)
            else:
                self.doubt = Doubt(source, entry, result, row.asked)
                self.doubted.emit(self.doubt)

        def ended(how: Finished) -> None:
            if how.reason == "stopped":
                if part:
                    self.stopped.emit(part[0], source)
            elif self.doubt is None:
                self._next()

        title = ", ".join(part for part in (f"Translate {entry.card.direction.label}{row.whose}", self.words) if part)
        self._latest.ask(title, begin, take, ended=ended)
        self.changed.emit(self.state)

    def cancel(self) -> None:
        """Asks the work to end; what there is of it by then comes with `stopped`. Should it be complete before it hears, its
        result is kept. Of several models those that wait are not begun."""
        if self._row is not None:
            self._row = replace(self._row, turns=self._row.turns[: self._number + 1])
        if self.state is not None:
            self._jobs.stop(self.state)

    def abandon(self) -> None:
        """Ends the work and wants no answer, because its source or its place is gone."""
        self._row = None
        if self.state is not None:
            self._latest.drop()
            self.changed.emit(None)

    def _follow(self, state: JobState) -> None:
        if state is self._latest.state:
            self.changed.emit(self.state)


def in_turn(turn: Lock, begin: Callable[[StopSignal], Work[Result | None]], stop: StopSignal) -> Work[Result | None]:
    """`begin` as soon as nobody else holds `turn`; None when it was stopped before."""
    if not turn.acquire(blocking=False):
        yield Progress(done=0, message="waiting for another translation")
        while not turn.acquire(timeout=_LOOK_AGAIN_S):
            if stop():
                return None
    try:
        return (yield from begin(stop))
    finally:
        turn.release()


def why_not(source: Volume | None, model: ModelEntry | None) -> str:
    """Why `model` cannot translate `source`, in words; empty when it can."""
    if source is None:
        return "Open a scan first: drop it on the window."
    if model is None or model.card is None:
        return "No model is chosen. Drop a model file on the window, or choose one from the list."
    if model.card.outlines:
        return f"{model.card.name} outlines the body; it makes no image. Choose it in the body panel, and another model here."
    if not fits(model, source):
        takes = f"{model.card.name} takes {model.card.direction.source.label}; this scan is {source.domain.label}."
        return f"{takes} Choose another model, or correct the scan's kind."
    return model.card.recipe.problem_with(source.geometry)
