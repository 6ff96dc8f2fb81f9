"""Scores of what is shown, computed beside the interface thread: always the newest question next, older ones skipped."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from ctmri_gui.viewer.background import Background

_INTERVAL_MS = 45  # more numbers a second nobody reads, and pictures come later


class MetricsFollower(QObject):
    """`request` as often as the slice changes: it is answered at once, or after a pause while scores come one after another.
    The last request is always answered. Answers of a comparison that is no longer the present one are dropped."""

    scored = Signal(object, object)  # question, and its answer

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background("metrics")
        self._comparison: Any = None
        self._wanted: Any = None
        self._since_begun = QElapsedTimer()
        self._pause = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._go_on)

    def set_comparison(self, comparison: Any) -> None:
        """From now on `comparison` answers; None: nobody."""
        self._comparison, self._wanted = comparison, None

    def request(self, question: Any) -> None:
        """Wants this answered (`question.ask` of what was set), and no earlier question that has not been begun."""
        self._wanted = question
        self._go_on()

    def close(self) -> None:
        """No more answers."""
        self.set_comparison(None)
        self._background.close()

    def _go_on(self) -> None:
        comparison, question = self._comparison, self._wanted
        if comparison is not None and question is not None and not self._background.busy and not self._pause.isActive():
            self._wanted = None
            self._since_begun.start()
            self._background.submit(partial(question.ask, comparison), partial(self._take, comparison, question))

    def _take(self, comparison: Any, question: Any, answer: Any) -> None:
        if comparison is self._comparison:
            self.scored.emit(question, answer)
        self._pause.start(max(_INTERVAL_MS - self._since_begun.elapsed(), 0))
