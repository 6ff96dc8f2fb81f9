"""Training on a thread of a program that must answer meanwhile."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_SWITCH_S = 0.001  # how long Python may stay on one thread while another waits; usually five times that


@contextmanager
def leaving_room() -> Iterator[None]:
    """Leaves one processor to the others and lets them have Python's lock sooner. To be entered on the thread that trains.

    What was imported is kept from the collector of cycles meanwhile: a look through half a million objects stops every thread for
    0.3 s. What holds for the whole process is as it was afterwards.
    """
    threads, interval = torch.get_num_threads(), sys.getswitchinterval()
    torch.set_num_threads(max(min(threads, (os.cpu_count() or 1) - 1), 1))
    sys.setswitchinterval(min(interval, _SWITCH_S))
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)
        torch.set_num_threads(threads)
