"""From dropped paths to loaded volumes: look, ask when in doubt, load; one opening after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ctmri_core.events import Finished
from ctmri_gui.jobs import work
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.placement import choose_at_once
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.io.series import Series
    from ctmri_core.volume import Volume


@dataclass(frozen=True, eq=False)
class Opening:
    """Paths that were dropped or chosen together, and the pane they were dropped on, if any."""

    paths: tuple[Path, ...]
    role: Role | None


class Openings(QObject):
    """A queue of openings, so that a second drop during a long load is not lost and the order stays."""

    loaded = Signal(object, object)  # Opening, tuple[Volume, ...]
    choiceNeeded = Signal(object, object)  # Opening, tuple[Series, ...]: answer with `choose`

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._waiting: deque[Opening] = deque()
        self._current: Opening | None = None
        self._state: JobState | None = None

    def add(self, paths: Sequence[Path], role: Role | None) -> None:
        self._waiting.append(Opening(tuple(paths), role))
        self._next()

    @property
    def busy(self) -> bool:
        """Whether something is being opened or waits for it."""
        return self._current is not None

    def stop(self) -> None:
        """Gives up what is being opened and what waits; no answer comes any more."""
        self._waiting.clear()
        self._current = None
        if self._state is not None:
            self._jobs.stop(self._state)
            self._state = None

    def choose(self, opening: Opening, chosen: Sequence[Series]) -> None:
        """Loads `chosen`; an empty choice gives the opening up."""
        if opening is not self._current:
            return
        if not chosen:
            self._finish()
            return
        self._state = self._jobs.run(
            "Open scan",  # without a name: a folder's is often a patient's, and this stands on the screen
            partial(work.load_series, tuple(chosen)),
            on_result=partial(self._loaded, opening),
            on_end=partial(self._loading_ended, opening),
        )

    def _next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        opening = self._current = self._waiting.popleft()
        self._state = self._jobs.run(
            "Look for scans",
            partial(work.find_series, opening.paths),
            on_result=partial(self._found, opening),
            on_end=partial(self._looking_ended, opening),
        )

    def _found(self, opening: Opening, series: tuple[Series, ...] | None) -> None:
        if opening is not self._current:
            return
        chosen = choose_at_once(series or (), opening.role)
        if chosen or not series:
            self.choose(opening, chosen)
        else:
            self.choiceNeeded.emit(opening, series)

    def _loaded(self, opening: Opening, volumes: tuple[Volume, ...] | None) -> None:
        if opening is self._current and volumes:
            self.loaded.emit(opening, volumes)

    def _looking_ended(self, opening: Opening, end: Finished) -> None:
        if end.reason != "completed":
            self._loading_ended(opening, end)

    def _loading_ended(self, opening: Opening, _end: Finished) -> None:
        if opening is self._current:
            self._finish()

    def _finish(self) -> None:
        self._current = self._state = None
        self._next()
