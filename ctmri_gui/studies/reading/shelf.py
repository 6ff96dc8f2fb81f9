"""Pictures of the present trial and of the next one, loaded on a thread while the reader looks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from PySide6.QtCore import QObject, Signal

from ctmri_core.errors import CtmriError
from ctmri_core.studies.pictures import Int16Array
from ctmri_core.studies.trials import Trial
from ctmri_gui.logs import describe_crash

_log = logging.getLogger(__name__)


class Shelf(QObject):
    """Holds two trials' pictures at most. All pictures of a study have one size and one way to here, whatever they show.

    Signals, to be connected as queued, since they come from the thread: `ready()` when a picture is there; `failed(str)` when one
    cannot be read.
    """

    ready = Signal()
    failed = Signal(str)

    def __init__(self, load: Callable[[str], Int16Array], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._thread = ThreadPoolExecutor(1, "pictures")
        self._kept: dict[str, Future[Int16Array]] = {}

    def want(self, now: Trial, following: Trial | None) -> None:
        """Loads what is missing of these, the first first, and lets all others go."""
        tokens = dict.fromkeys((*now.items, *(following.items if following is not None else ())))
        for token in self._kept.keys() - tokens.keys():
            self._kept.pop(token).cancel()
        for token in tokens:
            if token not in self._kept or self._has_failed(token):
                future = self._kept[token] = self._thread.submit(self._load, token)
                future.add_done_callback(self._tell)  # when it is done, and not while it still runs

    def pictures(self, trial: Trial) -> tuple[Int16Array, ...] | None:
        """Those of a trial (k, j, i), in its order; None while one is on its way."""
        futures = [self._kept.get(token) for token in trial.items]
        there = [one for one in futures if one is not None and one.done() and not one.cancelled() and one.exception() is None]
        return tuple(one.result() for one in there) if len(there) == len(futures) else None

    def close(self) -> None:
        """Nothing more is loaded; waits for the picture that is on its way."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._kept.clear()

    def _has_failed(self, token: str) -> bool:
        future = self._kept[token]
        return future.done() and (future.cancelled() or future.exception() is not None)

    def _tell(self, future: Future[Int16Array]) -> None:
        """On the thread of the pictures."""
        error = None if future.cancelled() else future.exception()
        if error is None:
            self.ready.emit()
        elif isinstance(error, CtmriError):
            self.failed.emit(str(error))
        elif isinstance(error, MemoryError):
            self.failed.emit("There is not enough memory for the picture. Close other programs.")
        else:
            _log.error("a picture\n%s", describe_crash(error))
            self.failed.emit("Something unexpected happened. It was written to the log; what you answered is saved.")
