"""Looking for cases in a huge folder ends soon when it is asked to, wherever in a layout it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ctmri_core.errors import Stopped
from ctmri_core.events import StopSignal, never

_stop: ContextVar[StopSignal] = ContextVar("stop", default=never)


@contextmanager
def heeding(stop: StopSignal) -> Iterator[None]:
    """Inside, `go_on` ends the search once `stop` asks to."""
    before = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(before)


def go_on() -> None:
    """To be called for every folder and file that is looked at. Raises `Stopped`."""
    if _stop.get()():
        raise Stopped("Looking for cases was stopped.")
