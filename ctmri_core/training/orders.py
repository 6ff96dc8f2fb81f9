"""What a person may ask of a run while it goes on. No torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, get_args

from ctmri_core.errors import printable
from ctmri_core.events import StopSignal

Order = Literal["pause", "go_on", "sample", "checkpoint", "stop_after_epoch", "stop"]
ORDERS: tuple[Order, ...] = get_args(Order)
_LONGEST_SHOWN = 40


class Orders:
    """Given on one thread (a window's, or one that reads a pipe), taken between two steps on the run's.

    `pause` holds until `go_on`; `stop_after_epoch` until the epoch ends or `go_on`, said to a run that does not pause, takes it
    back; `stop` is for good; `sample` and `checkpoint` are done once each time they were given, while the run pauses too.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._given: set[Order] = set()
        self._listener: Callable[[Order], None] | None = None
        self._unknown: list[str] = []
        self.changed = threading.Event()
        """Set whenever something is given, for a run that pauses and waits."""

    def give(self, order: Order) -> None:
        with self._lock:
            if order == "go_on":
                self._given.discard("pause" if self.paused else "stop_after_epoch")
            else:
                self._given.add(order)
            if self._listener is not None:
                self._listener(order)
        self.changed.set()

    def read(self, word: str) -> None:
        """Gives the order called `word`; one that is none is answered when the run looks next, see `answers`."""
        if word in ORDERS:
            self.give(word)
            return
        known = ", ".join(ORDERS)
        with self._lock:
            self._unknown.append(f"{printable(word)[:_LONGEST_SHOWN]!r} is no order to a run. There are: {known}.")
        self.changed.set()

    def answers(self) -> list[str]:
        """What is to be said of words that were no orders, once."""
        with self._lock:
            answers, self._unknown = self._unknown, []
        return answers

    def pass_on(self, listener: Callable[[Order], None]) -> None:
        """Tells `listener` of what holds already and of all that is given from now on, on the thread of whoever gives it."""
        with self._lock:
            self._listener = listener
            for order in self._given:
                listener(order)

    def wait(self, seconds: float) -> None:
        """Until something is given, for a run that has looked at all that was given before; at most so long."""
        self.changed.wait(seconds)
        self.changed.clear()

    @property
    def paused(self) -> bool:
        return "pause" in self._given

    @property
    def ends_with_epoch(self) -> bool:
        return "stop_after_epoch" in self._given

    def stop(self) -> bool:
        """Whether the run is to end now: a `StopSignal`."""
        return "stop" in self._given

    def or_stop(self, other: StopSignal) -> StopSignal:
        """Whether the run is to end now, by these orders or by `other`."""
        return lambda: self.stop() or other()

    def take(self, order: Literal["sample", "checkpoint"]) -> bool:
        """Whether `order` was given since it was last taken."""
        with self._lock:
            there = order in self._given
            self._given.discard(order)
        return there
