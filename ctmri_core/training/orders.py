"""What a person may ask of a run while it goes on. No torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, get_args

from ctmri_core.events import StopSignal

Order = Literal["pause", "go_on", "sample", "checkpoint", "stop_after_epoch", "stop"]
ORDERS: tuple[Order, ...] = get_args(Order)


class Orders:
    """Given on one thread (a window's, or one that reads a pipe), taken between two steps on the run's.

    `pause` holds until `go_on`; `stop_after_epoch` until the epoch ends or `go_on` takes it back; `stop` is for good; `sample`
    and `checkpoint` are done once each time they were given, while the run pauses too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: set[Order] = set()
        self._listener: Callable[[Order], None] | None = None
        self.changed = threading.Event()
        """Set whenever something is given, for a run that pauses and waits."""

    def give(self, order: Order) -> None:
        with self._lock:
            if order == "go_on":
                self._given -= {"pause", "stop_after_epoch"}
            else:
                self._given.add(order)
            listener = self._listener
        self.changed.set()
        if listener is not None:
            listener(order)

    def pass_on(self, listener: Callable[[Order], None]) -> None:
        """Tells `listener` of what holds already and of all that is given from now on, on the thread of whoever gives it."""
        with self._lock:
            self._listener, given = listener, tuple(self._given)
        for order in given:
            listener(order)

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
