"""A command of ours in a process of its own: what it says, orders to it, and its end whatever it does."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO

from pydantic import ValidationError

from ctmri_core.errors import TrainingFailed
from ctmri_core.events import Event, from_json
from ctmri_core.training.orders import Order

LAST_LINES = 40
_LOOK_EVERY_S = 0.1


class ChildProcess:
    """Started with `words`, in a session of its own: Ctrl+C in a terminal is not for it. Leaving the context ends it at once.

    It is heard as lines of JSON; `log` keeps the last lines of what else it wrote. Raises `TrainingFailed` where the system
    starts no further process.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.log: deque[str] = deque(maxlen=LAST_LINES)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._asked: set[str] = set()
        self._cleared = False
        try:
            self._child = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                errors="replace", start_new_session=True, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                env={**os.environ, "PYTHONUTF8": "1"},
            )  # fmt: skip
        except OSError as error:
            raise TrainingFailed(f"The system could not start a process for training ({error.strerror}).") from error
        assert self._child.stdout is not None and self._child.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_events, args=(self._child.stdout,), name="hears training", daemon=True),
            threading.Thread(target=self._read_log, args=(self._child.stderr,), name="hears training", daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._clear()
        for reader in self._readers:
            reader.join()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                with suppress(OSError):  # orders that nobody read any more
                    stream.close()

    @property
    def number(self) -> int:
        """As the system counts processes."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether more may come of it."""
        if self._child.poll() is not None:
            self._clear()
        return self._child.poll() is None or any(reader.is_alive() for reader in self._readers) or not self._events.empty()

    @property
    def ended_by_us(self) -> bool:
        return bool(self._asked)

    @property
    def killed(self) -> bool:
        """Whether the system, or somebody, killed it, and not we."""
        return self._child.wait() == -_SIGKILL and "kill" not in self._asked

    def how_it_ended(self) -> str:
        """`exit code 3`, `signal 11, segmentation fault`."""
        code = self._child.wait()
        if code >= 0:
            return f"exit code {code}"
        words = signal.strsignal(-code)
        return f"signal {-code}" + (f", {words.lower()}" if words else "")

    def next_event(self) -> Event | None:
        """Waits a moment for one."""
        try:
            return self._events.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            return None

    def give(self, order: Order) -> None:
        """Hands an order on; to a process that has ended, nothing."""
        assert self._child.stdin is not None
        with suppress(OSError, ValueError):
            self._child.stdin.write(order + "\n")
            self._child.stdin.flush()

    def end(self, waited: float, patience: float) -> None:
        """Asks for the end, and every `patience` seconds in a way that is harder to overhear."""
        if waited < patience:
            self._once("stop", lambda: self.give("stop"))
        elif waited < 2 * patience:
            self._once("terminate", self._child.terminate)
        else:
            self._once("kill", self._kill_all)

    def _once(self, name: str, do: Callable[[], None]) -> None:
        if name not in self._asked:
            self._asked.add(name)
            with suppress(OSError):
                do()

    def _clear(self) -> None:
        """Ends it, and those that it started: they would hold its output open, and are nothing without it."""
        if not self._cleared:  # its number may soon be another's
            self._cleared = True
            self._kill_all()
            self._child.wait()

    def _kill_all(self) -> None:
        if sys.platform != "win32":
            with suppress(OSError):
                os.killpg(self._child.pid, signal.SIGKILL)
        elif self._child.poll() is None:
            self._child.kill()

    def _read_events(self, stream: IO[str]) -> None:
        for line in stream:
            try:
                self._events.put(from_json(line))
            except ValidationError:
                self.log.append(line.rstrip())

    def _read_log(self, stream: IO[str]) -> None:
        for line in stream:
            self.log.append(line.rstrip())


_SIGKILL = getattr(signal, "SIGKILL", 9)
