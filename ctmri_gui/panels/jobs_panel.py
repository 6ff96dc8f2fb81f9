"""The tray of jobs: what runs and how the last work ended, each with its way to stop it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from ctmri_gui.jobs.queue import Jobs, JobState
from ctmri_gui.panels.small_parts import label, set_role
from ctmri_gui.theme import icon

_TICK_MS = 1000  # time goes on where work says nothing


class JobsPanel(QWidget):
    """A row for each job of the list, newest first."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._rows: list[JobRow] = []
        self._empty = label("Nothing runs. Opening, translating, measuring and saving show here while they run.", "muted")
        self.forget = QPushButton("For&get ended")  # F opens a menu
        self.forget.setToolTip("Takes the jobs that have ended out of this list")
        self.forget.clicked.connect(jobs.forget_ended)
        foot = QHBoxLayout()
        foot.addWidget(self.forget)
        foot.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(10, 8, 10, 8)
        self._column.setSpacing(8)
        self._column.addWidget(self._empty)
        self._column.addLayout(foot)
        self._column.addStretch(1)
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK_MS)
        self._clock.timeout.connect(self._show_times)
        jobs.rowsInserted.connect(self._inserted)
        jobs.rowsAboutToBeRemoved.connect(self._removed)
        jobs.dataChanged.connect(self._changed)
        self._follow()

    def _inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        for row in range(first, last + 1):
            state = self._jobs.index(row).data(Qt.ItemDataRole.UserRole)
            widget = JobRow(self._jobs, state)
            self._rows.insert(row, widget)
            self._column.insertWidget(row + 1, widget)
        self._follow()

    def _removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        for widget in self._rows[first : last + 1]:
            self._column.removeWidget(widget)
            widget.deleteLater()
        del self._rows[first : last + 1]
        self._follow()

    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        for widget in self._rows[first.row() : last.row() + 1]:
            widget.show_state()
        self._follow()

    def _follow(self) -> None:
        running = any(row.state.running for row in self._rows)
        self._empty.setVisible(not self._rows)
        self.forget.setVisible(any(not row.state.running for row in self._rows))
        if running and not self._clock.isActive():
            self._clock.start()
        elif not running:
            self._clock.stop()

    def _show_times(self) -> None:
        if self.isVisible():
            for row in self._rows:
                if row.state.running:
                    row.show_state()


class JobRow(QWidget):
    """One job: title, how far it is, how it ended; the way to it and the way to stop it."""

    def __init__(self, jobs: Jobs, state: JobState) -> None:
        super().__init__()
        self.state = state
        self._title = label(state.title)
        self.text = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(f"Progress of {state.title}")
        self.cancel = QToolButton()
        self.cancel.setIcon(icon("close"))
        self.cancel.setToolTip(f"Cancel: {state.title}")
        self.cancel.setAccessibleName(f"Cancel {state.title}")
        self.cancel.clicked.connect(lambda: jobs.stop(state))
        self._show = QToolButton()
        self._show.setText("Show")
        self._show.setToolTip(f"Show: {state.title}")
        self._show.setAccessibleName(f"Show {state.title}")
        self._show.clicked.connect(lambda: state.show() if state.show is not None else None)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._title, 0, 0)
        grid.addWidget(self._show, 0, 1)
        grid.addWidget(self.cancel, 0, 2)
        grid.addWidget(self.bar, 1, 0, 1, 3)
        grid.addWidget(self.text, 2, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self.show_state()

    def show_state(self) -> None:
        """As it stands now."""
        state = self.state
        fraction = state.fraction
        self.bar.setVisible(state.running)
        self.bar.setRange(0, 100 if fraction is not None else 0)
        self.bar.setValue(round((fraction or 0.0) * 100))
        self.text.setText(state.text)
        self._show.setVisible(state.show is not None)
        self.cancel.setVisible(state.running)
        self.cancel.setEnabled(not state.stopping)
        failed = state.end is not None and state.end.reason in ("failed", "crashed")
        set_role(self.text, "error" if failed else "muted")
