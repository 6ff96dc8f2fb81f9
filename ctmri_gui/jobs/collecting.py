"""Python's collector of cycles runs on the interface thread alone while jobs run.

By itself it runs on whichever thread happens to allocate. On that of a job it would destroy models and widgets that were let go
beside the thread that still paints them: Qt then calls into objects half destroyed and aborts the program.
"""

from __future__ import annotations

import gc
import sys

from PySide6.QtCore import QObject, QTimer

_MS_BETWEEN_LOOKS = 100
_GROWTH = 1.25
"""Of all that lives before it is looked through whole; the interpreter waits for as much of what lives long. Blocks are counted
and no lists of objects asked for: these hold tuples that a job is just building, which then fails."""


class Collecting(QObject):
    """From `begin` to `end`, on the thread that made it. Both may be called again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._was_enabled = False
        self._old = 0
        self._timer = QTimer(self, interval=_MS_BETWEEN_LOOKS)
        self._timer.timeout.connect(self._look)

    def begin(self) -> None:
        if not self._timer.isActive():
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()

    def end(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            if self._was_enabled:
                gc.enable()

    def _look(self) -> None:
        """Collects what the interpreter would have: the generations of which enough has gathered."""
        full = [count > most for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if full[2] and sys.getallocatedblocks() > _GROWTH * self._old:
            gc.collect()
            self._old = sys.getallocatedblocks()
        elif full[1]:
            gc.collect(1)
        elif full[0]:
            gc.collect(0)
