"""One helper thread for small pieces of viewer work. A failure there surfaces in the interface thread, not in silence."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Signal


class Background(QObject):
    """Work is done in the order given. `close` forgets what has not begun and does not wait."""

    _failed = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.closed = False
        self._failed.connect(self._raise)

    def submit(self, work: Callable[..., object], *arguments: Any) -> None:
        if not self.closed:
            self._thread.submit(work, *arguments).add_done_callback(self._look_at)

    def close(self) -> None:
        self.closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look_at(self, done: Future[object]) -> None:
        failure = None if done.cancelled() else done.exception()
        if failure is not None and not self.closed:
            self._failed.emit(failure)

    def _raise(self, failure: BaseException) -> None:
        raise failure
