"""Scores of the slice shown, computed beside the interface thread: always the newest slice next, older ones skipped."""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from ctmri_gui.viewer.background import Background


class Scores(Protocol):
    """`ctmri_core.comparison.SliceScores` as far as it is shown."""

    @property
    def ssim(self) -> float: ...
    @property
    def psnr(self) -> float: ...
    @property
    def mae(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def convention(self) -> str: ...


class ScoresSlices(Protocol):
    """`ctmri_core.comparison.Comparison` as far as it is used."""

    def scores(self, k: int) -> Scores | None: ...


class MetricsFollower(QObject):
    """`request` as often as the slice changes. Answers of a comparison that is no longer the present one are dropped."""

    scored = Signal(int, object)  # slice, Scores or None where there is nothing to compare
    _answered = Signal(int, int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background("metrics", self)
        self._lock = Lock()
        self._comparison: ScoresSlices | None = None
        self._generation = 0
        self._wanted: int | None = None
        self._busy = False
        self._answered.connect(self._deliver)

    def set_comparison(self, comparison: ScoresSlices | None) -> None:
        """From now on scores come from `comparison`; None: no scores."""
        with self._lock:
            self._comparison = comparison
            self._generation += 1
            self._wanted = None

    def request(self, k: int) -> None:
        """Wants the scores of slice `k`, and of no earlier one that has not been begun."""
        with self._lock:
            if self._comparison is None:
                return
            self._wanted = k
            if self._busy:
                return
            self._busy = True
        self._background.submit(self._work)

    def close(self) -> None:
        """No more answers."""
        self.set_comparison(None)
        self._background.close()

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                generation, comparison, k = task
                self._answered.emit(generation, k, comparison.scores(k))
        except BaseException:
            with self._lock:
                self._busy = False
            raise

    def _next(self) -> tuple[int, ScoresSlices, int] | None:
        with self._lock:
            if self._wanted is None or self._comparison is None or self._background.closed:
                self._busy = False
                return None
            k, self._wanted = self._wanted, None
            return self._generation, self._comparison, k

    def _deliver(self, generation: int, k: int, scores: object) -> None:
        if generation == self._generation:
            self.scored.emit(k, scores)
