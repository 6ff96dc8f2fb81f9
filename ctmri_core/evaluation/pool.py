"""Scores computed beside the work that goes on: in other processes where pictures are large, else at once."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Generic, TypeVar

from ctmri_core.evaluation.scoring import Scored, ScoringJob, score

Ticket = TypeVar("Ticket")
_SMALL = 2_000_000  # voxels: below, sending costs more than scoring
_MOST = 8
_PATIENCE_S = 0.2


class Scorers(Generic[Ticket]):
    """`give` a job with a ticket; `finished` and `rest` give tickets back with what was scored.

    At most as many jobs as there are processes wait at a time, so that memory stays bounded. `workers`: processes, 0 for none,
    None for one less than there are processors.
    """

    def __init__(self, workers: int | None) -> None:
        self._workers = min(max(1, (os.cpu_count() or 2) - 1), _MOST) if workers is None else workers
        self._forced = workers is not None
        self._pool: ProcessPoolExecutor | None = None
        self._running: dict[Future[Scored], tuple[ScoringJob, Ticket]] = {}
        self._done: list[tuple[Ticket, Scored]] = []

    def __enter__(self) -> Scorers[Ticket]:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def give(self, job: ScoringJob, ticket: Ticket) -> None:
        """Returns when there is room for another one. Raises what `score` raises."""
        if not self._workers or (job.truth.size < _SMALL and not self._forced):
            self._done.append((ticket, score(job)))
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, multiprocessing.get_context("spawn"))
        try:
            self._running[self._pool.submit(score, job)] = job, ticket
        except BrokenProcessPool:
            self._done.append((ticket, score(job)))
        while len(self._running) > self._workers:
            self._collect(None)

    def finished(self) -> Iterator[tuple[Ticket, Scored]]:
        """What is done by now. Raises what `score` raised."""
        self._collect(0.0)
        yield from self._given_back()

    def rest(self) -> Iterator[tuple[Ticket, Scored] | None]:
        """All that is left, as it comes; None now and then, as a sign of life."""
        while self._running or self._done:
            yield from self._given_back()
            if self._running:
                self._collect(_PATIENCE_S)
                yield None

    def _given_back(self) -> Iterator[tuple[Ticket, Scored]]:
        while self._done:
            yield self._done.pop(0)

    def _collect(self, seconds: float | None) -> None:
        if not self._running:
            return
        for future in wait(self._running, seconds, FIRST_COMPLETED).done:
            job, ticket = self._running.pop(future)
            try:
                self._done.append((ticket, future.result()))
            except BrokenProcessPool:  # a process was ended from outside, for want of memory: here it goes on
                self._workers = 0
                self._done.append((ticket, score(job)))
