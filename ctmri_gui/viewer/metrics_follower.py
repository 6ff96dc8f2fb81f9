"""Scores of the slice shown, computed beside the interface thread: always the newest slice next, older ones skipped."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from ctmri_gui.viewer.background import Background

_INTERVAL_MS = 33  # more numbers a second nobody reads, and pictures come later


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
    """`request` as often as the slice changes: it is answered at once, or after a pause while scores come one after another.
    The last request is always answered. Answers of a comparison that is no longer the present one are dropped."""

    scored = Signal(int, object)  # slice, Scores or None where there is nothing to compare

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background("metrics")
        self._comparison: ScoresSlices | None = None
        self._wanted: int | None = None
        self._since_begun = QElapsedTimer()
        self._pause = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._go_on)

    def set_comparison(self, comparison: ScoresSlices | None) -> None:
        """From now on scores come from `comparison`; None: no scores."""
        self._comparison, self._wanted = comparison, None

    def request(self, k: int) -> None:
        """Wants the scores of slice `k`, and of no earlier one that has not been begun."""
        self._wanted = k
        self._go_on()

    def close(self) -> None:
        """No more answers."""
        self.set_comparison(None)
        self._background.close()

    def _go_on(self) -> None:
        comparison, k = self._comparison, self._wanted
        if comparison is not None and k is not None and not self._background.busy and not self._pause.isActive():
            self._wanted = None
            self._since_begun.start()
            self._background.submit(partial(comparison.scores, k), partial(self._take, comparison, k))

    def _take(self, comparison: ScoresSlices, k: int, scores: Scores | None) -> None:
        if comparison is self._comparison:
            self.scored.emit(k, scores)
        self._pause.start(max(_INTERVAL_MS - self._since_begun.elapsed(), 0))
