"""Longer viewer work in small pieces on a helper thread: only the newest counts, and it ends as soon as it is not wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from ctmri_gui.viewer.background import Background


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

    @property
    def running(self) -> bool:
        return self._running is not None

    def run(self, pieces: Iterator[Any] | None) -> None:
        """From now on this, in place of what was under way; None: nothing."""
        self._running = pieces
        if pieces is not None:
            self._go_on(pieces)

    def close(self) -> None:
        """Nothing more."""
        self._running = None
        self._background.close()

    def _go_on(self, pieces: Iterator[Any]) -> None:
        self._background.submit(partial(_next_of, pieces), partial(self._take, pieces))

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
