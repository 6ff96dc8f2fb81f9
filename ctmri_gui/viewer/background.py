"""One helper thread for small pieces of viewer work. Its answers, and its failures, arrive in the interface thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot


class Background:
    """Work is done in the order given. `close` forgets what has not begun and does not wait.

    The thread holds the work, which must therefore own no QObject, and the relay, which belongs to the program and is
    deleted in the interface thread after the last answer: nothing of Qt ends on the helper thread.
    """

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._relay = _Relay(QCoreApplication.instance())
        self._count = 0
        self.closed = False

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._relay.awaited)

    def submit(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Does `work` on the thread; hands what it returns to `then` in the interface thread."""
        if not self.closed:
            self._count += 1
            self._relay.awaited[self._count] = then
            doing = self._thread.submit(_do, self._relay, self._count, work)
            doing.add_done_callback(partial(_report, self._relay, self._count))

    def close(self) -> None:
        """No more answers."""
        if not self.closed:
            self.closed = True
            self._relay.awaited.clear()
            self._thread.submit(self._relay.deleteLater)
            self._thread.shutdown(wait=False)


class _Relay(QObject):
    """Carries answers across. `awaited`: by number, who is told; emptied when nobody wants them any more."""

    answered = Signal(int, object, object)

    def __init__(self, parent: QObject | None) -> None:
        super().__init__(parent)
        self.awaited: dict[int, Callable[[Any], None]] = {}
        # Queued: work done at once is reported by the thread that submits it, and nobody is told before `submit` returns.
        self.answered.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @Slot(int, object, object)
    def _tell(self, number: int, answer: object, failure: BaseException | None) -> None:
        then = self.awaited.pop(number, None)
        if then is None:
            return
        if failure is not None:
            raise failure
        then(answer)


def _do(relay: _Relay, number: int, work: Callable[[], Any]) -> object:
    return work() if number in relay.awaited else None


def _report(relay: _Relay, number: int, done: Future[object]) -> None:
    failure = done.exception()
    relay.answered.emit(number, None if failure else done.result(), failure)
