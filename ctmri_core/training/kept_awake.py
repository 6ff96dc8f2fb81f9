"""Keeps the machine from going to sleep while a run goes on; the screen may."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_S = 3.0


@contextmanager
def kept_awake() -> Iterator[None]:
    """Inside, the machine does not sleep of itself. Where the system offers no way (a container, a server), nothing happens.

    On a thread of its own: a system bus that does not answer would hold the start up for seconds.
    """
    over = threading.Event()
    holder = threading.Thread(target=_hold, args=(over,), name="keeps awake", daemon=True)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join(_PATIENCE_S)


def _hold(over: threading.Event) -> None:
    from wakepy import keep

    with keep.running(on_fail="pass"):
        over.wait()
