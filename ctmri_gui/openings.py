"""From dropped paths to loaded volumes: look, ask when in doubt, load; one opening after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from ctmri_core.events import Finished
from ctmri_gui.cases.room import shortage
from ctmri_gui.given_spacings import GivenSpacings, lacks_spacing
from ctmri_gui.jobs import work
from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.placement import choose_at_once
from ctmri_gui.viewer.roles import Role

if TYPE_CHECKING:
    from ctmri_core.geometry import Triple
    from ctmri_core.io.series import Series
    from ctmri_core.volume import Volume
    from ctmri_gui.cases.case import Case


@dataclass(eq=False)
class Opening:
    """Paths that were dropped or chosen together, and the pane they were dropped on, if any.

    `asked_in`: the case that was on the screen then; `alone`: asked for as a new case; `home`: the case that they go to, once
    that is known.
    """

    paths: tuple[Path, ...]
    role: Role | None
    asked_in: Case
    alone: bool = False
    home: Case | None = None

    def concerns(self, case: Case) -> bool:
        """Whether nobody wants it any more once `case` is closed."""
        meant = self.role is not None or case.empty
        return self.home is case or (self.home is None and self.asked_in is case and meant and not self.alone)


class Openings(QObject):
    """A queue of openings, so that a second drop during a long load is not lost and the order stays."""

    loaded = Signal(object, object, object)  # Opening, tuple[Series, ...], tuple[Volume, ...]: in the same order
    choiceNeeded = Signal(object, object)  # Opening, tuple[Series, ...]: answer with `choose`
    spacingNeeded = Signal(object, object)  # Opening, Series: answer with `tell_spacing`, or give up with `choose`
    roomNeeded = Signal(object, object)  # Opening, Shortage: answer with `load`, or give up with `choose`
    previewed = Signal(object, object, object)  # Opening, tuple[Series, ...], (which of them, one slice of it as a Volume)
    previewOver = Signal()  # what was previewed is there, or will not come
    over = Signal(object)  # Opening: it has come to its end, whichever
    changed = Signal(object)  # JobState of what is being loaded
    _seen = Signal(object, int, object)  # from the thread that loads

    def __init__(self, jobs: Jobs, may_make_room: Callable[[], bool], parent: QObject | None = None) -> None:
        """`may_make_room`: whether closing something would give memory back."""
        super().__init__(parent)
        self._jobs = jobs
        self._may_make_room = may_make_room
        self.spacings = GivenSpacings()
        self._waiting: deque[Opening] = deque()
        self._current: Opening | None = None
        self._chosen: tuple[Series, ...] = ()
        self._state: JobState | None = None
        self.previewing = False  # the panes show what is not open yet
        self._seen.connect(self._take_preview)
        jobs.changed.connect(self._follow)

    def add(self, opening: Opening) -> None:
        self._waiting.append(opening)
        self._next()

    @property
    def busy(self) -> bool:
        """Whether something is being opened or waits for it."""
        return self._current is not None

    def stop(self) -> None:
        """Gives up what is being opened and what waits; no answer comes any more."""
        self._waiting.clear()
        self._give_up()

    def drop(self, case: Case) -> None:
        """Gives up what was to go to a case that is closed."""
        self._waiting = deque(opening for opening in self._waiting if not opening.concerns(case))
        if self._current is not None and self._current.concerns(case):
            self._give_up()

    def choose(self, opening: Opening, chosen: Sequence[Series]) -> None:
        """Loads `chosen`, once their voxel sizes are settled; an empty choice gives the opening up."""
        if opening is not self._current:
            return
        if not chosen:
            self._finish()
            return
        self._chosen = tuple(chosen)
        unsettled = next((series for series in chosen if lacks_spacing(series) and not self.spacings.settled(series)), None)
        if unsettled is not None:
            self.spacingNeeded.emit(opening, unsettled)
            return
        self._chosen = tuple(self.spacings.applied(series) for series in chosen)
        lack = shortage(self._chosen) if self._may_make_room() else None
        if lack is not None:
            self.roomNeeded.emit(opening, lack)
        else:
            self.load(opening)

    def load(self, opening: Opening) -> None:
        """Loads what was chosen, whether or not there is room."""
        if opening is not self._current:
            return
        self._state = self._jobs.run(
            "Open scan",  # without a name: a folder's is often a patient's, and this stands on the screen
            partial(work.load_series, self._chosen, show=partial(self._seen.emit, opening)),
            on_result=partial(self._loaded, opening),
            on_end=partial(self._loading_ended, opening),
        )

    def tell_spacing(self, opening: Opening, series: Series, spacing: Triple | None) -> None:
        """The voxel size of `series`, and of those opened with it that have the same matrix; None: nobody knows it."""
        if opening is self._current:
            for entry in (series, *self._chosen):
                if lacks_spacing(entry) and (entry.shape or ())[1:] == (series.shape or ())[1:]:
                    self.spacings.settle(entry, spacing)
            self.choose(opening, self._chosen)

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

    @Slot(object, int, object)
    def _take_preview(self, opening: Opening, number: int, volume: Volume) -> None:
        if opening is self._current:
            self.previewing = True
            self.previewed.emit(opening, self._chosen, (number, volume))

    def _follow(self, state: JobState) -> None:
        if state is self._state and state.running:
            self.changed.emit(state)

    def _loaded(self, opening: Opening, volumes: tuple[Volume, ...] | None) -> None:
        if opening is self._current and volumes:
            self.previewing = False
            self.loaded.emit(opening, self._chosen, volumes)
            self.previewOver.emit()  # now: what was seen gives way to what is there, and to nothing in between

    def _looking_ended(self, opening: Opening, end: Finished) -> None:
        if end.reason != "completed":
            self._loading_ended(opening, end)

    def _loading_ended(self, opening: Opening, _end: Finished) -> None:
        if opening is self._current:
            self._finish()

    def _give_up(self) -> None:
        if self._state is not None:
            self._jobs.stop(self._state)
        self._finish()

    def _finish(self) -> None:
        opening, self._current, self._state = self._current, None, None
        self._chosen = ()
        self._end_preview()
        if opening is not None:
            self.over.emit(opening)
        self._next()

    def _end_preview(self) -> None:
        self.previewing = False
        self.previewOver.emit()
