"""Answers to the newest question alone: what is asked while one is worked out waits, and only the last of it is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ctmri_gui.viewer.background import Background


class Newest:
    """Work is done on a thread of its own, answers come in the interface thread."""

    def __init__(self, name: str) -> None:
        self._background = Background(name)
        self._waiting: tuple[Callable[[], Any], Callable[[Any], None]] | None = None
        self._wanted = 0

    def ask(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._wanted += 1
        self._waiting = work, partial(self._tell, self._wanted, then)
        self._go_on()

    def drop(self) -> None:
        """Nobody wants an answer any more."""
        self._wanted += 1
        self._waiting = None

    def close(self) -> None:
        self.drop()
        self._background.close()

    def _go_on(self) -> None:
        if self._waiting is not None and not self._background.busy:
            (work, then), self._waiting = self._waiting, None
            self._background.submit(work, then)

    def _tell(self, number: int, then: Callable[[Any], None], answer: Any) -> None:
        """While a line is being dragged the answers on the way are shown; after `drop` none."""
        if number == self._wanted or self._waiting is not None:
            then(answer)
        self._go_on()
