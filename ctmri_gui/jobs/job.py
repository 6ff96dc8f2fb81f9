"""Long work on its own thread, heard through signals."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from ctmri_core.errors import CtmriError, Stopped
from ctmri_core.events import Finished, StopSignal, Work
from ctmri_gui.jobs.collecting import Collecting

_log = logging.getLogger(__name__)
_alive: set[Job] = set()  # a QThread destroyed while it runs aborts the program
_collecting: list[Collecting] = []  # one, made on the interface thread with the first job

_STACK_BYTES = 16 * 2**20  # macOS gives secondary threads 0.5 MB, too little for compiled kernels
_CRASHED = "{title} ended with an unexpected error. It was written to the log; the program goes on."
_NO_MEMORY = "There was not enough memory. Close other programs or use a smaller volume."


class Job(QThread):
    """Drives one `Work` on a thread.

    Signals, all delivered on the thread that made the job: `happened(Event)` for what the work says; `result(object)` with
    its return value, only when it ran to its end; `finishedWith(Finished)` exactly once, whatever happened, after `result`.
    Work that comes to a result although it was asked to stop is completed: what was written must not be called cancelled.
    """

    happened = Signal(object)  # not `event`: that is a virtual method of QObject
    result = Signal(object)
    finishedWith = Signal(object)

    def __init__(self, title: str, begin: Callable[[StopSignal], Work[Any]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._begin = begin
        self._stop = threading.Event()
        self.setStackSize(_STACK_BYTES)
        self.finished.connect(self._let_go)

    def start(self, priority: QThread.Priority = QThread.Priority.InheritPriority) -> None:
        _alive.add(self)
        if not _collecting:
            _collecting.append(Collecting())
        _collecting[0].begin()
        super().start(priority)

    def stop(self) -> None:
        """Asks the work to end soon; `finishedWith` tells when it has. The thread is never terminated."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def run(self) -> None:
        try:
            end = Finished(reason="stopped") if self.stopping else self._drive(self._begin(self._stop.is_set))
        except Stopped:
            end = Finished(reason="stopped")
        except CtmriError as error:
            end = Finished(reason="failed", message=str(error))
        except MemoryError:
            end = Finished(reason="failed", message=_NO_MEMORY)
        except BaseException:  # noqa: BLE001  # the one funnel of a thread: a bug in the work ends in an event, not in silence
            _log.exception("%s crashed", type(self).__name__)
            end = Finished(reason="crashed", message=_CRASHED.format(title=self.title))
        self.finishedWith.emit(end)

    def _drive(self, work: Work[Any]) -> Finished:
        said: Finished | None = None
        while True:
            try:
                event = next(work)
            except StopIteration as done:
                gave_up = self.stopping and done.value is None
                end = said or Finished(reason="stopped" if gave_up else "completed")
                if end.reason == "completed":
                    self.result.emit(done.value)
                return end
            if isinstance(event, Finished):
                said = event
            else:
                self.happened.emit(event)

    def _let_go(self) -> None:
        self.wait()
        QTimer.singleShot(0, lambda: _forget(self))  # not here: the last reference must not die inside its own slot


def _forget(job: Job) -> None:
    _alive.discard(job)
    if not _alive:
        _collecting[0].end()


def stop_and_join_all() -> None:
    """Stops every living job and waits for their threads: the last thing before the program ends."""
    for job in tuple(_alive):
        job.stop()
    for job in tuple(_alive):
        job.wait()
        _forget(job)
