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
from ctmri_gui.jobs.queue import Jobs
from ctmri_gui.placement import choose_at_once
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.io.series import Series


@dataclass(frozen=True, eq=False)
class Opening:
    """Paths that were dropped or chosen together, and the pane they were dropped on, if any."""

    paths: tuple[Path, ...]
    role: Role | None


class Openings(QObject):
    """A queue of openings, so that a second drop during a long load is not lost and the order stays."""

    loaded = Signal(object, object)  # Opening, tuple[Volume, ...]
    choiceNeeded = Signal(object, object)  # Opening, tuple[Series, ...]: answer with `choose`
    failed = Signal(str)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._waiting: deque[Opening] = deque()
        self._current: Opening | None = None

    def add(self, paths: Sequence[Path], role: Role | None) -> None:
        self._waiting.append(Opening(tuple(paths), role))
        self._next()

    def choose(self, opening: Opening, chosen: Sequence[Series]) -> None:
        """Loads `chosen`; an empty choice gives the opening up."""
        if opening is not self._current:
            return
        if not chosen:
            self._finish()
            return
        self._jobs.run(
            f"Open {opening.paths[0].name}",
            partial(work.load_series, tuple(chosen)),
            on_result=lambda volumes: self.loaded.emit(opening, volumes) if volumes else None,
            on_end=self._loading_ended,
        )

    def _next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        opening = self._current = self._waiting.popleft()
        self._jobs.run(
            f"Look into {opening.paths[0].name}",
            partial(work.find_series, opening.paths),
            on_result=lambda series: self._found(opening, series),
            on_end=self._looking_ended,
        )

    def _found(self, opening: Opening, series: tuple[Series, ...] | None) -> None:
        chosen = choose_at_once(series or (), opening.role)
        if chosen or not series:
            self.choose(opening, chosen)
        else:
            self.choiceNeeded.emit(opening, series)

    def _looking_ended(self, end: Finished) -> None:
        if end.reason != "completed":
            self._loading_ended(end)

    def _loading_ended(self, end: Finished) -> None:
        if end.reason in ("failed", "crashed"):
            self.failed.emit(end.message)
        self._finish()

    def _finish(self) -> None:
        self._current = None
        self._next()
