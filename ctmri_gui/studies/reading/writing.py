"""What a reader did is written on a thread of its own, so that a slow disk does not hold the window."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, Qt, Signal

from ctmri_core.errors import CtmriError
from ctmri_gui.logs import describe_crash

_AT_ONCE_S = 0.1
"""What is on the disk within the time that lies before the next picture in any case is told without a word of saving."""
_BUG = "Something unexpected happened. It was written to the log."
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Write:
    future: Future[object]
    done: Callable[[], object]
    failed: Callable[[str], object]


class Writing(QObject):
    """Writes one thing after the other. Nobody else may use the record while it is `busy`."""

    _ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, "record")
        self._waiting: deque[_Write] = deque()
        self._ended.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def write(self, act: Callable[[], object], done: Callable[[], object], failed: Callable[[str], object]) -> bool:
        """Then `done`, or `failed` with words: on the window's thread, within this call where the disk is quick, else later.
        Whether it was within this call."""
        future = self._thread.submit(act)
        self._waiting.append(_Write(future, done, failed))
        future.add_done_callback(lambda _: self._ended.emit())
        return self.wait(_AT_ONCE_S)

    def wait(self, seconds: float) -> bool:
        """Whether all was written, or failed, within this time, and was told."""
        end = monotonic() + seconds
        while self._waiting:
            with suppress(TimeoutError):
                self._waiting[0].future.exception(max(end - monotonic(), 0))
            if not self._waiting[0].future.done():
                return False
            self._tell()
        return True

    def close(self) -> None:
        """Nothing more is written. What hangs is left to itself: the process waits for it in the end."""
        self._thread.shutdown(wait=not self.busy)

    def _tell(self) -> None:
        while self._waiting and self._waiting[0].future.done():
            one = self._waiting.popleft()
            error = one.future.exception()
            if error is None:
                one.done()
            elif isinstance(error, CtmriError):
                one.failed(str(error))
            else:
                _log.error("writing\n%s", describe_crash(error))
                one.failed(_BUG)
