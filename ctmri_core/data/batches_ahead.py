"""Draws the next batch in a thread while the device works on this one.

A batch is a pure function of its step, so nothing depends on whether it was drawn ahead: asked for another step than the next,
after a resume or for a validation, it is drawn then.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ctmri_core.method import SliceBatch


class BatchesAhead:
    """`batch(step)` is `draw(step)`, mostly waiting already. Not for several threads at once."""

    def __init__(self, draw: Callable[[int], SliceBatch]) -> None:
        self._draw = draw
        self._pool = ThreadPoolExecutor(1, "batches")
        self._step = -1
        self._waiting: Future[SliceBatch] | None = None

    def batch(self, step: int) -> SliceBatch:
        """The batch of `step`. Whatever `draw` raises for it is raised here."""
        waiting, known = self._waiting, self._step
        self._waiting = None
        batch = waiting.result() if waiting is not None and known == step else self._draw(step)
        self._step = step + 1
        self._waiting = self._pool.submit(self._draw, step + 1)
        return batch

    def close(self) -> None:
        """Ends the thread. What it draws at the moment is waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)
