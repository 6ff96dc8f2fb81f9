"""The jobs of a window: what runs, how far it is, and how the last ones ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import shiboken6
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ctmri_core.events import Event, Finished, Noted, Progress, Started, Step, StopSignal, Work
from ctmri_gui.jobs.job import Job

_KEPT_ENDED = 8
_SECONDS_BEFORE_TIME_LEFT = 3.0  # an estimate made earlier jumps about
_SETTING = {
    "passes": "{} passes over the scan", "device": "{}", "precision": "{}", "patch": "patches of {} px",
    "estimated_memory_mb": "{} MB",
}  # fmt: skip
"""What a person may want to know of how it runs."""
_LONG_MINUTES = 90
_SLOWEST_TOLD = 0.05  # per second: less would read 0.0
_ENDED_WORDS = {"completed": "done", "stopped": "cancelled", "failed": "failed", "crashed": "failed unexpectedly"}

Index = QModelIndex | QPersistentModelIndex


def gone(call: Callable[..., object]) -> bool:
    """Whether `call` is a method of a Qt object that was destroyed since: nobody is there to answer to."""
    owner = getattr(call, "__self__", None)
    return isinstance(owner, QObject) and not shiboken6.isValid(owner)


@dataclass(eq=False)
class JobState:
    """What a person may know about one job. `job` is let go when it ends."""

    title: str
    job: Job | None = field(default=None, repr=False)
    unit: str = ""
    done: int = 0
    total: int | None = None
    share: float | None = None
    rate: float | None = None
    seconds_left: float | None = None
    message: str = ""
    note: str = ""
    setting: str = ""
    end: Finished | None = None
    started: float = field(default_factory=time.monotonic)
    part_began: float = field(default_factory=time.monotonic)
    show: Callable[[], None] | None = field(default=None, repr=False)
    """Leads to where a person sees more of it."""

    @property
    def running(self) -> bool:
        return self.end is None

    @property
    def stopping(self) -> bool:
        return self.job is not None and self.job.stopping

    def stop(self) -> None:
        if self.job is not None:
            self.job.stop()

    @property
    def fraction(self) -> float | None:
        """0 to 1, or None when nobody knows."""
        if self.end is not None and self.end.reason == "completed":
            return 1.0
        return self.share if not self.total else min(self.done / self.total, 1.0)

    @property
    def text(self) -> str:
        """`12 of 90 slices · 4.1 per s · 0:19 left`."""
        if self.end is not None:
            return self.end.message.partition("\n")[0] or _ENDED_WORDS[self.end.reason]
        if self.stopping:
            return "cancelling"
        parts = [self._counted if self.total else self.message or self.note or "working"]
        if self.rate and self.rate >= _SLOWEST_TOLD and self.unit != "bytes":
            parts.append(f"{self.rate:.1f} per s")
        elapsed = time.monotonic() - self.started
        if elapsed > _SECONDS_BEFORE_TIME_LEFT:
            left = self._left
            parts.append(f"{_clock(elapsed)} so far" if left is None else f"{_clock(left)} left")
        return " · ".join(parts)

    @property
    def _left(self) -> float | None:
        """Seconds: as the work says, else as what is done of this part of it promises."""
        if self.seconds_left is None and self.fraction:
            return (time.monotonic() - self.part_began) * (1 / self.fraction - 1)
        return self.seconds_left

    @property
    def _counted(self) -> str:
        if self.unit == "bytes":
            return f"{self.done / 2**20:.0f} of {(self.total or 0) / 2**20:.0f} MB"
        return f"{self.done} of {self.total} {self.unit}".strip()

    def hear(self, event: Event) -> None:
        """Takes over what `event` says."""
        if isinstance(event, Started):
            self.total, self.unit, self.done, self.share = event.total, event.unit, 0, None
            self.rate, self.seconds_left, self.part_began = None, None, time.monotonic()
            told = event.details
            self.setting = ", ".join(words.format(told[name]) for name, words in _SETTING.items() if name in told)
        elif isinstance(event, Progress):
            self.done, self.rate, self.seconds_left = event.done, event.rate, event.seconds_left
            self.total, self.unit = event.total or self.total, event.unit or self.unit
            self.message = event.message or self.message
        elif isinstance(event, Step):
            self.done, self.seconds_left, self.rate = event.iteration, event.seconds_left, 1 / max(event.seconds, 1e-9)
            self.share = event.share
        elif isinstance(event, Noted):
            self.note = event.message.partition("\n")[0]


def _clock(seconds: float) -> str:
    """`0:19`, `61:05`, `3 h 20 min`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < _LONG_MINUTES else f"{minutes // 60} h {minutes % 60} min"


class Jobs(QAbstractListModel):
    """Starts jobs and lists them, newest first.

    `changed(JobState)` follows every job from its start, `noted(str)` passes on what a job says in earnest, `failed(str)` why
    one failed, `idle()` says that none runs.
    """

    changed = Signal(object)
    noted = Signal(str)
    failed = Signal(str)
    idle = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._listed: list[JobState] = []
        self._running: dict[Job, JobState] = {}
        self._closed = False

    def run(
        self,
        title: str,
        begin: Callable[[StopSignal], Work[Any]],
        *,
        on_result: Callable[[Any], None] | None = None,
        on_end: Callable[[Finished], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        listed: bool = True,
    ) -> JobState:
        """Starts `begin` as a job. The call-backs come on this thread; once all is closed no result does, for whoever asked may
        be gone. `listed=False` keeps small work out of the tray.
        """
        job = Job(title, begin)
        state = JobState(title, job)
        self._running[job] = state
        if listed:
            self._insert(state)
        job.happened.connect(lambda event: self._heard(state, event))
        if on_event is not None:
            job.happened.connect(on_event)
        if on_result is not None:
            job.result.connect(lambda answer: None if self.closed or gone(on_result) else on_result(answer))
        job.finishedWith.connect(lambda end: self._ended(state, end))
        if on_end is not None:
            job.finishedWith.connect(on_end)
        job.finished.connect(self._look_for_idle)
        if self._closed:
            job.stop()
        job.start()
        self._tell(state)
        return state

    @property
    def closed(self) -> bool:
        """Whether nothing is begun any more."""
        return self._closed

    @property
    def running(self) -> tuple[JobState, ...]:
        return tuple(self._running.values())

    @property
    def busy(self) -> bool:
        """Whether listed work runs: work that somebody waits for."""
        return self.newest_running is not None

    @property
    def listed(self) -> tuple[JobState, ...]:
        """Those that a person sees, newest first."""
        return tuple(self._listed)

    def forget_ended(self) -> None:
        """Takes out of the list what runs no more."""
        self._remove([row for row, state in enumerate(self._listed) if not state.running])

    @property
    def newest_running(self) -> JobState | None:
        """The listed job that was started last among those that run."""
        return next((state for state in self._listed if state.running), None)

    def stop(self, state: JobState) -> None:
        """Asks one job to end; shown at once."""
        state.stop()
        self._tell(state)

    def stop_all(self) -> None:
        for state in self.running:
            self.stop(state)

    def close(self) -> None:
        """Stops everything; what is still run afterwards ends before it begins."""
        self._closed = True
        self.stop_all()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._listed)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        state = self._listed[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{state.title}: {state.text}"
        return state if role == Qt.ItemDataRole.UserRole else None

    def _insert(self, state: JobState) -> None:
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._listed.insert(0, state)
        self.endInsertRows()
        ended = [row for row, old in enumerate(self._listed) if not old.running]
        self._remove(ended[_KEPT_ENDED:])

    def _remove(self, rows: list[int]) -> None:
        for row in reversed(rows):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._listed[row]
            self.endRemoveRows()

    def _heard(self, state: JobState, event: Event) -> None:
        state.hear(event)
        if isinstance(event, Noted) and event.serious:
            self.noted.emit(event.message)
        self._tell(state)

    def _ended(self, state: JobState, end: Finished) -> None:
        if state.job is not None:
            self._running.pop(state.job, None)
        state.end, state.job = end, None
        self._tell(state)
        if end.reason in ("failed", "crashed"):
            self.failed.emit(end.message)

    def _tell(self, state: JobState) -> None:
        if state in self._listed:
            index = self.index(self._listed.index(state))
            self.dataChanged.emit(index, index)
        self.changed.emit(state)

    def _look_for_idle(self) -> None:
        if not self._running:
            self.idle.emit()
