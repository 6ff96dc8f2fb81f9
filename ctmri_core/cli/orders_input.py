"""Orders to a run that goes on, from whoever started the command: one to a line of standard input."""

from __future__ import annotations

import os
import sys
import threading

from ctmri_core.training.orders import Orders

_MOST_BYTES = 4096


def orders_from_input() -> Orders:
    """Filled from now on; the end of input, as when the program that gave the orders has ended, is the order to stop."""
    orders = Orders()
    threading.Thread(target=_read, args=(orders,), name="reads orders", daemon=True).start()
    return orders


def _read(orders: Orders) -> None:
    rest = b""
    try:
        number = sys.stdin.fileno()
        while piece := os.read(number, _MOST_BYTES):  # `sys.stdin` would hold a lock that Python needs at its end
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[-_MOST_BYTES:]
            for line in lines:
                if word := line.decode("utf-8", "replace").strip():
                    orders.read(word)
    except (AttributeError, OSError, ValueError):  # no standard input, or one that was closed
        pass
    orders.give("stop")
