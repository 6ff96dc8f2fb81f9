"""A sign of life in the status bar: what runs now, how far it is, and a way to stop it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.small_parts import label

_SHOWN_AFTER_MS = 300  # shorter work would only flicker
_TEXT_WIDTH, _BAR_WIDTH, _BAR_HEIGHT, _STEPS = 300, 80, 8, 100
_REST_OF_BAR = 88  # letters: what stands beside the text, the warning above all, must stay whole


class RunningWork(QWidget):
    """Shows the listed job that was started last, once something has run for a moment."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._state: JobState | None = None
        self.text = label("", "muted", wrap=False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(_BAR_WIDTH, _BAR_HEIGHT)
        self.cancel = QToolButton()
        self.cancel.setText("Cancel")
        self.cancel.clicked.connect(self._stop)
        self.more = QToolButton()
        self.more.setText("Show")
        self.more.clicked.connect(self._show_more)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        for widget in (self.text, self.bar, self.more, self.cancel):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_SHOWN_AFTER_MS)
        self._delay.timeout.connect(self._show)
        jobs.changed.connect(self._follow)
        self.hide()

    def _follow(self, _state: JobState) -> None:
        if self._jobs.newest_running is None:
            self._delay.stop()
            self.hide()
        elif not self.isHidden():
            self._show()
        elif not self._delay.isActive():
            self._delay.start()

    def _show(self) -> None:
        state = self._state = self._jobs.newest_running
        if state is None:
            return
        fraction = state.fraction
        metrics = self.fontMetrics()
        room = self.window().width() - _REST_OF_BAR * metrics.averageCharWidth()
        self.text.setText(metrics.elidedText(state.title, Qt.TextElideMode.ElideRight, max(0, min(room, _TEXT_WIDTH))))
        self.text.setToolTip(f"{state.title}: {state.text}")
        self.bar.setAccessibleName(f"Progress of {state.title}: {state.text}")
        self.bar.setToolTip(state.text)
        self.bar.setRange(0, _STEPS if fraction is not None else 0)
        self.bar.setValue(round((fraction or 0.0) * _STEPS))
        self.cancel.setEnabled(not state.stopping)
        self.cancel.setToolTip(f"Cancel: {state.title}")
        self.more.setVisible(state.show is not None)
        self.more.setToolTip(f"Show: {state.title}")
        self.more.setAccessibleName(f"Show {state.title}")
        self.setVisible(True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._show_more()
        super().mousePressEvent(event)

    def _show_more(self) -> None:
        if self._state is not None and self._state.show is not None:
            self._state.show()

    def _stop(self) -> None:
        if self._state is not None:
            self._jobs.stop(self._state)
