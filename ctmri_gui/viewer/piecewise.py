"""Longer viewer work in small pieces on a helper thread: only the newest counts, and it ends as soon as it is not wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from typing import Any, NamedTuple

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from ctmri_gui.viewer.background import Background

_QUIET_MS, _LONGEST_MS = 150, 1000


class _End(NamedTuple):
    result: Any


class Piecewise(QObject):
    """Asks a generator for one piece after another, and for the next one only when the interface thread has taken the last."""

    came = Signal(object)  # a piece
    ended = Signal(object)  # what the generator returned

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(name)
        self._running: Iterator[Any] | None = None
        self._waits = False
        self._since_first = QElapsedTimer()
        self._quiet = QTimer(self, singleShot=True)
        self._quiet.timeout.connect(self._resume)

    @property
    def running(self) -> bool:
        return self._running is not None

    def run(self, pieces: Iterator[Any] | None) -> None:
        """From now on this, in place of what was under way; None: nothing."""
        self._running, self._waits = pieces, False
        if pieces is not None:
            self._go_on(pieces)

    def make_way(self) -> None:
        """Pictures are wanted first: the next piece waits until this was not said for a moment, though never for long."""
        if not self._quiet.isActive():
            self._since_first.start()
        elif self._since_first.elapsed() > _LONGEST_MS:
            return
        self._quiet.start(_QUIET_MS)

    def close(self) -> None:
        """Nothing more."""
        self._running = None
        self._quiet.stop()
        self._background.close()

    def _go_on(self, pieces: Iterator[Any]) -> None:
        self._waits = self._quiet.isActive()
        if not self._waits:
            self._background.submit(partial(_next_of, pieces), partial(self._take, pieces))

    def _resume(self) -> None:
        if self._waits and self._running is not None:
            self._go_on(self._running)

    def _take(self, pieces: Iterator[Any], piece: Any) -> None:
        if pieces is not self._running:
            return
        if isinstance(piece, _End):
            self._running = None
            self.ended.emit(piece.result)
        else:
            self._go_on(pieces)
            self.came.emit(piece)


def _next_of(pieces: Generator[Any, None, Any] | Iterator[Any]) -> Any:
    try:
        return next(pieces)
    except StopIteration as end:
        return _End(end.value)
